"""Check the written training data; print counts. Needs only Python: ``python validate.py [file …]``."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TYPES = {
    "number", "name", "date", "place", "reason", "condition", "procedure", "list", "comparison",
    "yes_no", "definition", "other",
}  # fmt: skip
WRONG = {
    "word", "unit", "number", "negation", "dropped", "neighbour", "invented", "name", "repeats",
}  # fmt: skip
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬", "01234567890123456789.,")


def folded(text: str) -> str:
    """Bring digits into one script and space to one; take vowel signs away."""
    return " ".join(
        re.sub("[\u064b-\u065f\u0670\u0640]", "", text).translate(DIGITS).lower().split()
    )


def numbers(text: str) -> set[str]:
    """Return the numbers of a text, without separators of thousands."""
    found = re.findall(r"\d+(?:[.,]\d+)*", folded(text))
    return {number.replace(",", "") for number in found}


def is_arabic(text: str) -> bool:
    """Tell whether more letters are Arabic than Latin."""
    return len(re.findall("[\u0621-\u064a]", text)) > len(re.findall("[A-Za-z]", text))


def strange(text: str) -> list[str]:
    """Return letters of a third script."""
    found = re.findall(r"[^\W\d_A-Za-z\u00c0-\u024f\u0600-\u06ff]", text)
    return [letter for letter in found if letter.isalpha()]


def problems(record: dict[str, Any]) -> list[str]:
    """Return what is wrong with a passage."""
    bad: list[str] = []
    language, sentences = record["language"], record["sentences"]
    if not 4 <= len(sentences) <= 7 or len(sentences) != len(record["translations"]):
        bad.append("sentences and translations")
    for sentence, translation in zip(sentences, record["translations"], strict=False):
        if is_arabic(sentence) == is_arabic(translation):
            bad.append(f"same language: {translation}")
        if is_arabic(sentence) != (language == "ar"):
            bad.append(f"not in the passage's language: {sentence}")
        if strange(sentence + translation):
            bad.append(f"third script: {sentence}")
    if not any(not question["uses"] for question in record["questions"]):
        bad.append("no question without an answer")
    for question in record["questions"]:
        bad += [f"{question['en']}: {reason}" for reason in _of_question(record, question)]
    return bad


def _of_question(record: dict[str, Any], question: dict[str, Any]) -> list[str]:
    bad: list[str] = []
    if question["type"] not in TYPES:
        bad.append(f"type {question['type']}")
    if not is_arabic(question["ar"]) or is_arabic(question["en"]):
        bad.append("question's language")
    uses = question["uses"]
    if any(not 1 <= use <= len(record["sentences"]) for use in uses) or len(uses) > 2:
        bad.append(f"uses {uses}")
    if bool(uses) != bool(question["answer"]):
        bad.append("uses without an answer, or the other way round")
    source = " ".join(
        record["sentences"][use - 1] + " " + record["translations"][use - 1] for use in uses
    )
    for language in ("ar", "en"):
        right = question["answer"][language] if question["answer"] else []
        if question["answer"] and not 1 <= len(right) <= 3:
            bad.append(f"{len(right)} answers in {language}")
        for text in right:
            if not 1 <= len(text.split()) <= 14:
                bad.append(f"length: {text}")
            if numbers(text) - numbers(source) - numbers(question[language]):
                bad.append(f"number that the source lacks: {text}")
            if strange(text):
                bad.append(f"third script: {text}")
        wrong = question["wrong"][language]
        if not 2 <= len(wrong) <= 5:
            bad.append(f"{len(wrong)} wrong answers in {language}")
        for item in wrong:
            if item["kind"] not in WRONG:
                bad.append(f"kind {item['kind']}")
            if folded(item["text"]).strip(" .") in {folded(text).strip(" .") for text in right}:
                bad.append(f"right and wrong: {item['text']}")
    return bad


def main(paths: list[Path]) -> int:
    """Check files; return the exit code."""
    counts: Counter[str] = Counter()
    ids: set[str] = set()
    asked: Counter[str] = Counter()
    failed = 0
    for path in paths:
        for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                record = json.loads(line)
                bad = problems(record)
            except (ValueError, KeyError, TypeError) as exc:
                bad, record = [f"{type(exc).__name__}: {exc}"], None
            if record is not None:
                if record["id"] in ids:
                    bad.append(f"id {record['id']} twice")
                ids.add(record["id"])
                counts[f"passages {record['language']}"] += 1
                counts["sentence pairs"] += len(record["sentences"])
                for question in record["questions"]:
                    asked[folded(question["en"])] += 1
                    counts["answerable" if question["uses"] else "unanswerable"] += 1
                    for language in ("ar", "en"):
                        counts["right"] += len((question["answer"] or {}).get(language, []))
                        for item in question["wrong"][language]:
                            counts[f"wrong {item['kind']}"] += 1
            for reason in bad:
                failed += 1
                print(f"{path.name}:{at}: {reason}")
    for question, times in asked.items():
        if times > 1:
            counts["questions said twice"] += 1
    for name, count in sorted(counts.items()):
        print(f"{count:6} {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main([Path(arg) for arg in sys.argv[1:]] or sorted(HERE.glob("*.jsonl"))))
