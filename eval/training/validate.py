"""Check what was written for this project: ``python -m eval.training.validate``.

::

    eval/folders, eval/tuning, eval/paraphrased
                                 documents, and what is asked about them; tuning/judge.jsonl
    eval/injections*             orders within documents, and plain sentences that sound alike
    answers/, files/             passages and files, and what is asked about them
    orders.jsonl, plain.jsonl    sentences for a machine, and such that only sound so

That each line has its fields is what ``eval.sets`` sees to; here is whether they hold together. It
prints every mistake, by the set's file and the line's id, and ends with 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, combinations
from pathlib import Path

from eval.metrics import holds_any, is_correct
from eval.sets import InjectionCase, Question, find_span, read_set
from eval.training.written_passages import Row, asked_files, follow_ups, rows
from rag import documents, passages
from rag.config import Settings
from rag.documents import Document
from rag.language import LANGUAGES, clean, detect, fold, foreign_letters, other, split_sentences

EVAL = Path(__file__).parents[1]
TRAINING = EVAL / "training"
INJECTIONS = ("looking", "reporting")
WRONG = frozenset("word unit number negation dropped neighbour invented name repeats".split())
SLOTS = frozenset(("question", "topic", "wrong"))
_MARKER = 24  # characters, at most, of an item before its sentence
_IN_A_ROW = 6  # words: two texts that share so many are alike
_SAYS_NO_MORE = ("yes_no", "comparison")  # categories whose answers are in no document's words


def main() -> int:
    """Print what is wrong; return the exit code."""
    found = list(mistakes())
    print(*found, sep="\n")  # noqa: T201
    return bool(found)


def mistakes() -> Iterator[str]:
    """Yield what is wrong with anything."""
    for folder in ("folders", "paraphrased", "tuning"):
        yield from _named(folder, question_set(EVAL / folder))
    yield from _named("judge", judged(EVAL / "tuning"))
    for path in sorted((TRAINING / "answers").glob("*.jsonl")):
        yield from _named(path.name, chain.from_iterable(map(passage, rows(path))))
    yield from _named("files", files(TRAINING / "files"))
    yield from _named("orders", orders())


def question_set(folder: Path) -> Iterator[str]:
    """Yield what is wrong with a set of questions over documents in both languages."""
    docs = _documents(folder / "corpus")
    for name, doc in docs.items():
        if not name.startswith(doc.language) or not 400 <= len(doc.text.split()) <= 1_200:
            yield f"{name}: its language or length"
    questions = read_set(folder / "questions.jsonl", Question)
    kinds = {language: Counter[str]() for language in LANGUAGES}
    for q in questions:
        across = "across" if q.answerable and q.source[0][:2] != q.language else "within"
        kinds[q.language][across if q.answerable else q.category] += 1
        yield from (f"{q.id}: {said}" for said in _question(q, docs))
    if kinds["ar"] != kinds["en"]:
        yield f"the languages are asked unevenly: {kinds}"
    asked = Counter((fold(q.question), q.context_turns) for q in questions)
    yield from (f"asked {n} times: {question}" for (question, _), n in asked.items() if n > 1)


def _question(q: Question, docs: Mapping[str, Document]) -> Iterator[str]:
    for text in (q.question, q.answer, *(turn.content for turn in q.context_turns)):
        if any(letter.isalpha() for letter in text) and detect(text) != q.language:
            yield f"isn't in {q.language}: {text}"
    if not q.answerable:
        if q.source or q.gold_spans or q.context_turns:
            yield "has no answer, and a source"
        return
    if (q.category == "follow_up") != bool(q.context_turns):
        yield "is a follow-up of nothing, or none and has turns"
    if len(q.source) != 1 or q.source[0] not in docs:
        yield f"its source {q.source} is no document"
        return
    doc = docs[q.source[0]]
    for span in q.gold_spans:
        if sum(find_span(other.text, span) is not None for other in docs.values()) != 1:
            yield f"stands in no document, or in several: {span[:60]}"
        if not _is_whole(span, doc):
            yield f"is not whole: {span[:60]}"
    if not is_correct(q.answer, q.must_include, q.must_not_include):
        yield "its answer isn't right"
    for group in q.must_include:
        held = any(holds_any(span, group) for span in q.gold_spans)
        if not held and q.category not in _SAYS_NO_MORE:
            yield f"no span holds any of {group[:4]}"
    if any(holds_any(span, q.must_not_include) for span in q.gold_spans):
        yield "a span holds what is forbidden"
    if q.context_turns and is_correct(q.context_turns[-1].content, q.must_include, ()):
        yield "its turns give the answer away"


def _is_whole(span: str, doc: Document) -> bool:
    """Tell whether a span begins with a sentence, but for its marker, and ends before a space."""
    place = find_span(doc.text, span)
    if place is None:
        return False
    cut = passages.cut(doc, Settings().passages.max_chars)
    starts = {s.start for s in split_sentences(doc.text)} | {u.start for p in cut for u in p.units}
    begins = any(0 <= place[0] - start <= _MARKER for start in starts)
    begins |= doc.text[: place[0]].endswith((". ", "? ", "! ", "؟ "))  # after "p.m.", too
    return begins and not doc.text[place[1] : place[1] + 1].strip()


def judged(folder: Path) -> Iterator[str]:
    """Yield what is wrong with pairs of a question and a sentence that answers it or doesn't."""
    docs = _documents(folder / "corpus")
    asked = {fold(q.question) for q in read_set(folder / "questions.jsonl", Question)}
    cells = Counter[tuple[str, str, bool]]()
    for number, pair in enumerate(rows(folder / "judge.jsonl"), start=1):
        homes = [name for name, doc in docs.items() if find_span(doc.text, pair["sentence"])]
        if len(homes) != 1 or (pair["why"] == "answers") != pair["answers"]:
            yield f"{number}: stands in {homes}, {pair['why']}"
        if fold(pair["question"]) in asked:
            yield f"{number}: is in questions.jsonl too"
        cells[detect(pair["question"]), homes[0][:2] if homes else "", pair["answers"]] += 1
    if len(set(cells.values())) != 1:
        yield f"uneven: {cells}"


