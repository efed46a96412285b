"""Runs over a world in which everything goes right, then with one part broken at a time."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval import baseline, run, run_qa, run_squad, score
from eval.cli import eval_app
from eval.files import Line
from eval.identity import Identity
from eval.run_given import run_given
from eval.run_squad import make_task
from eval.score import Scored
from rag.config import Settings
from rag.engine import Answer, Engine, Evidence, Timings, Token, Turn
from rag.errors import DeadlineError, EvalError, GenerationError
from rag.grounding import Citation
from rag.retrieval import Found, Retriever
from tests.conftest import ROOT, WordEmbedder, in_child
from tests.eval.conftest import DOCS, QUESTIONS, SENTENCES, Reader, WriteLines

ABSTAINED = ["en-horse", "en-wolf", "ar-horse"]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def mean(summary: Line, measure: str, group: str = "all") -> float:
    value: float = summary["metrics"][group][measure]["mean"]
    return value


# ------------------------------------------------------------------------------ the intact pipeline


def test_qa_where_everything_goes_right(questions, system, tmp_path):
    summary = run_qa.run_qa(questions, tmp_path / "out", system)
    for measure in (
        "right correct balanced_accuracy evidence_hit citation_precision"
        " citation_recall right_and_cited verbatim_share language_match"
    ).split():
        assert mean(summary, measure) == 1, measure
    assert mean(summary, "error_rate") == mean(summary, "hallucination_rate") == 0
    assert {g: summary["metrics"][g]["right"]["n"] for g in ("all", "ar", "en")} == {
        "all": 9,
        "ar": 3,
        "en": 6,
    }
    assert summary["by_category"]["fact"]["correct"]["n"] == 5
    assert summary["risk_coverage"]["all"]["own"] == {"coverage": 6 / 9, "risk": 0.0}
    assert summary["costs"]["all"]["tokens_mean"] == {"prompt_tokens": 30, "completion_tokens": 5}
    assert set(summary["costs"]["ar"]["seconds"]) == {"retrieve_s", "first_token_s", "total_s"}
    assert json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8")) == summary


def test_qa_writes_what_ask_prints(questions, system, tmp_path):
    run_qa.run_qa(questions, tmp_path / "out", system)
    answers = lines(tmp_path / "out" / "answers.jsonl")
    assert [a["id"] for a in answers] == [q["id"] for q in QUESTIONS]
    assert [a["id"] for a in answers if a["abstained"]] == ABSTAINED
    first = answers[0]
    asked = ["answer", "abstained", "citations", "evidence", "timings"]
    more = ["how", "failure", "confidence", "short_answer"]
    assert list(first) == ["id", *asked, *more]
    assert first["answer"] == f"{SENTENCES['cat']} [1]"
    place = {"doc": "en/pets.txt", "start": 0, "end": len(SENTENCES["cat"])}
    shown = {"quote": SENTENCES["cat"], "marks": [], "page": None}
    title = "The cat weighs 4 kilos. The dog weighs 20 kilos."
    shown |= {"title": title, "author": "", "date": ""}
    assert first["citations"] == [{"marker": 1, **place, **shown}]
    assert {k: first["evidence"][0][k] for k in place} == place
    about = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert about["identity"]["kind"] == "qa, rawi"
    assert about["environment"]["versions"]["llama-index-core"]


def test_the_same_run_gives_the_same_scores(questions, system, tmp_path):
    for name in ("a", "b"):
        run_qa.run_qa(questions, tmp_path / name, system)
    a, b = ((tmp_path / name / "scores.jsonl").read_bytes() for name in ("a", "b"))
    assert a == b


def test_questions_about_one_sentence_are_one_cluster(questions, system, tmp_path):
    run_qa.run_qa(questions, tmp_path / "out", system)
    clusters = {s["id"]: s["cluster"] for s in lines(tmp_path / "out" / "scores.jsonl")}
    assert clusters["en-dog"] == f"en/pets.txt:{DOCS['en/pets.txt'].index('The dog')}"
    assert clusters["en-horse"] == "en-horse"


def test_context_turns_are_the_history(write_lines, system, tmp_path):
    turns = [{"role": "user", "content": "How heavy is the dog?"}]
    line = {**QUESTIONS[1], "question": "And how heavy?", "context_turns": turns}
    summary = run_qa.run_qa(write_lines([line]), tmp_path / "out", system)
    assert mean(summary, "evidence_hit") == 1


def test_without_an_llm_the_quotes_are_judged(questions, small, retriever, tmp_path):
    system = run_qa.rawi(small, retriever, None)
    summary = run_qa.run_qa(questions, tmp_path / "out", system)
    assert summary["system"] == "rawi, quotes alone"
    assert mean(summary, "evidence_hit") == mean(summary, "balanced_accuracy") == 1
    assert mean(summary, "correct") == mean(summary, "citation_recall") == 1
    assert summary["costs"]["all"]["tokens_mean"]["completion_tokens"] == 0


def test_gold_that_the_documents_do_not_hold_stops_the_run(write_lines, system, tmp_path):
    path = write_lines([{**QUESTIONS[0], "gold_spans": ["The cat weighs 5 kilos."]}])
    with pytest.raises(EvalError, match=r"'en-cat': no indexed document holds .*--corpus"):
        run_qa.run_qa(path, tmp_path / "out", system)


def squad_files(tmp_path: Path, squad: dict[str, Any]) -> tuple[Path, Path]:
    """The file, and one with the same ids in Arabic."""
    arabic = json.loads(json.dumps(squad))
    words = {"cat": "قط", "dog": "كلب", "fish": "سمك", "bird": "طير"}
    for article in arabic["data"]:
        for paragraph in article["paragraphs"]:
            for old, new in words.items():
                if old in paragraph["context"]:
                    paragraph["context"] = f"هذا نص طويل عن {new} في البيت."
                    for qa in paragraph["qas"]:
                        qa["question"] = f"ماذا عن {new}؟"
                        qa["answers"] = [{"text": new, "answer_start": 0}]
    english, other = tmp_path / "en.json", tmp_path / "ar.json"
    english.write_text(json.dumps(squad), encoding="utf-8")
    other.write_text(json.dumps(arabic), encoding="utf-8")
    return english, other


def run_pool(
    passages: Path,
    questions: Path | None,
    kind: run_squad.Pool,
    out: Path,
    small: Settings,
    llm: Any = None,
    **kw: Any,
) -> Line:
    task = make_task(passages, questions, kind)
    return run_squad.run_squad(task, out, small, WordEmbedder(), llm, **kw)


def test_squad_ranks_paragraphs_and_answers(tmp_path, squad, small):
    out, english = tmp_path / "out", squad_files(tmp_path, squad)[0]
    summary = run_pool(english, None, "same", out, small, Reader())
    assert mean(summary, "recall@1") == mean(summary, "ndcg@10") == 1
    assert mean(summary, "recall@1", "en→en") == 1
    assert mean(summary, "evidence_hit") == 1
    # "The cat weighs 4 kilos." holds the two words "4 kilos" and two more: 2·2 / (4 + 2).
    by_id = {s["id"]: s["values"] for s in lines(out / "scores.jsonl")}
    assert by_id["cat-0"]["f1"] == pytest.approx(2 * 2 / (4 + 2))
    assert by_id["cat-0"]["exact_match"] == 0
    ranked = lines(out / "run.jsonl")
    assert [line["ranked"][0] for line in ranked] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sorted(ranked[0]["ranked"]) == [0, 1, 2, 3]
    assert len(lines(out / "answers.jsonl")) == 8


def test_squad_without_the_llm_writes_no_answers_and_takes_them_up_later(tmp_path, squad, small):
    out, english = tmp_path / "out", squad_files(tmp_path, squad)[0]
    summary = run_pool(english, None, "same", out, small, limit=3)
    assert summary["set"].items() >= {"questions": 3, "of": 8}.items()
    assert not (out / "answers.jsonl").exists()
    assert "f1" not in summary["metrics"]["all"]
    assert "f1" in run_pool(english, None, "same", out, small, Reader())["metrics"]["all"]


def test_a_mixed_pool_has_the_odd_paragraphs_in_the_other_language(tmp_path, squad):
    english, arabic = squad_files(tmp_path, squad)
    task = make_task(english, arabic, "mixed")
    assert [text.isascii() for text in task.texts] == [True, False, True, False]
    assert task.question_language == "ar"
    assert [a.paragraph_language for a in task.asked[::2]] == ["en", "ar", "en", "ar"]
    assert [a.question.answers[0].text for a in task.asked[::2]] == ["قط", "كلب", "سمك", "طير"]
    assert [a.spans[0].text for a in task.asked[::2]] == ["4 kilos", "كلب", "in water", "طير"]
    across = make_task(english, arabic, "same")
    assert all(text.isascii() for text in across.texts)


def test_a_mixed_pool_splits_by_language_pair(tmp_path, squad, small):
    english, arabic = squad_files(tmp_path, squad)
    summary = run_pool(arabic, english, "mixed", tmp_path / "out", small)
    assert summary["metrics"]["en→en"]["recall@1"]["n"] == 4
    assert mean(summary, "recall@1", "en→en") == 1
    assert mean(summary, "recall@1", "en→ar") < 1  # words have no translation here


def test_files_that_do_not_belong_together_are_refused(tmp_path, squad):
    english, arabic = squad_files(tmp_path, squad)
    with pytest.raises(EvalError, match="needs the other language"):
        make_task(english, None, "mixed")
    with pytest.raises(EvalError, match="are both in 'en'"):
        make_task(english, english, "mixed")
    other = json.loads(arabic.read_text(encoding="utf-8"))
    other["data"].reverse()
    arabic.write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(EvalError, match="differ from paragraph 0 on"):
        make_task(english, arabic, "mixed")
    other["data"][0]["paragraphs"][0]["qas"][0]["id"] = "new"
    arabic.write_text(json.dumps(other), encoding="utf-8")
    with pytest.raises(EvalError, match="'new' is not in"):
        make_task(english, arabic, "same")


def abstention(write_lines: WriteLines) -> Path:
    given = [{"id": doc, "title": "", "text": text} for doc, text in DOCS.items()]
    empty = [{"id": "x", "title": "", "text": "Nothing about any animal is written here."}]
    keys = ("id", "question", "question_language", "answerable")
    answered = [{**{k: q[k] for k in keys}, "passages": given} for q in QUESTIONS]
    # What stands among another question's passages is not this one's.
    elsewhere = {**answered[0], "id": "elsewhere", "answerable": False, "passages": empty}
    return write_lines([*answered, elsewhere])


@pytest.mark.parametrize("llm", [None, Reader()])
def test_abstain_decides_on_the_given_passages_alone(write_lines, tmp_path, small, llm):
    path, out = abstention(write_lines), tmp_path / "out"
    summary = run_given("abstain", path, out, small, WordEmbedder(), llm)
    assert mean(summary, "balanced_accuracy") == 1
    assert mean(summary, "balanced_accuracy", "ar") == 1
    answers = lines(out / "answers.jsonl")
    assert [a["id"] for a in answers if a["abstained"]] == [*ABSTAINED, "elsewhere"]


# ------------------------------------------------------------------------------- broken on purpose


class Broken:
    """The intact pipeline, with every answer changed."""

    def __init__(self, intact: run.Pipeline, change: Callable[[Answer], Answer]) -> None:
        self._intact = intact
        self._change = change

    def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> Iterator[Evidence | Token | Answer]:
        for event in self._intact.answer(question, history):
            yield self._change(event) if isinstance(event, Answer) else event


def always_refuse(answer: Answer) -> Answer:
    return dataclasses.replace(answer, answer="No.", abstained=True, citations=())


def always_answer(answer: Answer) -> Answer:
    return dataclasses.replace(answer, answer=answer.answer, abstained=False)


def cite_the_neighbour(answer: Answer) -> Answer:
    """Cite the document's other sentence, as verbatim as the right one."""
    return dataclasses.replace(answer, citations=tuple(map(neighbour, answer.citations)))


