from __future__ import annotations

import numpy as np
import pytest

from eval import bench


def test_synthetic_paragraphs_become_one_passage_each(settings):
    grown = bench.growth(settings, 600)
    assert grown.passages == 600
    assert grown.retrieve_ms > 0


def test_synthetic_vectors_are_units_that_repeat():
    embedder = bench.HashEmbedder(fingerprint="x", query_prompt="", passage_prompt="")
    one, two = embedder.embed_texts(["a", "b"]), embedder.embed_texts(["b", "a"])
    assert np.array_equal(one, two[::-1])
    assert np.linalg.norm(one, axis=1) == pytest.approx([1, 1])
    assert not np.array_equal(one[0], one[1])


def test_a_ratio_is_the_median_of_the_pairs_not_of_the_sides():
    compared = bench._compare("time", [(1.0, 2.0), (4.0, 4.0), (9.0, 3.0)])
    # Sides: median(1, 4, 9) / median(2, 4, 3) would be 4/3; pairs: median(1/2, 1, 3) is 1.
    assert (compared.rawi, compared.baseline, compared.ratio) == (4.0, 3.0, 1.0)


def test_both_sides_take_turns():
    order = []
    bench._medians(2, lambda: order.append("ours"), lambda: order.append("theirs"))
    assert order == ["ours", "theirs", "ours", "theirs"]


def test_the_table_puts_ratios_first():
    result = {
        "environment": "today, here",
        "comparisons": [
            {"what": "embedding", "unit": "passages/s", "rawi": 6.0, "baseline": 4.0, "ratio": 1.5}
        ],
        "growth": [
            {"passages": 1000, "index_s": 1.0, "retrieve_ms": 2.0},
            {"passages": 10000, "index_s": 9.0, "retrieve_ms": 3.0},
        ],
        "embed_question_ms": 20.0,
    }
    table = bench._table(result)
    assert "| embedding | 1.50 | 6.00 | 4.00 | passages/s |" in table
    assert "| 10,000 | 1.50 | 3.0 | 9.0 |" in table