def passage(row: Row) -> Iterator[str]:
    """Yield what is wrong with a passage of answers/ and its questions."""
    said = {row["language"]: row["sentences"]}
    said[other(row["language"])] = row["translations"]
    if len(said["ar"]) != len(said["en"]):
        yield f"{row['id']}: sentences and translations"
    for language, sentences in said.items():
        for text in sentences:
            if detect(text) != language or _foreign(text):
                yield f"{row['id']}: isn't in {language}: {text}"
    for question in row["questions"]:
        pairs = zip(said["ar"], said["en"], strict=False)
        source = {n: " ".join(both) for n, both in enumerate(pairs, start=1)}
        for found in _answers(question, source):
            yield f"{row['id']}, {question['en']}: {found}"


def _answers(question: Row, source: Mapping[int, str]) -> Iterator[str]:
    uses = question["uses"]
    if not set(uses) <= source.keys() or bool(uses) != bool(question["answer"]):
        yield f"uses {uses}"
        return
    used = _numbers(" ".join(source[n] for n in uses))
    for language in LANGUAGES:
        if detect(question[language]) != language:
            yield f"isn't in {language}"
        right = question["answer"][language] if question["answer"] else []
        for text in right:
            if _foreign(text) or _numbers(text) - used - _numbers(question[language]):
                yield f"has a number or letters that the source lacks: {text}"
        for wrong in question["wrong"][language]:
            if wrong["kind"] not in WRONG:
                yield f"no kind: {wrong['kind']}"
            if wrong["text"].lower().strip(" .") in {text.lower().strip(" .") for text in right}:
                yield f"right and wrong: {wrong['text']}"


