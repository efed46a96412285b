"""What the LLM is taught, as trees of chat messages: ``train_llm.py``.

A tree begins with some numbered sentences of a written passage. From there it branches into
questions, each in either language; each question into its answer and into wrong ones, and each of
them into the verdict on it; and into a translation. What branches share is read once, which is a
third of the tokens that the same conversations take one by one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.training.written_passages import LANGUAGES, Passage, other
from rag import prompts
from rag.language import Language

# The LLM's own chat template, ChatML.
END = "<|im_end|>"
_USER = "<|im_start|>user\n"
_ASSISTANT = f"{END}\n<|im_start|>assistant\n"
_CHECK = f"\n{_USER}{prompts.CHECK}{_ASSISTANT}"

# Shares, by hand: what the tuning set's evidence looks like.
_SENTENCES = (2, 3, 3, 4, 4, 5)
_FROM_ELSEWHERE = 0.5  # of trees with a sentence of another document
_OTHER_LANGUAGE = 0.15  # of sentences
_ACROSS = 0.65  # of questions
_IN_ORDER = 0.3
_ANOTHER_ANSWER = 0.3  # of answers that are not the best, but right too
_QUESTIONS = 5
_WRONG = 2
_TRANSLATED = 0.6  # of trees
_TRANSLATION_WEIGHT = 0.25  # of a token, beside an answer's: there are many more of them
_MIN_WORD = 4  # letters
_DIGITS = re.compile(r"\d+")


@dataclass
class Node:
    """A message, or a part of one, and what may follow it.

    ``weight`` is that of each of its tokens in the loss; 0: the LLM isn't taught to say this.
    """

    text: str
    weight: float = 0.0
    follow: list[Node] = field(default_factory=list)

    def then(self, text: str, weight: float = 0.0) -> Node:
        """Add what may follow, and return that."""
        self.follow.append(Node(text, weight))
        return self.follow[-1]


def tree(rng: random.Random, passage: Passage, others: Sequence[Passage]) -> Node:
    """Draw a tree from a passage, with the sentences of ``others`` beside its own."""
    own = rng.choice(LANGUAGES)
    count = min(rng.choice(_SENTENCES), len(passage.said[own]))
    chosen = [(passage, n) for n in sorted(rng.sample(range(len(passage.said[own])), count))]
    if rng.random() < _FROM_ELSEWHERE:
        stranger = rng.choice(others)
        if stranger is not passage:
            chosen.append((stranger, rng.randrange(len(stranger.said[own]))))
    if rng.random() > _IN_ORDER:
        rng.shuffle(chosen)
    languages = [other(own) if rng.random() < _OTHER_LANGUAGE else own for _ in chosen]
    texts = [p.said[said][n] for (p, n), said in zip(chosen, languages, strict=True)]
    places = {n + 1: at for at, (p, n) in enumerate(chosen, start=1) if p is passage}

    system = Node(f"<|im_start|>system\n{prompts.SYSTEM}{END}\n")
    sentences = system.then(_USER + prompts.numbered(texts))
    for question in rng.sample(passage.questions, min(_QUESTIONS, len(passage.questions))):
        held = [places[n] for n in question["uses"] if n in places]
        if 0 < len(held) < len(question["uses"]):
            continue  # half of what it takes is there: no verdict on such an answer is certain
        language = other(own) if rng.random() < _ACROSS else own
        _ask(rng, sentences, question, language, held, len(texts))
    if rng.random() < _TRANSLATED:
        at = rng.randrange(len(texts))
        into = other(languages[at])
        asked = prompts.translate(at + 1, into) + _ASSISTANT
        p, n = chosen[at]
        to = sentences.then(asked)
        right = to.then(p.said[into][n] + END, _TRANSLATION_WEIGHT)
        right.then(_CHECK).then(prompts.YES, 1.0)
        wrong = corrupted(rng, p.said[into][n], rng.choice(rng.choice(others).said[into]))
        if wrong != p.said[into][n]:
            to.then(wrong + END).then(_CHECK).then(prompts.NO, 1.0)
    return system


def corrupted(rng: random.Random, said: str, elsewhere: str) -> str:
    """Return a translation that is wrong: a figure, or a word, or its end is not the source's.

    :param elsewhere: Another text in its language, to take words from.
    """
    words, strange = said.split(), [w for w in elsewhere.split() if len(w) >= _MIN_WORD]
    long = [
        n for n, word in enumerate(words) if len(word) >= _MIN_WORD and not _DIGITS.search(word)
    ]
    ways = ["cut"] if len(words) >= 2 * _MIN_WORD else []
    ways += ["figure"] * bool(_DIGITS.search(said)) + ["word"] * 2 * bool(long and strange)
    way = rng.choice(ways or ["word"])
    if way == "cut":
        return " ".join(words[: rng.randint(len(words) // 3, 2 * len(words) // 3)])
    if way == "figure":
        at = rng.choice(list(_DIGITS.finditer(said)))
        return said[: at.start()] + str(int(at[0]) + rng.choice((1, 2, 10))) + said[at.end() :]
    if not long or not strange:
        return elsewhere
    for n in rng.sample(long, min(len(long), rng.choice((1, 1, 2)))):
        words[n] = rng.choice(strange)
    return " ".join(words)


def _ask(
    rng: random.Random,
    sentences: Node,
    question: dict[str, Any],
    language: Language,
    held: Sequence[int],
    count: int,
) -> None:
    """Let a question follow, its right reply, and verdicts on that and on wrong ones."""
    asked = sentences.then(prompts.asked(question[language], language) + _ASSISTANT)
    right = question["answer"] and question["answer"][language]
    wrong = [w["text"] for w in question["wrong"][language]]
    rng.shuffle(wrong)
    if held:
        answer = rng.choice(right) if rng.random() < _ANOTHER_ANSWER else right[0]
        reply = asked.then(prompts.reply(answer, held) + END, 1.0)
        reply.then(_CHECK).then(prompts.YES, 1.0)
        cited: Sequence[int] = held
    else:
        asked.then(prompts.NONE + END, 1.0)
        cited = (rng.randint(1, count),)
        wrong = [*(right or ())[:1], *wrong]  # right elsewhere; here nothing says so
    for text in wrong[: _WRONG if held else 1]:
        reply = asked.then(prompts.reply(text, cited) + END)
        reply.then(_CHECK).then(prompts.NO, 1.0)
