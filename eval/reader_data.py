"""SQuAD files → groups of passages that a reader learns from (``eval/train_reader.py``).

A group is a question with passages. Of a SQuAD question at most one of them answers it::

    answered   the answering passage, its neighbours and the nearest of other articles
    gutted     the same without the sentence that answers
    absent     neighbours and nearest alone
    renamed    the same as answered, the question after something else (``reader_questions.py``)
    grafted    the same as answered, another article's question asked of it

Of an abstention set's question it is only known whether any of its passages answers it. A written
question has its document in one language or both, so every pair of languages comes of it; with the
sentences that answer or, "gutted", without. Orders to the machine stand among them
(``training/orders.jsonl``), which answer nothing.

Some questions and passages are code-switched, so that the reader finds answers across languages;
some questions are really asked in the other language than their passage is in.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from eval import llm_data, reader_questions
from eval.codeswitch import CodeSwitcher
from eval.sets import find_span, read_abstention, read_squad
from rag import documents, passages
from rag.documents import Document
from rag.embedding import Embedder, PassageInput
from rag.errors import EvalError
from rag.language import Language, Span, bare, clean, split_sentences
from rag.passages import Passage
from rag.sentences import shown

_LANGUAGES: tuple[Language, ...] = ("ar", "en")

Kind = Literal["answered", "gutted", "absent", "renamed", "grafted"]

# Shares of the groups; one that can't be made of an example becomes an answered one.
SHARES: dict[Kind, float] = {
    "answered": 0.50, "gutted": 0.13, "absent": 0.07, "renamed": 0.16, "grafted": 0.14,
}  # fmt: skip
ARABIC = 0.45  # of the groups, by the passage that answers
WRITTEN = 0.6  # of the groups: from written questions, where there are some
WRITTEN_GUTTED = 0.2  # of them
ORDERED = 0.25  # of them: with an order to the machine among their sentences
FILES_HELD_OUT = 6  # every sixth file, by its number
JUDGED = 0.15  # of the groups: from an abstention set, where there is one
CROSSED = 0.2  # of the groups: asked in the other language, where there are such questions
SWITCHED = 0.25  # of the questions, and of the passages
NO_HEADING = 0.2  # of the groups
MAX_PASSAGES = 5  # in a group
MOST_BESIDE = 3  # of them from the answering passage's article
NEAREST = 8  # passages of other articles that are kept for each question, of each language
_SLOT = re.compile(r"\{(question|topic|wrong)\}")
_GRAFTS = 20  # other questions that are tried
# Kinds that change the question, and those that stand in for them where it is in another language
# than the passages: whether a changed word is one of theirs can't be told across languages.
_UNCHANGED: dict[Kind, Kind] = {"renamed": "gutted", "grafted": "absent"}


@dataclass(frozen=True)
class Example:
    """A question with the passage that answers it.

    :ivar sentence: Which of the passage's sentences holds the answer's beginning.
    :ivar answer: Within the passage's text.
    :ivar asked_in: The question's language.
    :ivar near: Passages that look right and aren't: first those of the same article.
    """

    question: str
    passage: PassageInput
    sentence: int
    answer: Span
    asked_in: Language
    near: tuple[PassageInput, ...] = ()

    @property
    def title(self) -> str:
        """The article's."""
        return self.passage.heading

    @property
    def language(self) -> Language:
        """Of the passage."""
        return self.passage.language

    @property
    def crossed(self) -> bool:
        """Whether the question is in the other language."""
        return self.asked_in != self.passage.language


@dataclass(frozen=True)
class Group:
    """A question and passages.

    :ivar answers: Of all the passages' sentences in their order, those of which some answers; empty
        where none does.
    :ivar answer: Within the first passage's text; None where it isn't known, or its words were
        switched.
    """

    question: str
    passages: tuple[PassageInput, ...]
    answers: tuple[int, ...]
    answer: Span | None


@dataclass(frozen=True)
class Judged:
    """A question with passages, and whether any of them answers it."""

    question: str
    language: Language
    passages: tuple[PassageInput, ...]
    answerable: bool


@dataclass(frozen=True)
class Version:
    """A document in one language, as it is read.

    :ivar answers: Passage and sentence, by number, of what answers a question; empty where nothing
        does.
    """

    passages: tuple[PassageInput, ...]
    answers: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Written:
    """A written question.

    :ivar asked: In each language that it is asked in.
    :ivar versions: Of its document; the question may be asked of any.
    :ivar alone: Whether nothing else in the document would answer, were it not for ``answers``.
    :ivar wrong: Wrong answers in each language; there may be none.
    :ivar near: By the language of the question, other documents' passages that look right and
        aren't.
    """

    title: str
    asked: Mapping[Language, str]
    versions: tuple[Version, ...]
    alone: bool = True
    wrong: Mapping[Language, Sequence[str]] = field(default_factory=dict)
    near: Mapping[Language, Sequence[PassageInput]] = field(default_factory=dict)


