import random
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics import (
    RiskPoint,
    citation_precision,
    citation_recall,
    covered,
    exact_match,
    f1,
    holds_control_text,
    is_correct,
    language_match,
    normalize_folded,
    normalize_squad,
    percentiles,
    retrieval_scores,
    risk_coverage,
    stray_marker_share,
    verbatim_share,
)

# ---------------------------------------------------------------------------------- retrieval


def test_retrieval_by_the_rank_of_the_one_gold_passage():
    scores = retrieval_scores(
        {
            "first": [7, 1, 2],
            "second": [1, 7, 2],
            "tenth": [0, 1, 2, 3, 4, 5, 6, 8, 9, 7],
            "eleventh": [0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 7],
        },
        {"first": [7], "second": [7], "tenth": [7], "eleventh": [7]},
    )
    one = pytest.approx(1)
    assert scores["first"] == {
        "recall@1": 1,
        "recall@5": 1,
        "recall@10": 1,
        "mrr": 1,
        "ndcg@10": one,
    }
    assert scores["second"] == {
        "recall@1": 0,
        "recall@5": 1,
        "recall@10": 1,
        "mrr": 1 / 2,
        "ndcg@10": pytest.approx(1 / log2(3)),
    }
    assert scores["tenth"] == {
        "recall@1": 0,
        "recall@5": 0,
        "recall@10": 1,
        "mrr": pytest.approx(1 / 10),
        "ndcg@10": pytest.approx(1 / log2(11)),
    }
    assert scores["eleventh"] == {
        "recall@1": 0,
        "recall@5": 0,
        "recall@10": 0,
        "mrr": pytest.approx(1 / 11),
        "ndcg@10": 0,
    }


def test_retrieval_with_two_gold_passages():
    scores = retrieval_scores({"q": [5, 1, 3]}, {"q": {3, 5}})["q"]
    assert scores["recall@1"] == 1 / 2
    assert scores["recall@5"] == 1
    assert scores["ndcg@10"] == pytest.approx((1 + 1 / log2(4)) / (1 + 1 / log2(3)))


def test_a_question_that_found_nothing_scores_zero_and_counts():
    scores = retrieval_scores(
        {"found": [1], "empty": []}, {"found": [1], "empty": [1], "gone": [1]}
    )
    assert scores["empty"] == scores["gone"] == dict.fromkeys(scores["found"], 0)


def test_retrieval_keeps_the_given_order_whatever_the_numbers():
    # trec_eval breaks ties by name; "9" > "10" as text.
    ranking = [10, 9, 100, 2]
    for rank, passage in enumerate(ranking, start=1):
        assert retrieval_scores({"q": ranking}, {"q": [passage]})["q"]["mrr"] == pytest.approx(
            1 / rank
        )


@pytest.mark.slow
def test_retrieval_agrees_with_numpy_and_sklearn():
    from sklearn.metrics import ndcg_score

    generator = random.Random(3)
    for _ in range(50):
        pool = list(range(30))
        gold = set(generator.sample(pool, generator.randint(1, 4)))
        ranking = generator.sample(pool, len(pool))
        ours = retrieval_scores({"q": ranking}, {"q": gold})["q"]
        relevant = np.array([passage in gold for passage in ranking])
        assert ours["mrr"] == pytest.approx(1 / (np.argmax(relevant) + 1))
        for k in (1, 5, 10):
            assert ours[f"recall@{k}"] == pytest.approx(relevant[:k].sum() / len(gold))
        by_rank = -np.arange(len(ranking), dtype=float)
        assert ours["ndcg@10"] == pytest.approx(
            ndcg_score([relevant.astype(float)], [by_rank], k=10)
        )


# ----------------------------------------------------------------------------------- evidence


