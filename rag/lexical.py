"""Words: passages found by what is written alike, in SQLite's FTS5.

Two tables follow ``passages``. *grams* holds the 4-grams of folded words: Arabic joins articles,
prepositions and pronouns to its words, and 4-grams meet across them without a stemmer. *names*
holds words reduced to the sounds that both scripts write, so that ألتمان meets Altman and جوجل
meets Google; it is asked only about passages in the other language than the question.

Both are contentless, so a row is removed by naming the very tokens that were put in. Beside each
stands in how many passages a token is: FTS5 itself would have to read all their rows to tell.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from rag.language import fold

Table = Literal["grams", "names"]
_TABLES: tuple[Table, ...] = ("grams", "names")

SCHEMA = """
CREATE VIRTUAL TABLE IF NOT EXISTS grams USING fts5(tokens, content='');
CREATE VIRTUAL TABLE IF NOT EXISTS names USING fts5(tokens, content='');
CREATE TABLE IF NOT EXISTS grams_counts (token TEXT PRIMARY KEY, passages INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS names_counts (token TEXT PRIMARY KEY, passages INTEGER) WITHOUT ROWID;
"""

GRAM = 4  # characters; 3 and 5 find less in Arabic
# Of a question's tokens, those that are rare enough to tell passages apart, the rarest first, until
# so many rows would be scored (1.4 microseconds each): a search in a large index stays about as
# quick as in a small one, and loses only tokens that weigh next to nothing.
_COMMON = 0.3  # share of all passages
_MAX_ROWS = 3_000

_WORD = re.compile(r"\w+")
_ARABIC_WORD = re.compile("[\u0621-\u06d3]+")
_LATIN_WORD = re.compile(r"[^\W\d_\u0600-\u06ff]+")

# Sounds that one script spells in several ways, or has no letter for, become one; every vowel is V.
_ARABIC_SOUNDS = str.maketrans(
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويءڤپچگ", "VbttkhkddrssssdtsVkfkklmnhVVVfbsk"
)
_LATIN_SOUNDS = str.maketrans("abcdefghijklmnopqrstuvwyz", "VbkdVfkhVkklmnVbkrstVfVVs")
_LATIN_PAIRS = (
    ("sch", "s"), ("sh", "s"), ("ch", "s"), ("th", "t"), ("ph", "f"), ("gh", "k"), ("kh", "k"),
    ("ck", "k"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("x", "ks"),
)  # fmt: skip
_PREFIXES = ("وال", "بال", "ال", "و", "ب", "ل", "ف")
_MIN_CONSONANTS = 3  # fewer tell names apart only together with their vowels


@dataclass(frozen=True)
class LexicalQuery:
    """A question's tokens with their weights.

    :ivar grams: Inverse document frequency, above 0, by 4-gram.
    :ivar names: The same by sounds.
    """

    grams: Mapping[str, float]
    names: Mapping[str, float]

    def share(self, text: str, table: Table) -> float:
        """Return how much of the question's weight a text holds, 0 to 1."""
        weights = self.grams if table == "grams" else self.names
        whole = sum(weights.values())
        if not whole:
            return 0.0
        held = weights.keys() & set(_tokens(text, table))
        return sum(weights[token] for token in held) / whole


def insert(db: sqlite3.Connection, number: int, text: str) -> None:
    """Add a passage, with its heading, under its number."""
    for table in _TABLES:
        tokens = list(_tokens(text, table))
        values = (number, " ".join(tokens))
        db.execute(f"INSERT INTO {table} (rowid, tokens) VALUES (?, ?)", values)  # noqa: S608
        db.executemany(
            f"INSERT INTO {table}_counts VALUES (?, 1)"  # noqa: S608
            " ON CONFLICT (token) DO UPDATE SET passages = passages + 1",
            [(token,) for token in sorted(set(tokens))],
        )


def delete(db: sqlite3.Connection, number: int, text: str) -> None:
    """Remove a passage; ``text`` is what was given to ``insert``."""
    for table in _TABLES:
        tokens = list(_tokens(text, table))
        db.execute(
            f"INSERT INTO {table} ({table}, rowid, tokens) VALUES ('delete', ?, ?)",  # noqa: S608
            (number, " ".join(tokens)),
        )
        distinct = [(token,) for token in sorted(set(tokens))]
        fewer = f"UPDATE {table}_counts SET passages = passages - 1 WHERE token = ?"  # noqa: S608
        db.executemany(fewer, distinct)
        none = f"DELETE FROM {table}_counts WHERE token = ? AND passages = 0"  # noqa: S608
        db.executemany(none, distinct)


def check(db: sqlite3.Connection) -> None:
    """Read both tables through.

    :raises sqlite3.DatabaseError: When one is damaged.
    """
    for table in _TABLES:
        db.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")  # noqa: S608
    db.rollback()


def prepare(db: sqlite3.Connection, question: str) -> LexicalQuery:
    """Weigh the tokens of a question by how rare they are in the index."""
    (passages,) = db.execute("SELECT count(*) FROM passages").fetchone()
    return LexicalQuery(
        _weights(db, "grams", question, passages), _weights(db, "names", question, passages)
    )


def search(
    db: sqlite3.Connection,
    query: LexicalQuery,
    table: Table,
    limit: int,
    docs: Collection[str] | None = None,
) -> dict[int, float]:
    """Return the BM25 scores of the best passages by number, best first.

    :param docs: Only in these documents.
    """
    weights = query.grams if table == "grams" else query.names
    if not weights:
        return {}
    tokens = " OR ".join(f'"{token}"' for token in weights)  # \w only: nothing to escape
    among = "" if docs is None else "AND passages.doc IN (SELECT value FROM json_each(:docs))"
    rows = db.execute(
        f"SELECT passages.number, -bm25({table}) FROM {table}"  # noqa: S608
        f" JOIN passages ON passages.number = {table}.rowid"
        f" WHERE {table} MATCH :tokens {among} ORDER BY {table}.rank LIMIT :limit",
        {"tokens": tokens, "docs": json.dumps(sorted(docs or ())), "limit": limit},
    )
    return dict(rows.fetchall())


def sounds_alike(name: str, text: str) -> bool:
    """Tell whether a text holds a name as either script spells it: ألتمان holds Altman.

    Only the sounds that both scripts write are compared, so that it may err on the side of yes.
    """
    wanted = sounds(name)
    return bool(wanted) and wanted in _names(text)


def sounds(name: str) -> str:
    """Return how a name sounds in either script; "" where that could be anything."""
    return _sounds(fold(name))


def is_telling(name: str) -> bool:
    """Tell whether a name has enough consonants to be told from others in the other script."""
    return len(sounds(name).replace("V", "")) >= _MIN_CONSONANTS


def is_named(name: str, text: str) -> bool:
    """Tell whether a text of the other script holds a name's consonants, in one word or two.

    A woman's name ends in a letter that only one script writes: فاطمة holds Fatima.
    """
    words = [_consonants(word) for word in _WORD.findall(fold(text))]
    words += [first + second for first, second in pairwise(words)]
    return _consonants(fold(name)) in words


def _consonants(folded: str) -> str:
    return re.sub("V|h$", "", _sounds(folded.removeprefix("ال")))


def _weights(db: sqlite3.Connection, table: Table, text: str, passages: int) -> dict[str, float]:
    """Return the idf of BM25, log((N - n + ½) / (n + ½)), of the tokens worth asking for."""
    wanted = sorted(set(_tokens(text, table)))
    rows = db.execute(
        f"SELECT token, passages FROM {table}_counts"  # noqa: S608
        " WHERE token IN (SELECT value FROM json_each(?)) ORDER BY passages, token",
        (json.dumps(wanted),),
    )
    weights: dict[str, float] = {}
    scored = 0
    for token, held_by in rows:
        scored += held_by
        if scored > _MAX_ROWS or (weights and held_by > _COMMON * passages):
            break
        weights[token] = math.log(1 + (passages - held_by + 0.5) / (held_by + 0.5))
    return weights


def _tokens(text: str, table: Table) -> Iterable[str]:
    return grams(text) if table == "grams" else _names(text)


def grams(text: str) -> list[str]:
    """Return the 4-grams of a text's folded words."""
    found = []
    for word in _WORD.findall(fold(text)):
        found += [word[i : i + GRAM] for i in range(max(1, len(word) - GRAM + 1))]
    return found


def held(words: Iterable[str], text: str) -> frozenset[str]:
    """Return those of some words that a text holds, whatever is joined to them or inflected.

    A word is held when most of its 4-grams are.
    """
    there = set(grams(text))
    wanted = {word: grams(word) for word in words}
    return frozenset(
        word for word, own in wanted.items() if own and 2 * len(there & set(own)) > len(set(own))
    )


def _names(text: str) -> list[str]:
    """Return the sounds of Latin words with a capital and of Arabic words, which have none."""
    words = [fold(word) for word in _LATIN_WORD.findall(text) if word[0].isupper()]
    for word in _ARABIC_WORD.findall(fold(text)):
        words += sorted(
            {word, *(word.removeprefix(p) for p in _PREFIXES if len(word) > len(p) + 2)}
        )
    return [heard for word in words if (heard := _sounds(word))]


def _sounds(word: str) -> str:
    """Return a folded word's consonants, of a short one its vowels too; "" if that says nothing."""
    if _ARABIC_WORD.match(word):
        spelled = word.translate(_ARABIC_SOUNDS)
    else:
        for pair, sound in _LATIN_PAIRS:
            word = word.replace(pair, sound)
        spelled = word.removesuffix("e").translate(_LATIN_SOUNDS)
    spelled = re.sub(r"(.)\1+", r"\1", spelled)  # Arabic doesn't write a doubled letter twice
    consonants = spelled.replace("V", "")
    if len(consonants) >= _MIN_CONSONANTS:
        return consonants
    return spelled if len(consonants) == 2 and "V" in spelled else ""
