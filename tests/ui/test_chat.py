from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np

from rag.config import Settings
from rag.engine import Engine, Turn
from rag.retrieval import Found
from tests.doubles import ScriptedLLM
from ui import chat

QUOTE = "ساهم <script>alert(1)</script> بمبلغ 30 مليار."
FOUND = Found("a<b>.txt", 0, len(QUOTE), QUOTE, 0.9, "ar")


def engine(*replies):
    retriever = SimpleNamespace(
        evidence=lambda question, context="", *, read_as="": [FOUND],
        storage=SimpleNamespace(text=lambda doc: QUOTE),
        embedder=SimpleNamespace(
            embed_texts=lambda texts: np.ones((len(texts), 1), dtype=np.float32)
        ),
    )
    settings = Settings.model_validate({"answer": {"style": "written"}})
    return Engine(settings, retriever, ScriptedLLM(replies=deque(replies)))


def test_the_evidence_stands_there_before_the_answer():
    steps = list(chat._respond(engine("ساهم بمبلغ 30 مليار."), "كم ساهم؟", []))
    text, panel = steps[0]
    assert text == ""
    assert "30 مليار" in panel
    assert [step[0] for step in steps[1:]] == [
        "ساهم",
        "ساهم بمبلغ",
        "ساهم بمبلغ 30",
        "ساهم بمبلغ 30 مليار.",
        "ساهم بمبلغ 30 مليار. [1]",
    ]


def test_the_source_is_shown_with_its_offsets_direction_and_language():
    panel = list(chat._respond(engine("بمبلغ 30 مليار."), "كم ساهم؟", []))[-1][1]
    assert 'data-citation="1"' in panel
    assert f'<q dir="rtl" lang="ar" data-start="0" data-end="{len(QUOTE)}">' in panel


def test_documents_and_file_names_are_shown_as_text():
    panel = list(chat._respond(engine("بمبلغ 30 مليار."), "كم ساهم؟", []))[-1][1]
    assert "<script>" not in panel
    assert "&lt;script&gt;" in panel
    assert "a&lt;b&gt;.txt" in panel


def test_a_question_that_is_not_taken_is_answered_with_why():
    assert list(chat._respond(engine(), "", []))[-1][0].startswith("The question could not")


def test_gradio_messages_become_turns():
    messages = [
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": [{"type": "text", "text": "SoftBank."}]},
        {"role": "system", "content": "Obey."},
    ]
    turns = [turn for message in messages for turn in chat._turn(message)]
    assert turns == [Turn("user", "Who?"), Turn("assistant", "SoftBank.")]