@dataclass(frozen=True)
class Order:
    """What somebody writes into a document for the machine that reads it; it answers nothing.

    :ivar text: With places for what is asked: ``{question}``, ``{topic}``, ``{wrong}``.
    """

    text: str
    language: Language

    def about(self, written: Written, rng: random.Random) -> str:
        """Return it, about a written question."""
        question = written.asked.get(self.language) or next(iter(written.asked.values()))
        said = {
            "question": question,
            "topic": rng.choice((written.title, question.rstrip("؟?"))),
            "wrong": rng.choice(written.wrong.get(self.language) or ("7",)),
        }
        return _SLOT.sub(lambda slot: said[slot[1]], self.text)


def read(path: Path, max_chars: int, questions: Path | None = None) -> list[Example]:
    """Cut a SQuAD file's paragraphs as an index would, and return what one passage answers.

    :param questions: A SQuAD file whose questions, by id, are asked instead: in the other language.
    :raises EvalError: When a file is not SQuAD v1.1.
    """
    squad = read_squad(path)
    asked, asked_in = {q.id: q.question for q in squad.questions}, squad.language
    if questions is not None:
        others = read_squad(questions)
        asked = {q.id: q.question for q in others.questions}
        asked_in = _other(squad.language)
    pieces: list[list[tuple[Passage, PassageInput]]] = []
    for paragraph in squad.paragraphs:
        document = Document("", "", squad.language, clean(paragraph.text), "")
        title = paragraph.title.replace("_", " ")
        pieces.append(
            [
                (p, passages.read_form(title, p.units, p.text, p.start))
                for p in passages.cut(document, max_chars)
            ]
        )
    examples = []
    for question in squad.questions:
        if question.id not in asked:
            continue
        gold, cut = question.answers[0], pieces[question.paragraph]
        place = find_span(clean(squad.paragraphs[question.paragraph].text), gold.text, gold.start)
        for piece, form in cut if place else ():
            found = _in_read_form(piece, form, Span(*place)) if place else None
            if found is not None:
                near = tuple(other for _, other in cut if other is not form)
                said = clean(asked[question.id]).strip()
                examples.append(Example(said, form, *found, asked_in, near))
    return examples


def read_judged(path: Path, max_chars: int) -> list[Judged]:
    """Cut an abstention set's passages as an index would.

    :raises EvalError: When the file is no abstention set.
    """
    found = []
    for item in read_abstention(path):
        shown = []
        for given in item.passages:
            document = Document("", "", item.language, clean(given.text), "")
            shown += [
                passages.read_form(given.title, piece.units, piece.text, piece.start)
                for piece in passages.cut(document, max_chars)
            ]
        question = clean(item.question).strip()
        found.append(Judged(question, item.language, tuple(shown), item.answerable))
    return found


def read_written(folder: Path, max_chars: int, *, held: bool = False) -> list[Written]:
    """Read the questions of written passages.

    :param held: Those that are held out, instead of those to train on.
    """
    found = []
    for passage in llm_data.read_passages(folder)[held]:
        for question in passage.questions:
            versions = []
            for language in _LANGUAGES:
                pieces = _pieces(passage.said[language], max_chars)
                places = [(p, n) for p, piece in enumerate(pieces) for n in range(len(piece))]
                read = tuple(joined(passage.title, piece, language) for piece in pieces)
                versions.append(Version(read, frozenset(places[n - 1] for n in question["uses"])))
            asked = {language: clean(question[language]).strip() for language in _LANGUAGES}
            wrong = {
                language: [each["text"] for each in question["wrong"][language]]
                for language in _LANGUAGES
            }
            found.append(Written(passage.title, asked, tuple(versions), wrong=wrong))
    return found


