"""What the browser keeps, who waits for whom, and the folder of documents."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rag.config import Settings
from rag.engine import Engine, Evidence, Turn
from rag.errors import GenerationError
from rag.index import IndexReport
from rag.retrieval import Found
from rag.storage import Origin
from tests.conftest import Write, in_child
from tests.doubles import JudgingLLM
from tests.ui.serving import Loaded, until
from ui import documents, feedback, text
from ui.answering import Answering
from ui.conversations import MOST_CONVERSATIONS, Conversation, Conversations, Message
from ui.documents import RefusedError
from ui.documents_tab import job_html
from ui.feedback import Feedback
from ui.indexing import Job
from ui.line import Ahead, Line, Lines, in_turn
from ui.loading import Loader, Progress
from ui.panels import progress_html
from ui.work import QueueFullError

QUOTE = "ساهم بمبلغ 30 مليار."
FOUND = Found("a.txt", 0, len(QUOTE), QUOTE, 0.9, "ar")


def engine(*replies: Any, most: int = 5) -> Any:
    retriever: Any = SimpleNamespace(
        evidence=lambda question, context="", *, read_as="": [FOUND],
        storage=SimpleNamespace(
            text=lambda doc: QUOTE,
            title=lambda doc: "عنوان",
            page=lambda *_: 3,
            origin=lambda doc: Origin("عنوان", date="2025-04-01"),
            units=lambda *_: [],
        ),
        embedder=None,
    )
    settings = Settings.model_validate({"answer": {"style": "written"}, "page": {"waiting": most}})
    model = JudgingLLM(replies=deque(replies))
    return Engine(settings, retriever, model)


@pytest.fixture
def loaded() -> Iterator[Callable[..., Loader]]:
    """Load an engine: ``loaded(*replies)``."""
    with ExitStack() as opened:

        def load(*replies: Any, **settings: int) -> Loader:
            loader = Loaded(engine(*replies, **settings))
            opened.callback(loader.close)
            return loader

        yield load


@pytest.fixture
def answering(loaded: Callable[..., Loader]) -> Callable[..., Answering]:
    return lambda *replies: Answering(loaded(*replies))


class TestAnswering:
    def test_the_evidence_stands_there_before_the_answer(self, answering: Any) -> None:
        shown = list(answering("ساهم بمبلغ 30 مليار.").answer("s", "1", "كم ساهم؟", []))
        first = next(step for step in shown if step.message.evidence)
        assert first.message.text == ""
        assert first.message.evidence[0].title == "عنوان"
        assert shown[-1].stage == "done"
        assert shown[-1].message.text == "ساهم بمبلغ 30 مليار. [1]"
        (cited,) = shown[-1].message.citations
        assert (cited.marker, cited.title, cited.date) == (1, "عنوان", "2025-04-01")
        assert shown[-1].message.short == "ساهم بمبلغ 30 مليار."

    def test_when_the_model_fails_the_evidence_is_the_answer(self, answering: Any) -> None:
        *_, last = answering(GenerationError("out of memory")).answer("s", "1", "كم ساهم؟", [])
        assert (last.message.problem, last.message.how) == ("model", "quoted")
        assert QUOTE in last.message.text
        assert "out of memory" in last.message.detail

    def test_a_stopped_answer_keeps_what_was_written(self, answering: Any) -> None:
        asked = answering("ساهم بمبلغ 30 مليار.")
        steps = asked.answer("s", "1", "كم ساهم؟", [])
        for step in steps:
            if step.message.evidence:
                break
        asked.stop("s")
        last = list(steps)[-1]
        assert (last.stage, last.message.problem) == ("done", "stopped")
        assert last.message.evidence

    def test_too_many_are_turned_away(self, loaded: Any) -> None:
        loader = loaded(*["ساهم بمبلغ 30 مليار."] * 2, most=1)
        asked = Answering(loader)
        with loader.work.lines.search.joined():
            first = asked.answer("a", "1", "كم ساهم؟", [])
            next(first)
            for session in ("a", "b"):
                with pytest.raises(QueueFullError):
                    next(asked.answer(session, "2", "كم ساهم؟", []))
            first.close()  # type: ignore[attr-defined]

        def is_taken() -> bool:
            try:
                return list(asked.answer("b", "1", "كم ساهم؟", []))[-1].stage == "done"
            except QueueFullError:
                return False

        assert until(is_taken, 5)  # as soon as the first has ended in its thread

    def test_a_page_asks_one_question_at_a_time_and_stops_no_other(self, answering: Any) -> None:
        asked = answering(*["ساهم بمبلغ 30 مليار."] * 3)
        first, other = (asked.answer(name, "1", "كم ساهم؟", []) for name in ("a", "b"))
        next(first)
        next(other)
        again = asked.answer("a", "1", "كم ساهم؟", [])
        next(again)
        problems = [list(steps)[-1].message.problem for steps in (first, other, again)]
        assert problems == ["stopped", "", ""]

    def test_a_failed_start_is_told(self) -> None:
        loader = Loader(Settings.model_validate({"models": {"cache": "/nowhere"}}))
        loader.start()
        *_, last = Answering(loader).answer("s", "1", "كم ساهم؟", [])
        loader.close()
        assert last.message.problem == "failed"
        assert "rawi models pull" in last.message.detail


def test_the_line_is_fair_and_tells_how_many_are_ahead() -> None:
    line, order, entered = Line(), [], threading.Event()

    def second() -> None:
        with line.joined() as waited:
            entered.set()
            order.append(next(waited))
            list(waited)
            order.append("second")

    with line.joined() as waited:
        assert list(waited) == []
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        while not order:
            pass
        order.append("first")
    thread.join(5)
    assert order == [1, "first", "second"]


def test_no_evidence_is_looked_for_when_nobody_waits_for_it_any_more() -> None:
    lines, looked_for = Lines(), list[str]()

    def events() -> Iterator[Evidence]:
        looked_for.append("evidence")
        yield Evidence(())

    with lines.search.joined():
        gone = [False, True]
        waited = list(in_turn(events(), lines, lambda: gone.pop(0)))
    assert waited == [Ahead(1)]
    assert looked_for == []
    assert len(lines.search) == len(lines.write) == 0
    assert list(in_turn(events(), lines, lambda: False)) == [Evidence(()), Ahead(0)]


class TestWarmingUp:
    def test_a_question_comes_first(self) -> None:
        lines, began, end = Lines(), threading.Event(), threading.Event()

        def work() -> None:
            began.set()
            end.wait(5)

        warming = threading.Thread(target=lines.warm, args=(work,), kwargs={"in_line": False})
        with lines.search.joined():
            warming.start()
            assert not began.wait(0.3)
        assert began.wait(5)
        answered = list(in_turn((e for e in [Evidence(())]), lines, lambda: False))
        assert answered == [Evidence(()), Ahead(0, warming=True)]  # though it goes on
        end.set()
        warming.join(5)
        assert lines.ahead(0) == Ahead(0)

    def test_one_llm_for_one_thing_is_waited_for_and_not_counted(self) -> None:
        lines, began, end = Lines(), threading.Event(), threading.Event()

        def work() -> None:
            began.set()
            end.wait(5)

        warming = threading.Thread(target=lines.warm, args=(work,), kwargs={"in_line": True})
        warming.start()
        assert began.wait(5)
        events = in_turn((e for e in [Evidence(())]), lines, lambda: False)
        assert [next(events), next(events)] == [Evidence(()), Ahead(0, warming=True)]
        end.set()
        warming.join(5)
        assert list(events)[-1] == Ahead(0)


class TestStates:
    def test_loading_says_how_far_it_is(self) -> None:
        html = progress_html(Progress("loading", frozenset({"llm"}), seconds=3.4))
        assert 'max="3" value="1"' in html
        assert "3 s" in html
        assert html.count("rw-done") == 1

    def test_nothing_indexed_and_failure_say_why(self) -> None:
        assert "Nothing is indexed" in progress_html(Progress("no index", reason="x"))
        assert "a &lt;b&gt; c" in progress_html(Progress("failed", reason="a <b> c"))
        assert progress_html(Progress("ready")) == ""

    def test_indexing_says_how_far_it_is_and_how_it_ended(self) -> None:
        job = Job(doc="<a>.txt", done=1, total=3)
        assert 'value="1" max="3"' in job_html(job)
        assert "<a>" not in job_html(job)
        job.problem = "disk is full"
        job.ended.set()
        assert "disk is full" in job_html(job)
        job.report = IndexReport(1, 0, 2, 5, {}, 6, 60)
        assert "New: 1, changed: 0, removed: 2" in job_html(job)


class TestConversations:
    def asked(self, question: str) -> Conversation:
        return Conversation(messages=(Message(role="user", text=question, language="en"),))

    def test_come_back_as_they_were(self) -> None:
        kept = Conversations().put(self.asked("Who?"))
        assert Conversations.read(kept.dump()) == kept

    @pytest.mark.parametrize("sent", [None, {}, [], "x", {"kept": [{"messages": 5}]}, {"open": []}])
    def test_another_shape_is_dropped(self, sent: Any) -> None:
        assert Conversations.read(sent) == Conversations()

    def test_the_oldest_go(self) -> None:
        kept = Conversations()
        for number in range(MOST_CONVERSATIONS + 2):
            kept = kept.put(self.asked(str(number)))
        assert len(kept.kept) == MOST_CONVERSATIONS
        assert kept.current.title == str(MOST_CONVERSATIONS + 1)

    def test_what_went_before_a_question(self) -> None:
        conversation = self.asked("Who?").with_message(
            Message(id="a", role="assistant", text="He.", language="en")
        )
        question = conversation.question_of("a")
        assert question is not None
        assert question.text == "Who?"
        assert conversation.before(question.id).messages == ()
        assert conversation.turns() == [Turn("user", "Who?"), Turn("assistant", "He.")]


class TestFolder:
    def test_a_document_is_added(self, settings: Settings) -> None:
        assert documents.add(settings, "new  article.txt", b"A short text.")
        assert (settings.corpus / "new article.txt").read_bytes() == b"A short text."

    @pytest.mark.parametrize(
        "name",
        ["../up.txt", "a/../../up.txt", "C:\\up.txt"],
    )
    def test_a_name_that_leads_out_is_refused(
        self, settings: Settings, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises(RefusedError, match="name"):
            documents.add(settings, name, b"x")
        assert list(tmp_path.rglob("*up.txt")) == []

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("", b"x", "name"),
            (".hidden.txt", b"x", "name"),
            ("a" * 200 + ".txt", b"x", "name"),
            ("a\x00<b>.txt", b"x", "name"),
            ("a.exe", b"x", "type"),
            ("a.txt", b"x" * 2_000, "larger than 1 kB"),
            ("a.txt", b"\xc7\xe1\xe3", "not UTF-8"),
            ("a.txt", b"  ", "no text"),
            ("there.txt", b"x", "is in the folder"),
        ],
    )
    def test_others_are_refused_with_the_reason(
        self, settings: Settings, write: Write, name: str, content: bytes, why: str
    ) -> None:
        write("there.txt", "first")
        small = settings.page.model_copy(update={"upload_max_bytes": 1_000})
        settings = settings.model_copy(update={"page": small})
        with pytest.raises(RefusedError, match=why):
            documents.add(settings, name, content)
        assert [path.name for path in settings.corpus.iterdir()] == ["there.txt"]
        assert (settings.corpus / "there.txt").read_text() == "first"

    def test_only_a_file_of_the_folder_is_removed(
        self, settings: Settings, tmp_path: Path, write: Write
    ) -> None:
        write("a.txt", "x")
        write("b.txt", "x")
        outside = tmp_path / "upload"
        outside.write_text("x")
        for doc in ("../upload", str(outside), "gone.txt", ""):
            with pytest.raises(RefusedError, match="not there"):
                documents.remove(settings, doc)
        documents.remove(settings, "a.txt")
        assert not (settings.corpus / "a.txt").exists()
        documents.remove(settings, "b.txt")
        assert list(settings.corpus.iterdir()) == []
        assert outside.exists()

    @pytest.mark.parametrize(
        ("tab", "host", "open_"),
        [
            ("local", "127.0.0.1", True),
            ("local", "localhost", True),
            ("local", "::1", True),
            ("local", "0.0.0.0", False),
            ("local", "rawi.example", False),
            ("on", "0.0.0.0", True),
            ("off", "127.0.0.1", False),
        ],
    )
    def test_strangers_may_not_change_it(self, tab: str, host: str, open_: bool) -> None:
        settings = Settings.model_validate(
            {"page": {"documents_tab": tab}, "server": {"host": host}}
        )
        own = {"headers": [(b"host", b"localhost:7860")], "client": ("127.0.0.1", 40_000)}
        assert documents.may_change(settings, own) is open_
        proxied = {**own, "headers": [*own["headers"], (b"via", b"1.1 proxy")]}
        assert documents.may_change(settings, proxied) is (tab == "on")


def ids_of_pages() -> dict[str, set[str]]:
    """Build each page, in a process of its own: Gradio leaves an event loop open."""
    from ui import page

    kinds = {"whole": {"with_documents": True}, "stranger": {}, "compact": {"compact": True}}
    loader, found = Loader(Settings()), {}
    for name, options in kinds.items():
        blocks = page.build(loader, **options)
        found[name] = {str(block.elem_id) for block in blocks.blocks.values() if block.elem_id}
    return found


@pytest.fixture(scope="module")
def ids() -> dict[str, set[str]]:
    found: dict[str, set[str]] = in_child(ids_of_pages)
    return found


@pytest.mark.slow
class TestLayout:
    def test_the_parts_that_others_script_against(self, ids: dict[str, set[str]]) -> None:
        parts = {"rawi-question", "rawi-messages", "rawi-evidence", "rawi-source"}
        assert all(parts <= found for found in ids.values())

    def test_strangers_get_no_documents_tab(self, ids: dict[str, set[str]]) -> None:
        assert {name for name, found in ids.items() if "rawi-upload" in found} == {"whole"}


def test_every_phrase_is_in_both_languages() -> None:
    phrases = [value for value in vars(text).values() if isinstance(value, text.Phrase)]
    assert len(phrases) > 50
    for phrase in phrases:
        assert phrase.ar.strip()
        assert phrase.en.strip()
        assert set(re.findall(r"{\w+}", phrase.ar)) == set(re.findall(r"{\w+}", phrase.en))


class TestFeedback:
    def given(self, rating: str, reason: str = "", message: str = "m") -> Feedback:
        return Feedback(message, rating, reason, "Who?", "He.", ("a.txt:0-3",))

    def test_the_last_word_counts(self, tmp_path: Path) -> None:
        for rating, reason in (("up", ""), ("down", ""), ("down", "wrong")):
            feedback.append(tmp_path / "s", self.given(rating, reason))
        feedback.append(tmp_path / "s", self.given("up", message="taken back"))
        feedback.append(tmp_path / "s", self.given("", message="taken back"))
        (one,) = feedback.read(tmp_path / "s")
        assert (one.rating, one.reason, one.citations) == ("down", "wrong", ("a.txt:0-3",))
        assert one.when

    def test_nothing_noted_and_torn_lines(self, tmp_path: Path) -> None:
        assert feedback.read(tmp_path) == []
        feedback.append(tmp_path, self.given("up"))
        with (tmp_path / feedback.FILE).open("a") as file:
            file.write('{"message": "tor')
        assert len(feedback.read(tmp_path)) == 1