def neighbour(citation: Citation) -> Citation:
    text = DOCS[citation.doc]
    quote = next(s for s in SENTENCES.values() if s in text and s != citation.quote)
    start = text.index(quote)
    return Citation(citation.marker, citation.doc, start, start + len(quote), quote)


def misquote(answer: Answer) -> Answer:
    changed = (dataclasses.replace(c, quote=c.quote + "!") for c in answer.citations)
    return dataclasses.replace(answer, citations=tuple(changed))


def other_language(answer: Answer) -> Answer:
    return dataclasses.replace(answer, answer="نعم" if answer.language == "en" else "Yes.")


@pytest.mark.parametrize(
    ("change", "falls", "stays"),
    [
        (always_refuse, {"error_rate": 1, "correct": 0, "balanced_accuracy": 0.5}, "evidence_hit"),
        (always_answer, {"hallucination_rate": 1, "balanced_accuracy": 0.5}, "correct"),
        (
            cite_the_neighbour,
            {"citation_precision": 0, "citation_recall": 0, "right_and_cited": 0},
            "verbatim_share",
        ),
        (misquote, {"verbatim_share": 0}, "citation_precision"),
        (other_language, {"language_match": 0, "correct": 0}, "citation_precision"),
    ],
)
def test_what_is_broken_is_seen_and_nothing_else(questions, system, tmp_path, change, falls, stays):
    broken = dataclasses.replace(system, pipeline=Broken(system.pipeline, change))
    summary = run_qa.run_qa(questions, tmp_path / "out", broken)
    assert {measure: mean(summary, measure) for measure in falls} == falls
    assert mean(summary, stays) == 1