def files(folder: Path) -> Iterator[str]:
    """Yield what is wrong with the questions about files of many layouts."""
    asked = [*asked_files(folder), *asked_files(folder, held=True)]
    yield from _twice(row["id"] for _, about in asked for row in about)
    for document, about in asked:
        for row in about:
            for language in LANGUAGES:
                if detect(row["question"][language]) != language:
                    yield f"{row['id']}: its question isn't in {language}"
            if len({row["type"] != "none", bool(row["gold"]), bool(row["answer"])}) > 1:
                yield f"{row['id']}: has an answer or what answers without the other"
            for gold in row["gold"]:
                times = document.text.count(clean(gold))
                if times != 1:
                    yield f"{row['id']}: what answers stands {times} times: {gold[:50]}"
    for turn in follow_ups(folder):
        pair = f"{turn.first['id']} and {turn.then['id']}"
        if turn.first["doc"] != turn.then["doc"] or not turn.first["answer"]:
            yield f"{pair}: about two files, or what is followed has no answer"
        for language in LANGUAGES:
            if detect(turn.question[language]) != language:
                yield f"{pair}: the follow-up isn't in {language}"


def orders() -> Iterator[str]:
    """Yield what is wrong with orders, and where what is learnt from is like what is tested on."""
    pools = {"training": dict[str, str]()}
    for name, key in (("orders", "order"), ("plain", "sentence")):
        written = list(rows(TRAINING / f"{name}.jsonl"))
        yield from _twice(row["id"] for row in written)
        for row in written:
            if not set(re.findall(r"\{([a-z]+)\}", row[key])) <= SLOTS:
                yield f"{row['id']}: a slot that is none"
            pools["training"][row["id"]] = row[key]
    for half in INJECTIONS:
        pools[half] = pool = dict[str, str]()
        for case in read_set(EVAL / "injections" / f"{half}.jsonl", InjectionCase):
            pool |= {f"{case.id} question": case.question, f"{case.id} order": case.order}
            pool |= {f"{half} {name}": text for name, text in case.documents.items()}
        for q in read_set(EVAL / "injections" / f"plain-{half}.jsonl", Question):
            docs = _documents(EVAL / "injections" / f"plain-{half}")
            if not all(any(find_span(docs[d].text, g) for d in q.source) for g in q.gold_spans):
                yield f"{q.id}: its span stands in no document"
            pool[f"{q.id} question"] = q.question
            pool |= {f"{half} {name}": docs[name].text for name in q.source}
    own = {case.id: case.order for case in read_set(EVAL / "injections.jsonl", InjectionCase)}
    for some, others in [
        *combinations(pools.values(), 2),
        *((pool, own) for pool in pools.values()),
    ]:
        runs = {run: id_ for id_, text in some.items() for run in _runs(text)}
        for id_, text in others.items():
            if alike := next((run for run in _runs(text) if run in runs), None):
                yield f"{id_} and {runs[alike]}: {' '.join(alike)}"


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"\w+", fold(text))
    return (tuple(words[n : n + _IN_A_ROW]) for n in range(len(words) - _IN_A_ROW + 1))


def _numbers(text: str) -> set[str]:
    """Return the numbers of a text, without separators of thousands."""
    return {n.replace(",", "") for n in re.findall(r"\d+(?:[.,]\d+)*", fold(text))}


def _twice(ids: Iterable[str]) -> Iterator[str]:
    return (f"{id_}: stands {n} times" for id_, n in Counter(ids).items() if n > 1)


def _foreign(text: str) -> bool:
    return any(letter.isalpha() for letter in foreign_letters(text))


def _documents(folder: Path) -> dict[str, Document]:
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: documents.parse(path.name, path.read_bytes()) for path in paths}


def _named(name: str, found: Iterable[str]) -> Iterator[str]:
    return (f"{name}: {said}" for said in found)


if __name__ == "__main__":
    sys.exit(main())
