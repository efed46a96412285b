"""Checks questions.jsonl against corpus/. Exits with 1 and a list of faults, or prints the counts. Needs only Python."""
import json
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
FIELDS = {"id": str, "question": str, "question_language": str, "answerable": bool, "category": str, "source": str,
          "gold_spans": list, "answer": str, "must_include": list, "must_not_include": list, "context_turns": list}
REFUSED = {"unanswerable_near": 10, "false_premise": 8, "unanswerable_far": 7}
ANSWERED = {"number", "name", "date", "place", "reason", "condition", "procedure", "list", "comparison", "yes_no", "correction", "multi_sentence",
            "keyword", "typo", "spelling_variant", "dialect_gulf", "dialect_egyptian", "dialect_levantine", "follow_up"}
NO_ANSWER = {"ar": "لا تجيب الوثائق عن هذا السؤال.", "en": "The documents do not answer this question."}
EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FOLD = str.maketrans({**dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ء": None, "٫": ".", "٬": ",", "،": ",",
                      "٪": "%", "–": "-", "’": "'", "ـ": None, "*": None, "`": None, **{chr(0x660 + i): str(i) for i in range(10)}})
bad = []


def fold(s):
    s = unicodedata.normalize("NFC", s).translate(FOLD)
    s = "".join(c for c in unicodedata.normalize("NFKD", s) if not unicodedata.combining(c)).casefold().translate(FOLD)
    s = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", s)
    return " ".join(re.sub(r"(?<=\d)\s+%", "%", s).split())


def holds(alternative, text):
    a = fold(alternative)
    left = r"(?<![a-z0-9])(?<!\d[.,])" if re.match("[a-z0-9]", a) else ""
    right = r"(?![0-9]|[.,]\d)" if a[-1].isdigit() else r"(?:s|'s)?(?![a-z])" if re.search("[a-z]$", a) else ""
    return re.search(left + re.escape(a) + right, fold(text)) is not None


def check(ok, *message):
    if not ok:
        bad.append(" ".join(map(str, message)))


def arabic(s):
    """An Arabic question may name something in Latin letters, an English one holds no Arabic letter."""
    n = len(re.findall("[\u0621-\u064a]", s))
    return True if n >= 6 else False if n == 0 else None


MARKERS = r"(?:- |\d+\. |\d+\.\d |[A-Z]\d\. |Step \d\. |[٠-٩د]-[٠-٩] |[أ-يa-d]\) |ج: |المادة [٠-٩]+: |أولًا: |ثانيًا: |ثالثًا: |\*\*[^*\n]+\*\* )"
WRAPPED, CRLF = "en_visa_guide.txt", "en_pet_insurance.txt"


def whole(span, name):
    """Some occurrence of the span starts and ends where a sentence, list item, clause, answer or table row does."""
    text = docs[name]
    for m in re.finditer(re.escape(span), text):
        before, after = text[:m.start()], text[m.end():]
        line = before.rsplit("\n", 1)[-1]
        starts = line == "" or re.search(r"[.!?؟»:] $", line) or re.fullmatch(r" *" + MARKERS + "+", line) or re.search(r" " + MARKERS + "$", line)
        ends = not after or after[0] == "\n" or after[0] == " " and span[-1] in ".!?؟»"
        if name == WRAPPED:  # there a line's end is a sentence's only after a full stop, a heading or a paragraph
            previous = before.rstrip("\n").rsplit("\n", 1)[-1]
            starts = (line != "" and starts or line == "" and (before.endswith("\n\n") or before.endswith(".\n") or before.endswith("\n") and len(previous) < 60)
                      or before.endswith(".\n"))
            ends = not after or span[-1] in ".!?" and after[0] in " \n" or after.startswith(("\n\n", "\n-"))
        if starts and ends:
            return True
    return False


docs = {}
for p in sorted((HERE / "corpus").iterdir()):
    raw = p.read_bytes()
    docs[p.name] = p.open(encoding="utf-8", newline=None).read()
    words = len(docs[p.name].split())
    check(500 <= words <= 1100, p.name, words, "words")
    check(raw.count(b"\r\n") == (raw.count(b"\n") if p.name == CRLF else 0), p.name, "line ends")
    check((max(map(len, docs[p.name].split("\n"))) <= 72) == (p.name == WRAPPED), p.name, "wrapped at 72 or not")
    check(p.stat().st_size < 1_000_000, p.name, "size")
    letters = len(re.findall("[\u0621-\u064a]", docs[p.name])), len(re.findall("[A-Za-z]", docs[p.name]))
    check((letters[0] > letters[1]) == p.name.startswith("ar_"), p.name, "language")
check(Counter(n[:3] for n in docs) == {"ar_": 6, "en_": 6}, "documents", Counter(n[:3] for n in docs))
for lang in ("ar", "en"):  # one Markdown file at least in each language with a table and a nested list
    check(any(n.startswith(lang) and n.endswith(".md") and "|---" in t and re.search(r"^- .*\n {2,}- ", t, re.M) for n, t in docs.items()), lang, "table and nested list")
alltext = "\n".join(docs.values())
for what, pattern in {"tashkeel": "[\u064b-\u0652]", "tatweel": "ـ", "Hijri date": r"[0-9٠-٩]{4}هـ", "Eastern digits": "[٠-٩]", "percentage": "[0-9٠-٩][%٪]"}.items():
    check(re.search(pattern, alltext), "no", what)