class RandomRetriever(Retriever):
    """Finds anything, with the confidence of the right thing."""

    def passages(self, question: str, k: int | None = None) -> list[Found]:
        return self._shuffled(question, super().passages(question, k))

    def evidence(self, question: str, context: str = "", *, read_as: str = "") -> list[Found]:
        everything = [
            Found(doc, text.index(s), text.index(s) + len(s), s, 1.0, "en")
            for doc, text in DOCS.items()
            for s in SENTENCES.values()
            if s in text
        ]
        return self._shuffled(question, everything)[:1]

    def _shuffled(self, question: str, found: list[Found]) -> list[Found]:
        return random.Random(question).sample(found, len(found))


def test_random_retrieval_is_seen_by_qa(questions, small, system, retriever, tmp_path):
    lost = RandomRetriever(retriever.storage, retriever.embedder, small.retrieval)
    broken = dataclasses.replace(system, pipeline=Engine(small, lost, Reader()))
    summary = run_qa.run_qa(questions, tmp_path / "out", broken)
    assert mean(summary, "evidence_hit") <= 0.5
    assert mean(summary, "correct") <= 0.5
    assert mean(summary, "citation_recall") <= 0.5
    assert mean(summary, "verbatim_share") == 1


def test_random_retrieval_is_seen_by_squad(tmp_path, squad, small, monkeypatch):
    english = squad_files(tmp_path, squad)[0]
    monkeypatch.setattr("rag.engine.Retriever", RandomRetriever)
    summary = run_pool(english, None, "same", tmp_path / "out", small)
    assert mean(summary, "recall@1") <= 0.5
    assert mean(summary, "ndcg@10") < 0.9
    assert mean(summary, "evidence_hit") <= 0.5


