"""Words: which meet, which don't, and what they weigh."""

from __future__ import annotations

import math
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import lexical
from rag.lexical import LexicalQuery


def words_of(text: str, table: lexical.Table) -> set[str]:
    """Return the tokens of a text, read off a query that gives each a weight."""
    return set(lexical._tokens(text, table))


@pytest.fixture
def db() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE passages (number INTEGER PRIMARY KEY, doc TEXT);")
    connection.executescript(lexical.SCHEMA)
    return connection


def fill(db: sqlite3.Connection, *texts: str) -> None:
    for number, text in enumerate(texts, start=1):
        db.execute("INSERT INTO passages VALUES (?, ?)", (number, f"{number}.txt"))
        lexical.insert(db, number, text)


@pytest.mark.parametrize(
    ("arabic", "latin"),
    [
        ("ألتمان", "Altman"),
        ("وألتمان", "Altman"),
        ("سورا", "Sora"),
        ("جوجل", "Google"),
        ("غوغل", "Google"),
        ("مايكروسوفت", "Microsoft"),
        ("ترامب", "Trump"),
        ("نيويورك", "Newyork"),
        ("باريس", "Paris"),
        ("ماسك", "Musk"),
    ],
)
def test_a_name_meets_itself_in_the_other_script(arabic: str, latin: str) -> None:
    assert words_of(arabic, "names") & words_of(latin, "names")


@pytest.mark.parametrize(
    ("arabic", "latin"),
    [("ألتمان", "Hoffman"), ("سورا", "Meta"), ("جوجل", "Apple"), ("باريس", "London")],
)
def test_other_names_do_not(arabic: str, latin: str) -> None:
    assert not words_of(arabic, "names") & words_of(latin, "names")


def test_english_words_without_a_capital_are_no_names() -> None:
    assert words_of("the musk of a deer", "names") == set()


def test_words_meet_without_their_prefixes_and_marks() -> None:
    assert words_of("والتَّمويلُ", "grams") & words_of("تمويل", "grams") == {"تموي", "مويل"}
    assert words_of("٢٠٢٥", "grams") == words_of("2025", "grams") == {"2025"}


def counts(db: sqlite3.Connection, table: lexical.Table) -> dict[str, int]:
    """Return in how many passages each token is, as we count them."""
    return dict(db.execute(f"SELECT token, passages FROM {table}_counts"))


def fts_counts(db: sqlite3.Connection, table: lexical.Table) -> dict[str, int]:
    """Return the same as FTS5 counts it."""
    db.execute("DROP TABLE IF EXISTS temp.vocabulary")
    db.execute(f"CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, {table}, 'row')")
    return dict(db.execute("SELECT term, doc FROM vocabulary"))


def test_tokens_are_counted_as_fts5_counts_them(db: sqlite3.Connection) -> None:
    fill(db, "kite kite Altman", "kite", "ألتمان والقمر", "القمر")
    for table in ("grams", "names"):
        assert counts(db, table) == fts_counts(db, table)


def test_a_token_weighs_its_inverse_document_frequency(db: sqlite3.Connection) -> None:
    fill(db, "rare common", "common", "blue", "green", "white", "black", "brown")
    weights = lexical.prepare(db, "rare").grams
    # log(1 + (7 - 1 + ½) / (1 + ½))
    assert weights == {"rare": pytest.approx(math.log(1 + 6.5 / 1.5))}


def test_tokens_of_too_many_passages_are_not_asked_for(db: sqlite3.Connection) -> None:
    fill(db, *["same word"] * 9, "same else")
    assert set(lexical.prepare(db, "same else").grams) == {"else"}


def test_a_large_index_is_asked_for_its_rarest_tokens_alone(
    db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "_MAX_ROWS", 3)
    fill(db, "aaaa bbbb", "bbbb", "cccc", "cccc", "cccc", *["dddd"] * 15)
    # aaaa in 1 and bbbb in 2 make 3 rows; cccc would make 6.
    assert set(lexical.prepare(db, "aaaa bbbb cccc").grams) == {"aaaa", "bbbb"}


def test_passages_come_best_first_and_only_of_these_documents(db: sqlite3.Connection) -> None:
    fill(db, "kite", "kite balloon", "dog", "cat", "fish", "bird", "goat", "wolf")
    query = lexical.prepare(db, "kite balloon")
    assert list(lexical.search(db, query, "grams", 5)) == [2, 1]
    assert list(lexical.search(db, query, "grams", 1)) == [2]
    assert list(lexical.search(db, query, "grams", 5, ["1.txt"])) == [1]
    assert lexical.search(db, query, "grams", 5, []) == {}


def test_what_is_deleted_is_gone(db: sqlite3.Connection) -> None:
    fill(db, "kite Altman", "dog", "cat")
    lexical.delete(db, 1, "kite Altman")
    for table in ("grams", "names"):
        assert not counts(db, table).keys() & {"kite", "ltmn"}
        assert counts(db, table) == fts_counts(db, table)


def test_a_question_without_words_finds_nothing(db: sqlite3.Connection) -> None:
    fill(db, "kite")
    for question in ("", "؟!", '" OR NEAR(', "*"):
        assert lexical.search(db, lexical.prepare(db, question), "grams", 5) == {}


def test_the_share_of_a_question_that_a_text_holds() -> None:
    query = LexicalQuery({"kite": 3.0, "ball": 1.0}, {"ltmn": 2.0})
    assert query.share("A kite.", "grams") == 0.75
    assert query.share("A kite, a ball.", "grams") == 1.0
    assert query.share("ألتمان", "names") == 1.0
    assert LexicalQuery({}, {}).share("A kite.", "grams") == 0.0


@given(st.text(), st.text())
def test_any_text_can_be_put_in_asked_for_and_taken_out(text: str, question: str) -> None:
    db = sqlite3.connect(":memory:")
    db.executescript("CREATE TABLE passages (number INTEGER PRIMARY KEY, doc TEXT);")
    db.executescript(lexical.SCHEMA)
    text = text.encode("utf-8", "replace").decode()
    fill(db, text, "other")
    lexical.search(db, lexical.prepare(db, question), "grams", 5)
    lexical.delete(db, 1, text)
    lexical.delete(db, 2, "other")
    assert counts(db, "grams") == fts_counts(db, "grams") == {}