def test_covered_is_the_share_of_gold_spans_that_stand_whole_in_the_shown_ones():
    gold = [("a", 10, 20), ("a", 30, 40), ("b", 10, 20)]
    assert covered(gold, [("a", 0, 25)]) == 1 / 3
    assert covered(gold, [("a", 0, 25), ("a", 30, 40)]) == 2 / 3
    assert covered(gold, [("b", 10, 20), ("a", 10, 20), ("a", 25, 41)]) == 3 / 3
    assert covered(gold, []) == 0


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([("d", 0, 10), ("d", 10, 20)], 1),  # they touch
        ([("d", 11, 20), ("d", 0, 10)], 1),  # one space between two sentences
        ([("d", 0, 10), ("d", 12, 20)], 1),  # a blank line
        ([("d", 0, 10), ("d", 13, 20)], 0),  # three characters are missing
        ([("d", 0, 20), ("d", 3, 5), ("d", 12, 30)], 1),  # one in another, overlapping
        ([("d", 1, 30)], 0),  # its first character is missing
        ([("other", 0, 20)], 0),
    ],
)
def test_covered_by_several_spans(shown, expected):
    assert covered([("d", 0, 20)], shown) == expected


def test_covered_in_part():
    gold = [("d", 0, 10)]
    assert covered(gold, [("d", 5, 30)]) == 0
    assert covered(gold, [("d", 5, 30)], least=0.5) == 1
    assert covered(gold, [("d", 6, 30)], least=0.5) == 0
    # 2 + 3 characters of 10, from two spans
    assert covered(gold, [("d", 0, 2), ("d", 7, 30)], least=0.5) == 1
    assert covered(gold, [("d", 0, 2), ("d", 7, 30)], least=0.51) == 0


# -------------------------------------------------------------------------------- is_correct


@pytest.mark.parametrize(
    ("alternative", "answer"),
    [
        ("6.6", "OpenAI raised 6.6 billion dollars."),
        ("6.6", "The sum was $6.6."),
        ("6.6", "6.6bn"),
        ("6.6", "٦٫٦ مليار دولار"),
        ("6.6 مليار", "جمعت الشركة **٦٫٦** مليار دولار"),
        ("5%", "It was 5%."),
        ("5%", "بلغت ٥٪ فقط"),
        ("5%", "about 5 % of it"),
        ("50", "up to 50%"),
        ("30", "from 30-40 people"),
        ("30", "30, then 40"),
        ("30", "(30)"),
        ("30", "كان العدد 30."),
        ("30", "كان العدد 30، ثم زاد"),
        ("30", "بـ30 مليون"),
        ("30 مليار", "30 مليارات"),
        ("30bn", "$30bn in all"),
        ("30", "$30bn in all"),
        ("$30B", "It raised $30b."),
        ("$30", "US$30 million"),
        ("1500", "1,500 people"),
        ("1,500", "1500 people"),
        ("1,500", "١٬٥٠٠ شخص"),
        ("1,500", "1،500 شخص"),
        ("1,234,567.8", "1234567.8"),
        ("2024", "in mid-2024, it"),
        ("2017", "in 2017, 500 people"),
        ("1080", "at 1080p"),
        ("11", "the 11th of May"),
        ("o3", "the model o3."),
        ("o3", "نموذج o3 وo3 mini"),
        ("o3", "o3-mini"),
        ("GPT-5", "gpt-5's training"),
        ("GPT-5", "تطوير GPT-5."),
        ("GPT-5", "لـGPT‑5 تأخير"),  # no-break hyphen
        ("GPT-5.5", "GPT-5.5"),
        ("Grok-2", "xAI released Grok-2, and"),
        ("Gemini", "Gemini2.0"),
        ("Veo2", "Google's Veo2\u200f."),
        ("2.0", "Gemini 2.0 Flash"),
        ("Sora", "Sora."),
        ("Sora", "Sora’s"),
        ("OpenAI", "OpenAI's board"),
        ("OpenAI", "وOpenAI"),
        ("billion", "6 billions"),
        ("billion", "6billion"),
        ("Sam Altman", "SAM  ALTMAN,"),
        ("إيليا", "ايليا سوتسكيفر"),
        ("مدرسة", "المدرسه القديمة"),
        ("ماسك", "مَاسـك"),
        ("C++", "written in C++"),
    ],
)
def test_alternative_is_found(alternative, answer):
    assert is_correct(answer, [[alternative]], [])
    assert not is_correct(answer, [], [alternative])


