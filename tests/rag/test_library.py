"""``rag.open`` and what it returns, over real indexes with a counting embedder and no LLM."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever

import rag
from rag import current
from rag.config import Settings
from rag.engine import Engine
from rag.retrieval import Retriever
from tests.conftest import ROOT, WordEmbedder, run

CAT, DOG = "The cat is in the garden.", "The dog is in the house."
QUOTES = {"llm": {"backend": "none"}, "retrieval": {"reader": "none"}}

Open = Callable[..., rag.Rawi]


@pytest.fixture
def folder(isolated: Path) -> Path:
    made = isolated / "articles"
    made.mkdir()
    (made / "cat.txt").write_text(CAT)
    return made


@pytest.fixture
def opened(
    embedder: WordEmbedder, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Open]:
    """``rag.open`` without weights, closed in the end."""

    @contextmanager
    def retriever(settings: Settings, embedder: WordEmbedder) -> Iterator[Retriever]:
        with current.open_current(settings, embedder.fingerprint) as store:
            yield Retriever(store, embedder, settings.retrieval)

    monkeypatch.setattr("rag.models.resolve", lambda *_, **__: Path("weights"))
    monkeypatch.setattr("rag.embedding.Embedder.load", lambda *_: embedder)
    monkeypatch.setattr("rag.library.engine.open_retriever", retriever)
    monkeypatch.setattr("rag.library.engine.make_engine", Engine)
    all_opened = []

    def open_(*arguments: Any, **named: Any) -> rag.Rawi:
        all_opened.append(rag.open(*arguments, **{**QUOTES, **named}))
        return all_opened[-1]

    yield open_
    for rawi in all_opened:
        rawi.close()


def test_the_answer_has_its_text_and_citations(opened: Open, folder: Path) -> None:
    answer = opened(folder).ask("Where is the cat?")
    assert answer.text == answer.answer == f"{CAT} [1]"
    (citation,) = answer.citations
    assert (citation.doc, citation.quote) == ("cat.txt", CAT)


def test_the_index_is_made_beside_the_folder(opened: Open, folder: Path) -> None:
    assert opened("articles").settings.storage == folder.parent / "articles.index"
    assert (folder.parent / "articles.index" / "CURRENT").exists()


def test_the_index_stands_where_it_is_told(opened: Open, folder: Path, tmp_path: Path) -> None:
    opened(folder, storage=tmp_path / "there")
    assert (tmp_path / "there" / "CURRENT").exists()


def test_without_an_index_it_may_be_refused(opened: Open, folder: Path) -> None:
    with pytest.raises(rag.NoIndexError):
        opened(folder, index=False)


def test_an_index_of_other_settings_is_made_anew(opened: Open, folder: Path) -> None:
    opened(folder).close()
    assert opened(folder, passages={"max_chars": 100}).search("cat")
    with pytest.raises(rag.StaleIndexError):
        opened(folder, index=False)


def test_what_is_new_in_the_folder_is_found_once_it_is_indexed(opened: Open, folder: Path) -> None:
    rawi = opened(folder)
    (folder / "dog.txt").write_text(DOG)
    assert [found.doc for found in rawi.search("dog")] == ["cat.txt"]
    assert rawi.index().added == 1
    assert [found.doc for found in rawi.search("dog", 1)] == ["dog.txt"]
    assert rawi.ask("Where is the dog?").citations[0].quote == DOG


def test_some_documents_alone_are_asked(opened: Open, folder: Path) -> None:
    (folder / "dog.txt").write_text(DOG)
    rawi = opened(folder)
    question = "Where is the cat?"
    assert rawi.ask(question, docs=["dog.txt"]).citations[0].doc == "dog.txt"
    assert run(rawi.aask(question, docs={"dog.txt"})).evidence[0].doc == "dog.txt"
    (*_, last) = rawi.stream(question, docs=["cat.txt"])
    assert isinstance(last, rag.Answer)
    assert {found.doc for found in last.evidence} == {"cat.txt"}
    assert [found.doc for found in rawi.search("cat", docs=("dog.txt",))] == ["dog.txt"]
    for docs in (["cat.txt", "fish.txt"], []):
        with pytest.raises(rag.QuestionError, match="document"):
            rawi.search(question, docs=docs)


def test_it_streams_evidence_first_and_the_answer_last(opened: Open, folder: Path) -> None:
    events = list(opened(folder).stream("Where is the cat?"))
    assert isinstance(events[0], rag.Evidence)
    assert isinstance(events[-1], rag.Answer)
    assert "".join(e.text for e in events if isinstance(e, rag.Token)) == events[-1].text


def test_it_answers_without_blocking_the_event_loop(opened: Open, folder: Path) -> None:
    rawi = opened(folder)

    async def both() -> list[rag.Answer]:
        return await asyncio.gather(rawi.aask("Where is the cat?"), rawi.aask("The cat?"))

    assert [answer.citations[0].quote for answer in run(both())] == [CAT, CAT]


def test_who_goes_away_stops_the_answer(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, closed = threading.Event(), threading.Event()

    def endless(*_: Any) -> Iterator[rag.Token]:
        try:
            while True:
                begun.set()
                yield rag.Token("")
        finally:
            closed.set()

    monkeypatch.setattr("rag.engine.Engine.answer", endless)
    rawi = opened(folder)

    async def leave() -> None:
        asked = asyncio.create_task(rawi.aask("Where is the cat?"))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked

    run(leave())
    assert closed.wait(5)


def test_a_follow_up_is_read_with_what_was_said(opened: Open, folder: Path) -> None:
    history = [rag.Turn("user", "Where is the cat?"), rag.Turn("assistant", CAT)]
    assert opened(folder).ask("And it?", history).citations[0].quote == CAT


def test_a_config_yaml_of_the_working_directory_is_not_read(opened: Open, folder: Path) -> None:
    Path("config.yaml").write_text("jobs: [build]\nllm: {max_tokens: 77}")
    assert opened(folder).settings.llm.max_tokens == Settings().llm.max_tokens


def test_a_config_that_is_given_is_read(opened: Open, folder: Path) -> None:
    Path("rawi.yaml").write_text("storage: kept\nllm: {max_tokens: 77}")
    rawi = opened(folder, config="rawi.yaml")
    assert rawi.settings.llm.max_tokens == 77
    assert rawi.settings.storage == folder.parent / "kept"
    assert rawi.settings.llm.backend == "none"  # an argument beats the file, key by key


def test_a_wrong_setting_is_named(folder: Path) -> None:
    with pytest.raises(rag.ConfigError, match="max_tokens"):
        rag.open(folder, llm={"max_tokens": -1})


def test_closed_it_says_so(opened: Open, folder: Path) -> None:
    with opened(folder) as rawi:
        pass
    rawi.close()
    with pytest.raises(rag.RawiError, match="open it again"):
        rawi.ask("Where is the cat?")


def test_a_question_that_cannot_be_asked(opened: Open, folder: Path) -> None:
    rawi = opened(folder)
    for ask in (rawi.ask, rawi.search):
        with pytest.raises(rag.QuestionError):
            ask(" ")


def test_it_is_a_llama_index_retriever(opened: Open, folder: Path) -> None:
    retriever = opened(folder).as_retriever()
    assert isinstance(retriever, BaseRetriever)
    (node,) = retriever.retrieve("cat")
    assert (node.metadata["doc"], node.metadata["start"], node.metadata["end"]) == (
        "cat.txt",
        0,
        len(CAT),
    )


def test_it_is_a_llama_index_query_engine(opened: Open, folder: Path) -> None:
    engine = opened(folder).as_query_engine()
    assert isinstance(engine, BaseQueryEngine)
    for response in engine.query("Where is the cat?"), run(engine.aquery("The cat?")):
        assert str(response) == f"{CAT} [1]"
        (source,) = response.source_nodes
        assert source.text == CAT
        assert source.metadata == {"doc": "cat.txt", "start": 0, "end": len(CAT), "marker": 1}
        assert source.score is not None
        assert response.metadata["abstained"] is False


def test_every_public_name_is_there() -> None:
    assert all(getattr(rag, name) is not None for name in rag.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = rag.Nothing  # type: ignore[attr-defined]


def loaded_by(statement: str, *modules: str) -> str:
    program = f"import sys; {statement}; print(*sorted(sys.modules.keys() & {set(modules)}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_importing_it_imports_no_library() -> None:
    heavy = ("torch", "transformers", "llama_index", "chromadb", "pydantic", "numpy", "openai")
    assert loaded_by("import rag; rag.open", *heavy) == ""


@pytest.mark.slow
def test_the_command_line_imports_no_model() -> None:
    heavy = ("torch", "transformers", "llama_index", "chromadb", "gradio", "matplotlib", "pydantic")
    assert loaded_by("import ui.cli", *heavy) == ""
