"""Checks questions.jsonl and judge.jsonl against corpus/. Exits with 1 and a list of faults, or prints the counts."""

import json
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
FIELDS = {
    "id": str,
    "question": str,
    "question_language": str,
    "answerable": bool,
    "category": str,
    "source": str,
    "gold_spans": list,
    "answer": str,
    "must_include": list,
    "must_not_include": list,
    "context_turns": list,
}
JUDGE = {"question": str, "sentence": str, "answers": bool, "why": str}
WHY = {
    "answers",
    "same topic, other fact",
    "same entity, other attribute",
    "other entity, same attribute",
    "negated/false premise",
    "far",
}
REFUSED = {"unanswerable_near": 10, "false_premise": 8, "unanswerable_far": 6}
FOLD = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        "ى": "ي",
        "ة": "ه",
        "ؤ": "و",
        "ئ": "ي",
        "ء": None,
        "٫": ".",
        "٬": ",",
        "،": ",",
        "٪": "%",
        "–": "-",
        "’": "'",
        "ـ": None,
        "*": None,
        "`": None,
        **{chr(0x660 + i): str(i) for i in range(10)},
    }
)
bad = []


def fold(s):
    s = unicodedata.normalize("NFC", s).translate(FOLD)
    s = (
        "".join(c for c in unicodedata.normalize("NFKD", s) if not unicodedata.combining(c))
        .casefold()
        .translate(FOLD)
    )
    s = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", s)
    return " ".join(re.sub(r"(?<=\d)\s+%", "%", s).split())


def holds(alternative, text):
    a = fold(alternative)
    left = r"(?<![a-z0-9])(?<!\d[.,])" if re.match("[a-z0-9]", a) else ""
    right = (
        r"(?![0-9]|[.,]\d)"
        if a[-1].isdigit()
        else r"(?:s|'s)?(?![a-z])"
        if re.search("[a-z]$", a)
        else ""
    )
    return re.search(left + re.escape(a) + right, fold(text)) is not None


def check(ok, *message):
    if not ok:
        bad.append(" ".join(map(str, message)))


def fields(row, spec, where):
    check(list(row) == list(spec), where, "fields", list(row))
    for k, t in spec.items():
        check(type(row.get(k)) is t, where, k, "is not", t.__name__)


# no full stop, yet another sentence follows on the line
UNSTOPPED = {
    "تنتظر الحافلة عند كل موقف دقيقتين فقط",
    "رُفض طلب السيد وائل جرادات لأنه لا يملك أرضًا داخل نطاق التعاونية",
}


def whole(span, name):
    """Some occurrence of the span starts and ends where a sentence, list item, clause or table row does."""
    text = docs[name]
    for m in re.finditer(re.escape(span), text):
        before, after = text[: m.start()], text[m.end() :]
        starts = re.search(
            r"(?:^|\n|[.!?؟»] |\n(?:-|\d+\.|\d+\.\d|[٠-٩م]-[٠-٩]|[أ-ي]\)|Answer:) )$", before
        ) or any(before.endswith(u + " ") for u in UNSTOPPED)
        ends = (
            not after
            or after[0] == "\n"
            or after[0] == " "
            and (span[-1] in ".!?؟»" or span in UNSTOPPED)
        )
        if name == WRAPPED:  # there a line's end is not a sentence's
            starts = starts and not (before.endswith("\n") and before[-2:-1] not in ".\n")
            ends = ends and (span[-1] == "." or text[m.end() : m.end() + 2] == "\n\n")
        if starts and ends:
            return True
    return False


def arabic(s):
    return len(re.findall("[\u0621-\u064a]", s)) >= 6


WRAPPED = "en_bus_rules.txt"
docs = {}
for p in sorted((HERE / "corpus").iterdir()):
    raw = p.read_bytes()
    docs[p.name] = p.open(encoding="utf-8", newline=None).read()
    words = len(docs[p.name].split())
    check(500 <= words <= 1200, p.name, words, "words")
    check(raw.count(b"\r\n") in (0, raw.count(b"\n")), p.name, "mixed line ends")
check(
    Counter(n[:3] for n in docs) == {"ar_": 6, "en_": 6}, "documents", Counter(n[:3] for n in docs)
)
check(
    sum(b"\r\n" in p.read_bytes() for p in (HERE / "corpus").iterdir()) == 1,
    "one document has Windows line ends",
)
check(
    sum(max(map(len, t.split("\n"))) <= 72 for t in docs.values()) == 1,
    "one document is wrapped at 72",
)

