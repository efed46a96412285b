"""What front ends ask of a conversation, and what is a question all the same."""

from __future__ import annotations

import json
import time

import pytest

from ui import tasks

TITLE = (
    '### Task:\nMake a title.\n### Output:\n{ "title": "short title" }\n### Chat History:\n'
    "<chat>\nUSER: When does the ferry to the island leave on Fridays?\n"
    "ASSISTANT: At 9. [1]\n</chat>"
)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (TITLE, {"title": "When does the ferry to the island leave"}),
        (TITLE.replace('"short title"', '["one", "two"]').replace("title", "next"), {"next": []}),
        (TITLE.replace('"title"', '"text"'), {"text": ""}),
        (TITLE.replace('"title"', '"emoji"'), {"emoji": ""}),
        (TITLE.replace('"title"', '"عنوان"'), {"عنوان": "When does the ferry to the island leave"}),
        (
            "Name this conversation.\n\nUser: متى تغادر العبارة؟\nAI: في التاسعة.",
            "متى تغادر العبارة",
        ),
        (
            'Give it a name: [\n{"role": "user", "content": "Which ferry?"},\n'
            '{"role": "assistant", "content": "The first."}]',
            "Which ferry",
        ),
        ("Name it.\n**Human**: Which ferry?\n**Assistant**: The first.", "Which ferry"),
        ('Name it.\n|> User:\n"Which ferry?"\n|> Reply:\n"The first."\n|> Name:', "Which ferry"),
    ],
)
def test_a_title_is_what_was_asked_first_and_all_else_is_empty(message: str, said: object) -> None:
    reply = tasks.reply(message)
    assert reply is not None
    assert (json.loads(reply) if isinstance(said, dict) else reply) == said


@pytest.mark.parametrize(
    "message",
    [
        "When does the ferry leave?",
        "User: what does the manual say about ferries?",
        'What does {"title": "ferry"} in the settings mean?',
        "المستخدم: من له الحق في التعديل؟",
        "Who is the user: a reader or a writer?",
        "Users: how many are there?\nAI: who makes it?",
    ],
)
def test_a_question_is_none(message: str) -> None:
    assert tasks.reply(message) is None


@pytest.mark.parametrize("piece", ["\n", '{ "', "user\n", "* ", 'role": "'])
def test_a_long_message_is_read_in_no_time(piece: str) -> None:
    began = time.monotonic()
    assert tasks.reply(piece * 400_000) is None
    assert time.monotonic() - began < 5
