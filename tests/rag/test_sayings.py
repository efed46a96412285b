from __future__ import annotations

import pytest

from rag import sayings


def test_a_refusal_names_the_closest_sentence():
    assert sayings.refusal("en", None, foreign=False) == "The documents don't say."
    assert sayings.refusal("en", "Cats purr.", foreign=False).endswith(
        "The closest that they come: Cats purr. [1]"
    )
    foreign = sayings.refusal("ar", "Cats purr.", foreign=True)
    assert "Cats" not in foreign
    assert foreign.endswith("[1]")


def test_words_of_the_other_language_are_quoted_each_with_its_marker():
    said = sayings.pointer("en", {1: "١٣٠ يومًا", 2: ""})
    assert said == (
        "In the document's own words, which are Arabic: “١٣٠ يومًا” [1]"
        " The answer stands in this sentence, which is in Arabic: [2]"
    )
    assert sayings.pointer("ar", {1: "blue", 2: "red"}).endswith("«blue» [1]، «red» [2]")


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("words", ["", "x"])
def test_a_pointer_is_told_from_an_answer(language, words):
    said = sayings.pointer(language, {1: words})
    assert sayings.is_pointer(said)
    assert sayings.tells_nothing(said)
    assert not sayings.is_pointer("130 days [1]")