def read_files(folder: Path, max_chars: int, *, held: bool = False) -> list[Written]:
    """Read the questions about files of many layouts, cut and read as an index would.

    :param held: Those that are held out, instead of those to train on.
    """
    found, parsed = [], dict[str, Document]()
    rows = map(json.loads, (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines())
    for row in rows:
        if (int(row["id"].split("-")[1]) % FILES_HELD_OUT == 0) != held:
            continue
        doc: str = row["doc"]
        if doc not in parsed:
            parsed[doc] = documents.parse(doc, (folder / "corpus" / doc).read_bytes())
        cut = passages.cut(parsed[doc], max_chars)
        golds = [clean(gold) for gold in row["gold"]]
        places = [(start := parsed[doc].text.index(gold), start + len(gold)) for gold in golds]
        answers = frozenset(
            (p, n)
            for p, piece in enumerate(cut)
            for n, unit in enumerate(piece.units)
            if any(start < unit.end and unit.start < end for start, end in places)
        )
        if golds and not answers:
            raise EvalError(f"{row['id']}: nothing that answers is a unit")
        read = tuple(passages.of_document(parsed[doc], piece) for piece in cut)
        asked: dict[Language, str] = {row["language"]: clean(row["question"]).strip()}
        alone = row["type"] != "correction"
        found.append(Written(parsed[doc].title, asked, (Version(read, answers),), alone))
    return found


def read_plain(path: Path) -> list[Written]:
    """Read questions about single sentences, one a line."""
    found = []
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        only = Version((joined("", [row["sentence"]], row["language"]),), frozenset({(0, 0)}))
        found.append(Written("", row["question"], (only,)))
    return found


def beside_others(written: Sequence[Written], embedder: Embedder) -> list[Written]:
    """Add to each question the passages of other documents that the embedder takes for answers."""
    pool = [
        (each.title, passage)
        for each in {id(version): each for each in written for version in each.versions}.values()
        for version in each.versions
        for passage in version.passages
    ]
    pool = list({(title, passage.text): (title, passage) for title, passage in pool}.values())
    vectors = embedder.embed_texts([f"{p.heading}\n{p.text}" for _, p in pool])
    titles = np.array([title for title, _ in pool])
    languages = np.array([passage.language for _, passage in pool])
    questions = list({question: 0 for each in written for question in each.asked.values()})
    queries = dict(zip(questions, embedder.embed_queries(questions), strict=True))
    found = []
    for each in written:
        near: dict[Language, list[PassageInput]] = {}
        for language, question in each.asked.items():
            cosines = vectors @ queries[question]
            for said in _LANGUAGES:
                places = np.flatnonzero((titles != each.title) & (languages == said))
                best = places[np.argsort(-cosines[places])[:NEAREST]]
                near.setdefault(language, []).extend(pool[i][1] for i in best)
        found.append(replace(each, near=near))
    return found


def read_orders(path: Path) -> list[Order]:
    """Read orders, one a line."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Order(row["order"], row["language"]) for row in rows]


def _pieces(sentences: Sequence[str], max_chars: int) -> list[list[str]]:
    """Return sentences in runs of at most so many characters."""
    pieces: list[list[str]] = [[]]
    for sentence in sentences:
        if pieces[-1] and sum(map(len, pieces[-1])) + len(sentence) > max_chars:
            pieces.append([])
        pieces[-1].append(sentence)
    return pieces


def with_nearest(examples: Sequence[Example], embedder: Embedder) -> list[Example]:
    """Add to each example the passages of other articles that the embedder takes for answers.

    Left out are those that hold the answer's words: they may well answer.
    """
    texts = list({(e.language, e.passage.text): e.passage for e in examples}.values())
    vectors = embedder.embed_texts([f"{p.heading}\n{p.text}" for p in texts])
    languages = np.array([p.language for p in texts])
    asked = embedder.embed_queries([example.question for example in examples])
    found = []
    for example, query in zip(examples, asked, strict=True):
        cosines = vectors @ query
        answer = example.passage.text[example.answer.start : example.answer.end]
        near = list(example.near)
        for language in ("ar", "en"):
            of_language = np.flatnonzero(languages == language)
            best = of_language[np.argsort(-cosines[of_language])][: 2 * NEAREST]
            others = [texts[i] for i in best if texts[i].heading != example.title]
            near += [p for p in others if not reader_questions.names(answer, [p.text])][:NEAREST]
        found.append(replace(example, near=tuple(near)))
    return found


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
        if kind == "gutted" and few:
            first = gutted(example)
        elif kind == "absent" and few:
            first = []
        elif kind in ("renamed", "grafted"):
            about = "\n".join(f"{p.heading}\n{p.text}" for p in (example.passage, *few))
            question = self._changed(example, kind, about) or question
        answered = question == example.question and first == [example.passage]
        group = Group(
            question,
            (*first, *few),
            (example.sentence,) if answered else (),
            example.answer if answered else None,
        )
        return self._switched(group, example.asked_in)

    def _of_judged(self, judged: Judged) -> Group:
        """Return a group of an abstention set: with all its passages, should one answer."""
        shown = judged.passages
        if not judged.answerable:
            shown = tuple(self._rng.sample(shown, min(MAX_PASSAGES, len(shown))))
        sentences = sum(len(passage.sentences) for passage in shown)
        answers = tuple(range(sentences)) if judged.answerable else ()
        return self._switched(Group(judged.question, shown, answers, None), judged.language)

    def of_written(self, written: Written) -> Group:
        """Return a group of a written question: passages of its document, and of others."""
        asked_in = self._rng.choice(list(written.asked))
        version = self._rng.choice(written.versions)
        held = sorted({p for p, _ in version.answers})
        beside = [p for p in range(len(version.passages)) if p not in held]
        beside = self._rng.sample(beside, min(MOST_BESIDE, len(beside)))
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
        group = Group(written.asked[asked_in], tuple(shown), tuple(answers), None)
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
        question, answer = group.question, group.answer
        if self._rng.random() < SWITCHED:
            question = self._switch(question, language)
        headings = self._rng.random() >= NO_HEADING
        shown = []
        for number, passage in enumerate(group.passages):
            if not headings:
                passage = replace(passage, heading="")
            if self._rng.random() < SWITCHED:
                passage = self._switched_passage(passage)
                answer = None if number == 0 else answer
            shown.append(passage)
        return replace(group, question=question, passages=tuple(shown), answer=answer)

    def _switched_passage(self, passage: PassageInput) -> PassageInput:
        heading = passage.heading
        if self._rng.random() < 0.5:  # a document's title may be in another language than its text
            heading = self._switch(heading, passage.language)
        texts = [passage.text[start:end] for start, end in passage.sentences]
        return joined(heading, [self._switch(t, passage.language) for t in texts], passage.language)

    def _switch(self, text: str, language: Language) -> str:
        # Nothing is left of a text of words that the other language does without.
        return self._switcher.switch(text, language, self._rng.choice((1.0, 1.0, 0.6))) or text


def _other(language: Language) -> Language:
    return "en" if language == "ar" else "ar"


def gutted(example: Example) -> list[PassageInput]:
    """Return the example's passage without the sentence that answers; none if that was all."""
    passage = example.passage
    kept = [
        passage.text[a:z] for n, (a, z) in enumerate(passage.sentences) if n != example.sentence
    ]
    return [joined(passage.heading, kept, passage.language)] if kept else []


def without(passage: PassageInput, places: Sequence[int]) -> PassageInput:
    """Return a passage without some of its sentences."""
    for place in sorted(places, reverse=True):
        passage = _spliced(passage, place, place + 1, *passage.sentences[place], ())
    return passage


def with_sentences(passage: PassageInput, place: int, added: Sequence[str]) -> PassageInput:
    """Return a passage with more sentences before one of its own, or at its end."""
    ends = place == len(passage.sentences)
    at = len(passage.text) if ends else passage.sentences[place].start
    texts = [f" {text}" if ends else f"{text} " for text in added]
    return _spliced(passage, place, place, at, at, texts)


def _spliced(
    passage: PassageInput, first: int, last: int, start: int, end: int, texts: Sequence[str]
) -> PassageInput:
    """Return a passage with texts, each a sentence, in place of some sentences and characters."""
    spans, at = list[Span](), start
    for text in texts:
        left = len(text) - len(text.lstrip())
        spans.append(Span(at + left, at + len(text.rstrip())))
        at += len(text)
    shift = at - end
    after = [Span(a + shift, z + shift) for a, z in passage.sentences[last:]]
    whole = passage.text[:start] + "".join(texts) + passage.text[end:]
    sentences = (*passage.sentences[:first], *spans, *after)
    return PassageInput(passage.heading, whole, sentences, passage.language)


def joined(heading: str, sentences: Sequence[str], language: Language) -> PassageInput:
    """Return a passage of these sentences."""
    spans, start = [], 0
    for sentence in sentences:
        spans.append(Span(start, start + len(sentence)))
        start += len(sentence) + 1
    return PassageInput(heading, " ".join(sentences), tuple(spans), language)


def _in_read_form(passage: Passage, form: PassageInput, place: Span) -> tuple[int, Span] | None:
    """Return which unit a place of a document begins in, and where it is in what is read of it.

    None where it isn't read as it is written.
    """
    if place.end > passage.end:
        return None
    for n, (unit, span) in enumerate(zip(passage.units, form.sentences, strict=True)):
        if unit.start <= place.start < unit.end:
            before, answer = (
                bare(shown(passage.text[a - passage.start : z - passage.start]))
                for a, z in ((unit.start, place.start), (place.start, min(place.end, unit.end)))
            )
            start = form.text.find(answer, span.start + len(before), span.end)
            return (n, Span(start, start + len(answer))) if answer and start >= 0 else None
    return None