rows = [json.loads(x) for x in (HERE / "questions.jsonl").open(encoding="utf-8")]
check(len(rows) == 200, len(rows), "questions")
check(len({r["id"] for r in rows}) == 200, "ids repeat")
check([r["id"] for r in rows] == [f"r{i:03d}" for i in range(1, 201)], "ids are not r001 to r200 in order")
asked = Counter((fold(r["question"]), json.dumps(r["context_turns"])) for r in rows)
check(max(asked.values()) == 1, "questions repeat", [q for q, n in asked.items() if n > 1])
kinds, used, spans = Counter(), Counter(), Counter()
for r in rows:
    w, lang = r["id"], r["question_language"]
    check(list(r) == list(FIELDS), w, "fields", list(r))
    for k, t in FIELDS.items():
        check(type(r.get(k)) is t, w, k, "is not", t.__name__)
    check(lang in ("ar", "en") and arabic(r["question"]) is (lang == "ar"), w, "language of the question")
    check(r["question"] == r["question"].strip() != "" and r["answer"] == r["answer"].strip() != "", w, "empty text or white space")
    check(arabic(r["answer"]) is not (lang == "en") or not re.search("[\u0621-\u064aA-Za-z]", r["answer"]), w, "language of the answer")
    for t in r["context_turns"]:
        check(list(t) == ["role", "content"] and t["content"].strip(), w, "turn", t)
    if not r["answerable"]:
        check(r["source"] == "" and not (r["gold_spans"] or r["must_include"] or r["must_not_include"] or r["context_turns"]), w, "not empty")
        check(r["category"] in REFUSED, w, r["category"])
        check((r["answer"] == NO_ANSWER[lang]) == (r["category"] != "false_premise"), w, "answer to an unanswerable question")
        kinds[lang, r["category"]] += 1
        continue
    check(r["source"] in docs and r["gold_spans"] and r["must_include"], w, "source, spans or groups missing")
    check(r["category"] in ANSWERED, w, r["category"])
    check((r["category"] == "follow_up") == bool(r["context_turns"]), w, "turns")
    if r["context_turns"]:
        check([t["role"] for t in r["context_turns"]] == ["user", "assistant"], w, "roles")
        check(all(arabic(t["content"]) is not (lang == "en") for t in r["context_turns"]), w, "language of the turns")
        check(not all(any(holds(x, r["context_turns"][1]["content"]) for x in g) for g in r["must_include"]), w, "the turns give the answer away")
    same = r["source"][:2] == lang
    kinds[lang, "same" if same else "other"] += 1
    kinds[lang, "follow_up", "same" if same else "other"] += bool(r["context_turns"])
    used[r["source"], lang] += 1
    text = docs.get(r["source"], "")
    check(len(set(r["gold_spans"])) == len(r["gold_spans"]), w, "spans repeat")
    for s in r["gold_spans"]:
        spans[s] += 1
        check(text.count(s) >= 1, w, "not verbatim:", s[:60])
        check(sum(s in t for t in docs.values()) == 1, w, "stands in several documents:", s[:60])
        check(s == s.strip() and whole(s, r["source"]), w, "not whole:", s[:60])
    for g in r["must_include"]:
        check(isinstance(g, list) and g and all(isinstance(x, str) and fold(x) for x in g) and len(set(g)) == len(g), w, "group", g)
        check(any(holds(x, r["answer"]) for x in g), w, "the answer lacks", g[:4])
        check(any(holds(x, s) for x in g for s in r["gold_spans"]), w, "no span holds", g[:4])
        both = any(re.search("[a-zA-Z]", x) for x in g) and any(re.search("[\u0621-\u064a]", x) for x in g)
        check(both or any(re.search(r"\d", x) for x in g) or r["must_include"] and g == ["K4"], w, "one language only:", g[:4])
        for x in g:
            if re.search("[0-9]", x) and not re.search("[A-Za-z\u0621-\u064a]", x):
                check(any(fold(x) == fold(y) and re.search("[٠-٩]", y) for y in g), w, "only Western digits:", x)
            if re.search("[٠-٩]", x) and not re.search("[A-Za-z\u0621-\u064a]", x):
                check(any(fold(x) == fold(y) and re.search("[0-9]", y) for y in g), w, "only Eastern digits:", x)
    for x in r["must_not_include"]:
        check(isinstance(x, str) and fold(x), w, "forbidden value", x)
        check(not any(holds(x, s) for s in [r["answer"], *r["gold_spans"]]), w, "a right answer holds", x)
        check(not any(fold(x) == fold(y) for g in r["must_include"] for y in g), w, "both asked for and forbidden:", x)
        if re.fullmatch(r"[\d.,]+", x) and re.search("[0-9]", x):
            check(x.translate(EASTERN) in r["must_not_include"], w, "forbidden only in Western digits:", x)
for lang in ("ar", "en"):
    want = {(lang, "same"): 37, (lang, "other"): 38, **{(lang, k): n for k, n in REFUSED.items()}, (lang, "follow_up", "same"): 4, (lang, "follow_up", "other"): 4}
    got = {k: kinds[k] for k in want}
    check(got == want, "counts", got)
check(all(6 <= used[n, lang] <= 7 for n in docs for lang in ("ar", "en")), "questions by document", dict(used))

if bad:
    print(*bad, sep="\n")
    sys.exit(1)
print(len(rows), "questions:", ", ".join(f"{' '.join(k)} {n}" for k, n in sorted(kinds.items()) if n))
print("categories:", ", ".join(f"{k} {n}" for k, n in Counter(r["category"] for r in rows).most_common()))
print("documents:", ", ".join(f"{n} {used[n, 'ar'] + used[n, 'en']}" for n in docs))
