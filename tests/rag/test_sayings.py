from __future__ import annotations

from rag import sayings


def test_a_refusal_names_the_closest_sentence():
    assert sayings.refusal("en", None, foreign=False) == "The documents don't say."
    assert sayings.refusal("en", "Cats purr.", foreign=False).endswith(
        "The closest that they come: Cats purr. [1]"
    )
    foreign = sayings.refusal("ar", "Cats purr.", foreign=True)
    assert "Cats" not in foreign
    assert foreign.endswith("[1]")
