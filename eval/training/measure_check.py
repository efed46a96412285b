"""Measure what keeps inventions from readers: ``python -m eval.training.measure_check --help``.

Answers about the passages of ``answers/`` that no training saw, right ones and wrong ones of every
kind, are checked as if the LLM had written them from sentences of the other language; printed is
how many of each kind would be shown, and that by threshold (``answer.min_right``). How sure the LLM
was as it wrote can't be told of what it didn't write, and counts as usual.

With ``--parallel`` sentences are translated as a reader asks for it: chrF of all that the LLM says,
and how much of it is shown. A second an answer on two cores, five a translation.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from llama_index.core.llms import LLM
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sacrebleu.metrics.chrf import CHRF

from eval.training import llm_trees
from eval.training.written_passages import Passage, read_passages, rows
from rag import config, engine, grounding, llm, prompts
from rag.config import Settings
from rag.drafting import Drafter
from rag.errors import EvalError
from rag.language import LANGUAGES, Language, other
from rag.retrieval import Found
from rag.translating import Translator

WRITTEN = Path(__file__).with_name("answers")
RIGHT = "right"
_READ = 4  # sentences
_THRESHOLDS = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
_console = Console(highlight=False)


@dataclass(frozen=True)
class Case:
    """A short answer, as the LLM might have written it across languages.

    :ivar kind: ``RIGHT``, or what is wrong with it.
    :ivar used: The numbers, from 1, of the sentences that it is said to be made of.
    :ivar quote: Runs of their words.
    """

    kind: str
    question: str
    language: Language
    sentences: tuple[str, ...]
    used: tuple[int, ...]
    answer: str
    quote: tuple[str, ...]


def main(
    written: Annotated[Path, typer.Argument(help="A folder as answers/ is.")] = WRITTEN,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions each way.")] = None,
    parallel: Annotated[
        Path | None, typer.Option(help="Sentences in both languages, .jsonl: translate these.")
    ] = None,
) -> None:
    """Measure with the LLM of config.yaml."""
    settings = config.load()
    model = engine.load_llm(settings)
    if model is None:
        raise EvalError("llm.backend is none: nothing crosses the language border")
    if parallel is not None:
        pairs = list(rows(parallel))[:limit]
        for language in LANGUAGES:
            show_translations(Translator(model, settings), pairs, language)
        return
    passages = read_passages(written)[1]
    for language in LANGUAGES:
        found = list(cases(passages, language))
        asked = list(dict.fromkeys(case.question for case in found))[:limit]
        some = [case for case in found if case.question in set(asked)]
        odds = [odds_of(case, model, settings) for case in track(some, f"Checking, {language}")]
        show(some, odds, language, settings.answer.min_right)


def cases(passages: Sequence[Passage], language: Language) -> Iterator[Case]:
    """Yield what may be answered in a language from sentences of the other."""
    own = other(language)
    for passage in passages:
        for question in passage.questions:
            used = [n - 1 for n in question["uses"]]
            texts = passage.said[own]
            runs = used and llm_trees.runs([texts[n] for n in used], question["answer"], own)
            if not runs:
                continue
            kept = sorted([*used, *[n for n in range(len(texts)) if n not in used][: _READ - 1]])
            numbers = tuple(kept.index(n) + 1 for n in used)
            read = tuple(texts[n] for n in kept)
            told: list[dict[str, Any]] = [
                {"kind": RIGHT, "text": question["answer"][language][0]},
                *question["wrong"][language],
            ]
            for each in told:
                of_right = each["kind"] == RIGHT or each["kind"] in llm_trees.OF_RIGHT_WORDS
                rng = random.Random(f"{passage.id} {each['text']}")  # noqa: S311
                quote = runs if of_right else llm_trees.strange(rng, texts[used[0]])
                asked = question[language]
                yield Case(each["kind"], asked, language, read, numbers, each["text"], quote)


def odds_of(case: Case, model: LLM, settings: Settings) -> float:
    """Return the log-odds that an answer is right; -inf for what is refused without the LLM.

    :raises EvalError: When the LLM doesn't tell its probabilities.
    """
    own = other(case.language)
    read = [Found("", 0, len(text), text, 0.0, own) for text in case.sentences]
    used = [grounding.with_words(read[n - 1], case.quote) for n in case.used]
    quote = prompts.GAP.join(found.words for found in used if found.words)
    said = prompts.Parsed(case.answer, case.quote, case.used)
    drafter = Drafter(model, settings)
    if not drafter.checked(said, case.question, case.language, used, quote):
        return -math.inf
    messages = prompts.short(case.question, case.sentences, case.language)
    asking = prompts.checking(messages, prompts.reply(case.answer, case.used, case.quote))
    timeout_s = settings.llm.timeout_s
    right, _ = llm.log_odds(model, asking, prompts.YES, prompts.NO, timeout_s)
    if right is None:
        raise EvalError("the LLM doesn't tell its probabilities")
    return grounding.rightness(right, None)


def show(cases: Sequence[Case], odds: Sequence[float], language: Language, least: float) -> None:
    """Print how many would be shown, by kind and by threshold."""
    told, kinds = np.array(odds), np.array([case.kind for case in cases])
    table = Table(f"{language}←{other(language)}, by kind", "answers", "passed the rules", "shown")
    for kind in dict.fromkeys(case.kind for case in cases):
        own = told[kinds == kind]
        passed, shown = np.mean(own > -math.inf), np.mean(own >= least)
        table.add_row(kind, str(len(own)), f"{passed:.3f}", f"{shown:.3f}")
    _console.print(table)
    right, wrong = told[kinds == RIGHT], told[kinds != RIGHT]
    table = Table("shown from", "right ones hidden", "wrong ones shown")
    for each in sorted({*_THRESHOLDS, least}):
        hidden, shown = np.mean(right < each), np.mean(wrong >= each)
        name = f"{each} (in use)" if each == least else str(each)
        table.add_row(name, f"{hidden:.3f}", f"{shown:.3f}")
    _console.print(table)


def show_translations(
    translator: Translator, pairs: Sequence[dict[str, str]], language: Language
) -> None:
    """Print the chrF of what is said of sentences, all and shown, and the share that is shown."""
    own = other(language)
    said, shown = list[str](), list[bool]()
    for pair in track(pairs, f"Translating, {language}"):
        text = pair[own]
        translated, holds = translator.said(Found("", 0, len(text), text, 0.0, own))
        said.append(translated)
        shown.append(holds)
    table = Table(f"{language}←{own}", "sentences", "chrF")
    right = [pair[language] for pair in pairs]
    for name, chosen in (("said", [True] * len(said)), ("shown", shown)):
        some = [n for n, is_one in enumerate(chosen) if is_one]
        found = [said[n] for n in some], [[right[n] for n in some]]
        score = f"{CHRF().corpus_score(*found).score:.1f}" if some else ""
        table.add_row(name, str(len(some)), score)
    _console.print(table)


if __name__ == "__main__":
    typer.run(main)