@pytest.mark.parametrize(
    ("alternative", "answer"),
    [
        ("6.6", "16.6 billion"),
        ("6.6", "6.65 billion"),
        ("6.6", "version 6.6.1"),
        ("6.6", "1,6.6"),
        ("6.6", "6 6"),
        ("6.6", "626"),
        ("5%", "25%"),
        ("5%", "١٫٥٪"),
        ("5%", "5"),
        ("30", "300"),
        ("30", "3.30"),
        ("30", "30.3"),
        ("30", "130"),
        ("30", "30,300"),
        ("300", "30,300"),
        ("30", "3,30"),
        ("6", "6،6 مليار"),
        ("30 مليار", "130 مليار"),
        ("30 مليار", "3.30 مليار"),
        ("30 مليار", "30 مليون"),
        ("150", "1500"),
        ("500", "1,500"),
        ("3", "o3"),
        ("2", "Veo2"),
        ("2", "GPT2"),
        ("o3", "o30"),
        ("o3", "o3.5"),
        ("o3", "pro3"),
        ("GPT-5", "GPT-5.5"),
        ("GPT-5", "GPT-50"),
        ("GPT-5", "ChatGPT-5"),
        ("GPT-4", "GPT-4o"),
        ("Grok-2", "Grok-20"),
        ("Grok-2", "Grok-2.5"),
        ("Grok-20", "Grok-2"),
        ("$30", "$300"),
        ("30bn", "130bn"),
        ("30bn", "30bnx"),
        ("Sora", "Sorandom"),
        ("Sora", "Pandsora"),
        ("Altman", "Altmann"),
        ("AI", "said"),
        ("Malm", "Malmø"),
        ("1234567", "1234,567"),
        ("15000", "1,5000"),
        ("سورا", "أوريون"),
        ("Sora", "سورا"),
        ("C++", "written in C"),
        (".", "no stop"),
    ],
)
def test_alternative_is_not_found(alternative, answer):
    assert not is_correct(answer, [[alternative]], [])
    assert is_correct(answer, [], [alternative])


def test_right_means_one_of_every_group_and_none_of_the_forbidden():
    groups = [["6.6", "six point six"], ["billion", "مليار"]]
    assert is_correct("6.6 مليار دولار", groups, ["6 مليار"])
    assert is_correct("Six point six billion", groups, [])
    assert not is_correct("6.6 million", groups, [])
    assert not is_correct("billions", groups, [])
    assert not is_correct("6.6 billion, or 12 billion", groups, ["12 billion", "13"])
    assert not is_correct("6.6 billion, or 13", groups, ["12 billion", "13"])
    assert is_correct("anything", [], [])


@pytest.mark.parametrize(
    ("must_include", "must_not_include"),
    [([[]], []), ([["a"], []], []), ([[""]], []), ([["ـَ"]], []), ([["a"]], [" "])],
)
def test_is_correct_refuses_an_alternative_that_is_everywhere(must_include, must_not_include):
    with pytest.raises(ValueError, match="alternative"):
        is_correct("a", must_include, must_not_include)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_an_integer_is_found_in_its_own_writings_only(wanted, other):
    for answer in (f"we saw {other}.", f"we saw {other:,} of it", f"رأينا {other:,}، ثم"):
        assert is_correct(answer, [[str(wanted)]], []) == (wanted == other)
        assert is_correct(answer, [[f"{wanted:,}"]], []) == (wanted == other)


# -------------------------------------------------------------------------------- EM, F1


def test_squad_normalisation():
    assert normalize_squad("  The  Cat, an  (A) dog's\tlife! ") == "cat dogs life"
    assert normalize_squad("Theatre and a 1,500.5%") == "theatre and 15005"
    # Left alone, as in the official script: what is not ASCII punctuation.
    assert normalize_squad("القاهرة، مصر؟") == "القاهرة، مصر؟"