@pytest.mark.parametrize(
    ("decision", "rate"), [(True, "hallucination_rate"), (False, "error_rate")]
)
def test_a_constant_decision_is_seen_by_abstain(
    write_lines, tmp_path, small, monkeypatch, decision, rate
):
    monkeypatch.setattr("rag.grounding.is_enough", lambda *_, **__: decision)
    path, out = abstention(write_lines), tmp_path / "out"
    summary = run_given("abstain", path, out, small, WordEmbedder(), None)
    assert mean(summary, rate) == 1
    assert mean(summary, "balanced_accuracy") == 0.5


# ------------------------------------------------------------------------------- kills and changes


class Scripted:
    """Answers anything at once, and does something at the n-th question."""

    def __init__(self, at: int = 0, do: Callable[[], None] = lambda: None) -> None:
        self.asked: list[str] = []
        self._at = at
        self._do = do

    def answer(
        self, question: str, history: Sequence[Turn] = ()
    ) -> Iterator[Evidence | Token | Answer]:
        self.asked.append(question)
        if len(self.asked) == self._at:
            self._do()
        yield Answer(question, "en", "Yes.", False, (), (), Timings(0.1, 0.2, 0.3, 4, 5))


def scripted(pipeline: run.Pipeline, **changes: Any) -> run_qa.System:
    identity = Identity("", "", "", {"llm": {"seed": 0}}, {"llm": "none"}, "code")
    system = run_qa.System("double", pipeline, DOCS, identity)
    own = {name: changes.pop(name) for name in ("name", "texts") if name in changes}
    return dataclasses.replace(system, identity=dataclasses.replace(identity, **changes), **own)