rows = [json.loads(x) for x in (HERE / "questions.jsonl").open(encoding="utf-8")]
check(len(rows) == 200, len(rows), "questions")
check(len({r["id"] for r in rows}) == 200, "ids repeat")
first = [r for r in rows if not r["context_turns"]]
check(len({fold(r["question"]) for r in first}) == len(first), "questions repeat")
kinds = Counter()
for r in rows:
    w, lang = r["id"], r["question_language"]
    fields(r, FIELDS, w)
    check(
        lang in ("ar", "en") and arabic(r["question"]) == (lang == "ar"),
        w,
        "language of the question",
    )
    check(r["question"].strip() and r["answer"].strip(), w, "empty text")
    for t in r["context_turns"]:
        check(
            list(t) == ["role", "content"]
            and t["role"] in ("user", "assistant")
            and t["content"].strip(),
            w,
            "turn",
            t,
        )
    if not r["answerable"]:
        check(
            r["source"] == ""
            and not (
                r["gold_spans"] or r["must_include"] or r["must_not_include"] or r["context_turns"]
            ),
            w,
            "not empty",
        )
        check(r["category"] in REFUSED, w, r["category"])
        kinds[lang, r["category"]] += 1
        continue
    check(
        r["source"] in docs and r["gold_spans"] and r["must_include"],
        w,
        "source, spans or groups missing",
    )
    check((r["category"] == "follow_up") == bool(r["context_turns"]), w, "turns")
    check(r["category"] not in REFUSED, w, r["category"])
    kinds[
        lang, "follow_up" if r["context_turns"] else "same" if r["source"][:2] == lang else "other"
    ] += 1
    text = docs.get(r["source"], "")
    for s in r["gold_spans"]:
        check(s in text, w, "not verbatim:", s[:60])
        check(s == s.strip() and whole(s, r["source"]), w, "not whole:", s[:60])
    for g in r["must_include"]:
        check(
            isinstance(g, list)
            and g
            and all(isinstance(x, str) and x.strip() for x in g)
            and len(set(g)) == len(g),
            w,
            "group",
            g,
        )
        check(any(holds(x, r["answer"]) for x in g), w, "the answer lacks", g[:4])
        check(
            any(holds(x, s) for x in g for s in r["gold_spans"])
            or r["category"] in ("yes_no", "comparison"),
            w,
            "no span holds",
            g[:4],
        )
        for x in g:
            if re.fullmatch(r"\d+", x):
                check(
                    x.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")) in g,
                    w,
                    "only Western digits:",
                    x,
                )
    for x in r["must_not_include"]:
        check(isinstance(x, str) and x.strip(), w, "forbidden value", x)
        check(
            not any(holds(x, s) for s in [r["answer"], *r["gold_spans"]]),
            w,
            "a right answer holds",
            x,
        )
for lang in ("ar", "en"):
    want = {"same": 34, "other": 34, "follow_up": 8, **REFUSED}
    got = {k: kinds[lang, k] for k in want}
    check(got == want and sum(got.values()) == 100, lang, got)

pairs = [json.loads(x) for x in (HERE / "judge.jsonl").open(encoding="utf-8")]
check(len(pairs) == 400, len(pairs), "pairs")
check(len({(p["question"], p["sentence"]) for p in pairs}) == len(pairs), "pairs repeat")
asked = {fold(r["question"]) for r in rows}
cells = Counter()
for i, p in enumerate(pairs, 1):
    w = f"pair {i}"
    fields(p, JUDGE, w)
    check(p["why"] in WHY and (p["why"] == "answers") == p["answers"], w, p["why"])
    check(fold(p["question"]) not in asked, w, "asked in questions.jsonl:", p["question"])
    home = [n for n, t in docs.items() if p["sentence"] in t]
    check(len(home) == 1, w, "stands in", home, p["sentence"][:60])
    if home:
        check(whole(p["sentence"], home[0]), w, "not whole:", p["sentence"][:60])
        cells["ar" if arabic(p["question"]) else "en", home[0][:2], p["answers"]] += 1
check(len(cells) == 8 and set(cells.values()) == {50}, "cells", dict(cells))

if bad:
    print(*bad, sep="\n")
    sys.exit(1)
print(len(rows), "questions:", ", ".join(f"{a} {b} {n}" for (a, b), n in sorted(kinds.items())))
print("kinds:", dict(Counter(r["category"] for r in rows).most_common()))
print("documents:", dict(Counter(r["source"] for r in rows if r["source"])))
print(len(pairs), "pairs:", dict(Counter(p["why"] for p in pairs)))