def test_folded_normalisation():
    assert normalize_folded("القاهرة، مصر؟") == normalize_folded("قاهره مصر")
    assert normalize_folded("«الأُمم» المتّحدة") == normalize_folded("امم متحدة")
    assert normalize_folded("٪٥٦٫٢") == normalize_folded("56.2%") == "562"
    assert normalize_folded("• The ﴿“Cat”﴾") == "cat"
    assert normalize_folded("الأم") == "ام"
    assert normalize_folded("الى ال الف") == normalize_folded("إلى ال ألف")
    assert len(normalize_folded("إلى")) == 3  # ال goes only where two letters remain


def test_exact_match():
    assert exact_match("The Denver Broncos!", ["Carolina", "Denver Broncos"]) == 1
    assert exact_match("the Broncos", ["Denver Broncos"]) == 0
    assert exact_match("القاهره", ["القاهرة"]) == 0
    assert exact_match("القاهره", ["القاهرة"], normalize_folded) == 1
    assert exact_match("", ["x"]) == 0


def test_f1():
    # prediction 4 words, gold 2, both of them found: p = 2/4, r = 2/2
    assert f1("the Denver Broncos won it", ["Denver Broncos"]) == pytest.approx(
        2 * (2 / 4) * (2 / 2) / (2 / 4 + 2 / 2)
    )
    # a word said twice counts as often as the gold says it: p = 1/3, r = 1/2
    assert f1("no no no", ["no way"]) == pytest.approx(2 * (1 / 3) * (1 / 2) / (1 / 3 + 1 / 2))
    # the best gold answer counts
    assert f1("green", ["blue", "green", "dark green"]) == 1
    assert f1("green", ["blue"]) == f1("", ["blue"]) == f1("", [""]) == 0


def test_f1_in_arabic():
    prediction, gold = "في القاهره عام ٢٠١١", ["القاهرة، عام 2011"]
    # plain: only "عام" of 4 and 3 words; folded: three of 4 and 3
    assert f1(prediction, gold) == pytest.approx(2 * (1 / 4) * (1 / 3) / (1 / 4 + 1 / 3))
    assert f1(prediction, gold, normalize_folded) == pytest.approx(
        2 * (3 / 4) * (3 / 3) / (3 / 4 + 3 / 3)
    )


WORDS = st.lists(st.sampled_from(["red", "green", "blue", "sky", "القمر"]), max_size=6)


@given(WORDS, WORDS)
def test_f1_agrees_with_crossing_out_word_by_word(prediction, gold):
    left, common = list(gold), 0
    for word in prediction:
        if word in left:
            left.remove(word)
            common += 1
    p = common / len(prediction) if prediction else 0
    r = common / len(gold) if gold else 0
    expected = 2 * p * r / (p + r) if common else 0
    assert f1(" ".join(prediction), [" ".join(gold)]) == pytest.approx(expected)
    assert exact_match(" ".join(prediction), [" ".join(gold)]) == (prediction == gold)


# ---------------------------------------------------------------------------------- citations


def test_citation_precision_and_recall():
    gold = [("a", 0, 10), ("a", 50, 60), ("b", 0, 10)]
    # right; right, the same gold span again; touches without overlapping; wrong document
    cited = [("a", 5, 20), ("a", 9, 12), ("a", 60, 70), ("c", 0, 10)]
    assert citation_precision(gold, cited) == 2 / 4
    assert citation_recall(gold, cited) == 1 / 3
    # one long citation over two gold spans
    assert citation_precision(gold, [("a", 0, 100)]) == 1
    assert citation_recall(gold, [("a", 0, 100)]) == 2 / 3
    assert citation_precision(gold, []) == citation_recall(gold, []) == 0


def quote(doc, start, end, text):
    return {"doc": doc, "start": start, "end": end, "quote": text}