def _run_until_killed(questions: Path, out: Path) -> None:
    pipeline = Scripted(4, lambda: os.kill(os.getpid(), signal.SIGKILL))
    run_qa.run_qa(questions, out, scripted(pipeline))


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(questions, tmp_path):
    out = tmp_path / "out"
    assert in_child(_run_until_killed, questions, out) == -signal.SIGKILL
    kept = (out / "answers.jsonl").read_bytes()
    assert kept.count(b"\n") == 3
    with (out / "answers.jsonl").open("ab") as file:
        file.write(b'{"id": "en-bird", "answ')  # as if it had been killed while it wrote
    pipeline = Scripted()
    summary = run_qa.run_qa(questions, out, scripted(pipeline))
    assert pipeline.asked == [q["question"] for q in QUESTIONS[3:]]
    whole = (out / "answers.jsonl").read_bytes()
    assert whole.startswith(kept)
    assert [a["id"] for a in lines(out / "answers.jsonl")] == [q["id"] for q in QUESTIONS]
    assert summary["metrics"]["all"]["right"]["n"] == len(QUESTIONS)


def test_a_finished_run_is_only_judged_anew(write_lines, tmp_path):
    out = tmp_path / "out"
    run_qa.run_qa(write_lines(QUESTIONS), out, scripted(Scripted()))
    pipeline = Scripted()
    corrected = [{**QUESTIONS[0], "must_include": [["yes"]]}, *QUESTIONS[1:]]
    summary = run_qa.run_qa(write_lines(corrected), out, scripted(pipeline))
    assert pipeline.asked == []
    assert mean(summary, "correct") == pytest.approx(1 / 6)


def test_a_limit_can_be_raised(questions, tmp_path):
    out, pipeline = tmp_path / "out", Scripted()
    run_qa.run_qa(questions, out, scripted(pipeline), limit=2)
    summary = run_qa.run_qa(questions, out, scripted(pipeline), limit=5)
    assert pipeline.asked == [q["question"] for q in QUESTIONS[:5]]
    assert summary["set"] == {"file": str(questions), "questions": 5, "of": 9}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"settings": {"llm": {"seed": 1}}}, "settings.llm.seed"),
        ({"models": {"llm": "another"}}, "models.llm"),
        ({"code": "changed"}, "code"),
        ({"name": "another"}, "kind"),
        ({"texts": {**DOCS, "new.txt": "New."}}, "corpus"),
    ],
)
def test_answers_of_another_run_are_not_mixed_in(questions, tmp_path, changes, named):
    out = tmp_path / "out"
    run_qa.run_qa(questions, out, scripted(Scripted()))
    before = (out / "answers.jsonl").read_bytes()
    other = scripted(Scripted(), **changes)
    with pytest.raises(EvalError, match=rf"another {named}; give --fresh .* or another --out"):
        run_qa.run_qa(questions, out, other)
    assert (out / "answers.jsonl").read_bytes() == before
    run_qa.run_qa(questions, out, other, fresh=True)
    run_qa.run_qa(questions, out, other)


def test_another_set_is_another_run(write_lines, tmp_path):
    run_qa.run_qa(write_lines(QUESTIONS), tmp_path / "out", scripted(Scripted()))
    with pytest.raises(EvalError, match="another set"):
        run_qa.run_qa(write_lines(QUESTIONS[1:]), tmp_path / "out", scripted(Scripted()))


