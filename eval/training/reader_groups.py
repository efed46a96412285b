"""Groups of passages that a reader learns from (``train_reader.py``).

A group is a question with passages. Of a SQuAD question at most one of them answers it::

    answered   the answering passage, its neighbours and the nearest of other articles
    gutted     the same without the sentence that answers
    absent     neighbours and nearest alone
    renamed    the same as answered, the question after something else (``reader_questions.py``)
    grafted    the same as answered, another article's question asked of it

Of an abstention set's question it is only known whether any of its passages answers it. A written
question has its document in one language or both, so every pair of languages comes of it; with the
sentences that answer or, "gutted", without. Orders to the machine stand among them, which answer
nothing.

Some questions and passages are code-switched, so that the reader finds answers across languages;
some questions are really asked in the other language than their passage is in.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eval.training import reader_questions
from eval.training.codeswitch import CodeSwitcher
from eval.training.reader_passages import joined, with_sentences, without
from eval.training.reader_sets import Example, Judged
from eval.training.reader_written import Order, Written
from rag.embedding import PassageInput
from rag.language import Language, split_sentences

Kind = Literal["answered", "gutted", "absent", "renamed", "grafted"]

# Shares of the groups; one that can't be made of an example becomes an answered one.
SHARES: dict[Kind, float] = {
    "answered": 0.50, "gutted": 0.13, "absent": 0.07, "renamed": 0.16, "grafted": 0.14,
}  # fmt: skip
ARABIC = 0.45  # of the groups, by the passage that answers
WRITTEN = 0.6  # of the groups: from written questions, where there are some
WRITTEN_GUTTED = 0.2  # of them
ORDERED = 0.25  # of them: with an order to the machine among their sentences
JUDGED = 0.15  # of the groups: from an abstention set, where there is one
CROSSED = 0.2  # of the groups: asked in the other language, where there are such questions
SWITCHED = 0.25  # of the questions, and of the passages
NO_HEADING = 0.2  # of the groups
MAX_PASSAGES = 5  # in a group
MOST_BESIDE = 3  # of them from the answering passage's article
_GRAFTS = 20  # other questions that are tried
# Kinds that change the question, and those that stand in for them where it is in another language
# than the passages: whether a changed word is one of theirs can't be told across languages.
_UNCHANGED: dict[Kind, Kind] = {"renamed": "gutted", "grafted": "absent"}


@dataclass(frozen=True)
class Group:
    """A question and passages.

    :ivar answers: Of all the passages' sentences in their order, those of which some answers; empty
        where none does.
    """

    question: str
    passages: tuple[PassageInput, ...]
    answers: tuple[int, ...]


class Groups:
    """Makes groups, with a random generator's choices."""

    def __init__(
        self,
        examples: Sequence[Example],
        switcher: CodeSwitcher,
        rng: random.Random,
        judged: Sequence[Judged] = (),
        written: Sequence[Written] = (),
        ordering: Sequence[Order] = (),
    ) -> None:
        """Sort the examples by language; there have to be some of both.

        :param ordering: Put among the sentences of written questions' documents.
        """
        self._rng = rng
        self._judged = judged
        self._written = written
        self._ordering = ordering
        self._switcher = switcher
        self._examples: defaultdict[Language, list[Example]] = defaultdict(list)
        self._crossed: defaultdict[Language, list[Example]] = defaultdict(list)
        for example in examples:
            (self._crossed if example.crossed else self._examples)[example.language].append(example)
        titles = [(e.title, e.language) for e in examples]
        self._titles = {
            language: reader_questions.same_kind(titles, language) for language in self._examples
        }

    def draw(self) -> Group:
        """Return the group of a random question."""
        if self._written and self._rng.random() < WRITTEN:
            return self.of_written(self._rng.choice(self._written))
        if self._judged and self._rng.random() < JUDGED:
            return self._of_judged(self._rng.choice(self._judged))
        kind = self._rng.choices(list(SHARES), list(SHARES.values()))[0]
        language: Language = "ar" if self._rng.random() < ARABIC else "en"
        crossed = self._rng.random() < CROSSED and self._crossed[language]
        return self.make(self._rng.choice(crossed or self._examples[language]), kind)

    def make(self, example: Example, kind: Kind) -> Group:
        """Return a group of this kind, or an answered one when it can't be made."""
        if example.crossed:
            kind = _UNCHANGED.get(kind, kind)
        few = self._others(example)
        first, question = [example.passage], example.question
        if kind in ("gutted", "absent") and few:
            rest = without(example.passage, [example.sentence])
            first = [rest] if kind == "gutted" and rest.sentences else []
        elif kind in ("renamed", "grafted"):
            about = "\n".join(f"{p.heading}\n{p.text}" for p in (example.passage, *few))
            question = self._changed(example, kind, about) or question
        answered = question == example.question and first == [example.passage]
        group = Group(question, (*first, *few), (example.sentence,) if answered else ())
        return self._switched(group, example.asked_in)

    def _of_judged(self, judged: Judged) -> Group:
        """Return a group of an abstention set: with all its passages, should one answer."""
        shown = judged.passages
        if not judged.answerable:
            shown = tuple(self._rng.sample(shown, min(MAX_PASSAGES, len(shown))))
        sentences = sum(len(passage.sentences) for passage in shown)
        answers = tuple(range(sentences)) if judged.answerable else ()
        return self._switched(Group(judged.question, shown, answers), judged.language)

    def of_written(self, written: Written) -> Group:
        """Return a group of a written question: passages of its document, and of others."""
        asked_in = self._rng.choice(list(written.asked))
        version = self._rng.choice(written.versions)
        held = sorted({p for p, _ in version.answers})
        beside = [p for p in range(len(version.passages)) if p not in held]
        beside = self._rng.sample(beside, min(MOST_BESIDE, len(beside)))
        if not held:  # what comes near is what has to be refused
            asked = reader_questions.stems(" ".join(written.asked.values()))
            shared = [
                len(asked & reader_questions.stems(passage.text)) for passage in version.passages
            ]
            held = [shared.index(max(shared))]
            beside = [p for p in beside if p not in held]
        guts = written.alone and self._rng.random() < WRITTEN_GUTTED
        shown, answers, at = list[PassageInput](), list[int](), 0
        for p in [*held, *beside][:MAX_PASSAGES]:
            passage, places = version.passages[p], [n for q, n in version.answers if q == p]
            if guts:
                passage, places = without(passage, places), []
            if self._ordering and self._rng.random() < ORDERED:
                place = self._rng.randint(0, len(passage.sentences))
                order = self._rng.choice(self._ordering).about(written, self._rng)
                added = [order[a:z] for a, z in split_sentences(order)]
                passage = with_sentences(passage, place, added)
                places = [n + len(added) if n >= place else n for n in places]
            if passage.sentences:
                shown.append(passage)
                answers += [at + n for n in places]
                at += len(passage.sentences)
        own = version.passages[0].language
        near = [
            p
            for p in written.near.get(asked_in, ())
            if p.language == own or self._rng.random() < 0.3
        ]
        shown += self._rng.sample(near, min(max(0, MAX_PASSAGES - len(shown)), len(near)))
        group = Group(written.asked[asked_in], tuple(shown), tuple(answers))
        return self._switched(group, asked_in)

    def _others(self, example: Example) -> list[PassageInput]:
        beside = [p for p in example.near if p.heading == example.title]
        beside = self._rng.sample(beside, min(MOST_BESIDE, len(beside)))
        away = [p for p in example.near if p.heading != example.title]
        return beside + self._rng.sample(away, min(MAX_PASSAGES - 1 - len(beside), len(away)))

    def _changed(self, example: Example, kind: Kind, about: str) -> str | None:
        if kind == "renamed":
            others = self._titles[example.language]
            alike = [p.heading for p in example.near if p.language == example.language]
            if alike and self._rng.random() < 0.5:
                others = alike
            return reader_questions.renamed(
                example.question, example.title, about, others, self._rng
            )
        for _ in range(_GRAFTS):
            other = self._rng.choice(self._examples[example.language])
            changed = reader_questions.grafted(other.question, other.title, example.title, about)
            if other.title != example.title and changed:
                return changed
        return None

    def _switched(self, group: Group, language: Language) -> Group:
        """Put some of a group into the other language, and take its headings off, by chance."""
        question = group.question
        if self._rng.random() < SWITCHED:
            question = self._switch(question, language)
        headings = self._rng.random() >= NO_HEADING
        shown = []
        for passage in group.passages:
            if not headings:
                passage = replace(passage, heading="")
            if self._rng.random() < SWITCHED:
                passage = self._switched_passage(passage)
            shown.append(passage)
        return replace(group, question=question, passages=tuple(shown))

    def _switched_passage(self, passage: PassageInput) -> PassageInput:
        heading = passage.heading
        if self._rng.random() < 0.5:  # a document's title may be in another language than its text
            heading = self._switch(heading, passage.language)
        texts = [passage.text[start:end] for start, end in passage.sentences]
        return joined(heading, [self._switch(t, passage.language) for t in texts], passage.language)

    def _switch(self, text: str, language: Language) -> str:
        # Nothing is left of a text of words that the other language does without.
        return self._switcher.switch(text, language) or text