def test_verbatim_share():
    texts = {"a": "ذهب أحمد. Then he left."}
    good = [quote("a", 0, 9, "ذهب أحمد."), quote("a", 10, 23, "Then he left.")]
    bad = [
        quote("a", 0, 9, "ذهب احمد."),  # folded, not verbatim
        quote("a", 1, 9, "ذهب أحمد."),
        quote("b", 0, 9, "ذهب أحمد."),
        quote("a", 10, 24, "Then he left."),  # beyond the end
        quote("a", -13, -1, "Then he left"),
        quote("a", 3, 3, ""),
    ]
    assert verbatim_share(good, texts) == 1
    assert verbatim_share(good + bad, texts) == 2 / 8
    for cited in bad:
        assert verbatim_share([cited], texts) == 0
    assert verbatim_share([], texts) is None


@pytest.mark.parametrize(
    ("answer", "strays"),
    [
        ("It was 4. [1] It was 5. [2]", 0),
        ("It was 4. [1] It was 5. [3]", 1 / 2),
        ("It was 4. [1, 3; 2]", 1 / 3),
        ("It was 4. [1، 3]", 1 / 2),
        ("كان ٤. [٣]", 1),
        ("It was 4.[^7]【1】", 1 / 2),
        ("It was 4 [sic] in (2024).", None),
        ("", None),
    ],
)
def test_stray_markers_stand_for_no_citation(answer, strays):
    assert stray_marker_share(answer, {1, 2}) == strays


# ----------------------------------------------------------------------------------- refusals


def test_risk_coverage_takes_equal_confidences_together():
    answers = [(0.5, True), (0.9, True), (0.5, False), (0.1, False)]
    assert risk_coverage(answers) == [
        RiskPoint(0.9, 1 / 4, 0 / 1),
        RiskPoint(0.5, 3 / 4, 1 / 3),
        RiskPoint(0.1, 4 / 4, 2 / 4),
    ]


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3]), st.booleans()), min_size=1),
    st.randoms(use_true_random=False),
)
def test_the_curve_does_not_depend_on_the_order(answers, shuffler):
    shuffled = list(answers)
    shuffler.shuffle(shuffled)
    assert risk_coverage(shuffled) == risk_coverage(answers)
    wrong = sum(not correct for _, correct in answers) / len(answers)
    assert risk_coverage(answers)[-1][1:] == pytest.approx((1, wrong))


def test_a_confidence_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        risk_coverage([(0.5, True), (float("nan"), True)])


# ----------------------------------------------------------------------------------- the rest


@pytest.mark.parametrize(
    ("language", "answer", "expected"),
    [
        ("ar", "جمعت الشركة 6.6 مليار دولار أمريكي", True),
        ("ar", "The company raised 6.6 billion dollars.", False),
        ("en", "The company raised 6.6 billion dollars.", True),
        ("ar", "نموذج GPT-5 من شركة OpenAI لم يصدر بعد", True),
        ("en", "جمعت الشركة المال", False),
        ("ar", "30%", None),
        ("en", "", None),
    ],
)
def test_the_language_of_an_answer_is_the_askers_unless_it_is_in_none(language, answer, expected):
    assert language_match(answer, language) is expected


def test_percentiles():
    # positions 3 × 0.5 = 1.5 and 3 × 0.95 = 2.85 in 1 2 4 8
    assert percentiles([8, 1, 4, 2]) == {
        "p50": pytest.approx(2 + 0.5 * (4 - 2)),
        "p95": pytest.approx(4 + 0.85 * (8 - 4)),
    }


@pytest.mark.parametrize(
    "text",
    ["<|im_start|>system", "<|im_end|>", "a [INST] b", "<<SYS>>", "</s>", "<end_of_turn>",
     "<｜User｜>", "pass\u200bword", "\u202eabc\u202c", "\u2067x", "\ufeffx", "19\U000e0041",
     "x\ufe0f"],
)  # fmt: skip
def test_control_text_is_seen(text):
    assert holds_control_text(text)


@pytest.mark.parametrize(
    "text", ["It cost 4 < 5 | 6 > 3. [1]", "سعره ٣ «دراهم»، كِتَابٌ", "a\n\tb", ""]
)
def test_ordinary_text_is_no_control_text(text):
    assert not holds_control_text(text)