def test_damaged_answers_are_not_passed_over(questions, tmp_path):
    out = tmp_path / "out"
    run_qa.run_qa(questions, out, scripted(Scripted()))
    path = out / "answers.jsonl"
    path.write_bytes(b"[]\n" + path.read_bytes())
    with pytest.raises(EvalError, match=r"answers.jsonl, line 1: is not an object"):
        run_qa.run_qa(questions, out, scripted(Scripted()))
    (out / "run.json").unlink()
    with pytest.raises(EvalError, match=r"run\.json: is not there; give --fresh"):
        run_qa.run_qa(questions, out, scripted(Scripted()))


def test_two_runs_never_share_a_folder(tmp_path):
    identity = Identity("qa", "", "", {}, {}, "")
    with run.opened(tmp_path / "out", identity, {}):
        second = run.opened(tmp_path / "out", identity, {})
        with pytest.raises(EvalError, match="another rawi"), second:
            pass


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    identity = Identity("qa", "", "", {}, {}, "")
    folder = run.opened(tmp_path / "file", identity, {})
    with pytest.raises(EvalError, match="file: can't be written"), folder:
        pass


def raising(error: Exception) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


def test_an_answer_that_takes_too_long_is_wrong_and_the_run_goes_on(questions, tmp_path):
    pipeline = Scripted(2, raising(DeadlineError("too slow")))
    summary = run_qa.run_qa(questions, tmp_path / "out", scripted(pipeline))
    assert summary["failed"] == 1
    assert lines(tmp_path / "out" / "answers.jsonl")[1]["error"] == "too slow"
    assert len(pipeline.asked) == len(QUESTIONS)


def test_a_failing_llm_ends_the_run_and_keeps_what_is_there(questions, tmp_path):
    pipeline = Scripted(3, raising(GenerationError("gone")))
    with pytest.raises(GenerationError):
        run_qa.run_qa(questions, tmp_path / "out", scripted(pipeline))
    assert len(lines(tmp_path / "out" / "answers.jsonl")) == 2


def test_an_error_of_the_caller_is_not_taken_for_one_of_the_folder(tmp_path):
    identity = Identity("qa", "", "", {}, {}, "")
    with pytest.raises(ConnectionError), run.opened(tmp_path / "out", identity, {}):
        raise ConnectionError


# ---------------------------------------------------------------------------------------- tables


def scored(id_: str, measure: str, value: float) -> Scored:
    return Scored(id_, id_, "en", "", {measure: value}, 0.5, True)


def test_balanced_accuracy_is_the_mean_of_both_rates_whatever_their_shares():
    answerable = [scored(f"a{i}", "error_rate", float(i < 1)) for i in range(4)]
    unanswerable = [scored(f"u{i}", "hallucination_rate", float(i < 5)) for i in range(10)]
    value = score.table([*answerable, *unanswerable])["balanced_accuracy"]
    assert value["mean"] == pytest.approx((3 / 4 + 5 / 10) / 2)
    assert value["low"] < value["mean"] < value["high"]
    perfect = [scored(x.id, next(iter(x.values)), 0.0) for x in [*answerable, *unanswerable]]
    assert score.table(perfect)["balanced_accuracy"] == {"mean": 1, "low": 1, "high": 1, "n": 14}


# -------------------------------------------------------------------------------------- the starter


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("The context does not mention it.", True),
        ("I don't know.", True),
        ("The amount is not specified in the provided context.", True),
        ("Empty Response", True),
        ("", True),
        ("لا يذكر النص ذلك.", True),
        ("لم يتم ذكر ذلك في النص.", True),
        ("It gave 30 billion dollars.", False),
        ("It gave 30 billion. The rest is not specified.", False),
        ("بلغت القيمة 30 مليار دولار.", False),
    ],
)
def test_a_refusal_in_free_text_is_recognised(answer, refusal):
    assert baseline.is_refusal(answer) == refusal


def test_the_starter_answers_the_same_questions(questions, small, retriever, tmp_path):
    reader = Reader()
    with baseline.starter(small, WordEmbedder(), reader) as system:
        summary = run_qa.run_qa(questions, tmp_path / "out" / "baseline", system)
    assert reader.asked == len(QUESTIONS)  # it never refuses by itself
    assert summary["system"] == "llama-index starter"
    assert summary["rules"] == list(baseline.RULES)
    assert mean(summary, "evidence_hit") == 1
    assert mean(summary, "hallucination_rate") == 1
    assert mean(summary, "citation_recall") == 0
    assert summary["costs"]["all"]["tokens_mean"] == {"prompt_tokens": 30, "completion_tokens": 5}
    answer = lines(tmp_path / "out" / "baseline" / "answers.jsonl")[0]
    assert len(answer["evidence"]) == baseline.TOP_K
    assert all(e["text"] == DOCS[e["doc"]][e["start"] : e["end"]] for e in answer["evidence"])


# --------------------------------------------------------------------------------- command line


@pytest.fixture
def command(small, monkeypatch) -> Callable[..., Any]:
    """Run ``rawi eval …`` with the doubles in the place of the weights."""
    monkeypatch.setattr(
        "eval.cli._models", lambda _, alone: (WordEmbedder(), None if alone else Reader())
    )
    monkeypatch.setattr("rag.config.load", lambda *_, **__: small)
    return lambda *arguments: CliRunner().invoke(eval_app, [str(a) for a in arguments])


def test_squad_and_abstain_by_command(command, tmp_path, squad, write_lines):
    english, arabic = squad_files(tmp_path, squad)
    out = tmp_path / "out"
    result = command(
        "squad", arabic, "--questions", english, "--pool", "mixed", "--limit", "3", "--out", out
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out / 'summary.json'}\n"
    assert [line["id"] for line in lines(out / "run.jsonl")] == ["cat-0", "cat-1", "dog-0"]
    about = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (about["passages"], about["pool"]) == (str(arabic), "mixed")
    answer = lines(out / "answers.jsonl")[0]
    assert {"id", "answer", "abstained", "citations", "evidence", "timings"} <= answer.keys()
    result = command("report", out, "--limit", 1)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out / 'report.html'}\n"
    assert "F1, Arabic folded" in (out / "report.md").read_text(encoding="utf-8")
    assert "2 more in scores.jsonl" in (out / "report.md").read_text(encoding="utf-8")
    result = command("squad", arabic, "--retrieval-only", "--out", tmp_path / "ranked")
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "ranked" / "answers.jsonl").exists()
    result = command("abstain", abstention(write_lines), "--out", tmp_path / "abstain")
    assert result.exit_code == 0, result.output
    assert len(lines(tmp_path / "abstain" / "answers.jsonl")) == len(QUESTIONS) + 1


@pytest.mark.parametrize("name", ["qa", "squad", "abstain", "injection", "report", "bench"])
@pytest.mark.parametrize("option", ["--corpus", "--storage", "--config", "--limit"])
def test_every_command_takes_what_all_take(command, name, option):
    # An option that it doesn't know is told before what is missing.
    assert "No such option" in command(name, "--nothing", "0").output
    assert "No such option" not in command(name, option, "0").output


def test_wrong_usage_is_told_from_a_failed_run(command, questions, tmp_path):
    out = ("--out", tmp_path / "out")
    assert command("qa", questions, *out, "--baseline", "--retrieval-only").exit_code == 2
    assert command("qa", questions).exit_code == 2
    assert command("qa", questions, *out, "--limit", "0").exit_code == 2
    assert isinstance(command("squad", questions, *out).exception, EvalError)


# ------------------------------------------------------------------------------------ real weights


@pytest.mark.weights
def test_real_weights_find_a_paragraph_in_either_language(tmp_path, squad):
    from rag import config, models
    from rag.embedding import Embedder

    settings = config.load(ROOT / "config.yaml")
    weights = models.resolve(settings.embedding.model, kind="embedder", settings=settings.models)
    embedder = Embedder.load(settings.embedding, weights)
    english, arabic = squad_files(tmp_path, squad)
    for passages, other in ((english, arabic), (arabic, english)):
        out = tmp_path / f"out-{passages.stem}"
        task = make_task(passages, other, "same")
        summary = run_squad.run_squad(task, out, settings, embedder, None)
        assert mean(summary, "recall@1") >= 0.75
