"""The words of the report, in both languages: the Quality tab shows either, the files the English.

Names of runs, files and machines are not among them: they are shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rag.phrase import Phrase

Words = Phrase | str
"""What can be said in both languages, or is the same in both."""

RAWI: Final = Phrase("راوي", "Rawi")
STARTER: Final = Phrase("خط الأساس", "starter")
SYSTEMS: Final = (RAWI, STARTER)

MEASURES: Final[Mapping[str, Phrase]] = {
    "right": Phrase("صحيح، أو مرفوض عن حق", "right, or rightly refused"),
    "correct": Phrase("أجوبة صحيحة، مما له جواب", "right answer, of answerable questions"),
    "right_in_its_words": Phrase(
        "منها بكلمات الوثيقة وبلغتها", "of these, in the document's own words and language"
    ),
    "incomplete": Phrase("أجوبة ناقصة، لا خطأ فيها", "incomplete answers, nothing false in them"),
    "wrong": Phrase("أجوبة خاطئة (الأقل أفضل)", "wrong answers (lower is better)"),
    "third_script": Phrase(
        "أجوبة فيها حروف كتابة ثالثة (الأقل أفضل)",
        "answers with letters of a third script (lower is better)",
    ),
    "evidence_hit": Phrase(
        "في الأدلة المعروضة الجملة المرجعية", "evidence shown holds the gold span"
    ),
    "citation_precision": Phrase("دقة الاستشهاد", "citation precision"),
    "citation_recall": Phrase("استدعاء الاستشهاد", "citation recall"),
    "right_and_cited": Phrase(
        "أجوبة صحيحة تستشهد بالجملة المرجعية", "right answers that cite the gold span"
    ),
    "verbatim_share": Phrase("اقتباسات حرفية", "quotes that are verbatim"),
    "language_match": Phrase("أجوبة بلغة السائل", "answers in the asker's language"),
    "obeyed": Phrase("أوامر أُطيعت (الأقل أفضل)", "orders that were obeyed (lower is better)"),
    "order_shown": Phrase(
        "أوامر في الوثائق تعرضها الأدلة", "orders in documents that the evidence shows"
    ),
    "stray_markers": Phrase(
        "أرقام إحالة بلا مصدر (الأقل أفضل)", "markers without a citation (lower is better)"
    ),
    "control_text": Phrase(
        "أجوبة فيها نصوص تحكّم (الأقل أفضل)", "answers with control text (lower is better)"
    ),
    "recall@1": Phrase("الاستدعاء عند 1", "recall@1"),
    "recall@5": Phrase("الاستدعاء عند 5", "recall@5"),
    "recall@10": Phrase("الاستدعاء عند 10", "recall@10"),
    "mrr": Phrase("متوسط مقلوب الرتبة (MRR)", "MRR"),
    "ndcg@10": Phrase("مكسب الترتيب (nDCG@10)", "nDCG@10"),
    "f1": Phrase("مقياس F1 (SQuAD)", "F1 (SQuAD)"),
    "f1_folded": Phrase("مقياس F1 بعد توحيد الرسم العربي", "F1, Arabic folded"),
    "exact_match": Phrase("تطابق تام (SQuAD)", "exact match (SQuAD)"),
    "exact_match_folded": Phrase("تطابق تام بعد توحيد الرسم العربي", "exact match, Arabic folded"),
    "balanced_accuracy": Phrase("الدقة المتوازنة للرفض", "balanced accuracy of refusing"),
    "hallucination_rate": Phrase(
        "نسبة الاختلاق: أجاب حيث لا جواب (الأقل أفضل)",
        "hallucination rate: answered without an answer (lower is better)",
    ),
    "error_rate": Phrase(
        "نسبة الخطأ: رفض ما له جواب (الأقل أفضل)",
        "error rate: refused what has an answer (lower is better)",
    ),
}
LANGUAGES: Final[Mapping[str, Phrase]] = {
    "all": Phrase("الكل", "all"),
    "ar": Phrase("العربية", "Arabic"),
    "en": Phrase("الإنجليزية", "English"),
}
TIMES: Final[Mapping[str, Phrase]] = {
    "retrieve_s": Phrase("الأدلة", "evidence"),
    "first_token_s": Phrase("أول كلمة", "first token"),
    "total_s": Phrase("الجواب كله", "whole answer"),
}
CATEGORIES: Final[Mapping[str, Phrase]] = {
    "number": Phrase("رقم", "number"),
    "name": Phrase("اسم", "name"),
    "date": Phrase("تاريخ", "date"),
    "definition": Phrase("تعريف", "definition"),
    "list": Phrase("قائمة", "list"),
    "reason": Phrase("سبب", "reason"),
    "comparison": Phrase("مقارنة", "comparison"),
    "yesno": Phrase("نعم أو لا", "yes or no"),
    "multi": Phrase("من عدة جمل", "several sentences"),
    "both": Phrase("من المقالين معًا", "both articles"),
    "followup": Phrase("سؤال متابعة", "follow-up"),
    "dialect": Phrase("لهجة", "dialect"),
    "spelling": Phrase("رسم آخر", "other spelling"),
    "typo": Phrase("خطأ في الكتابة", "typo"),
    "false_premise": Phrase("مقدمة باطلة", "false premise"),
    "unanswerable_near": Phrase("بلا جواب، قريب من الوثائق", "unanswerable, near"),
    "unanswerable_far": Phrase("بلا جواب، بعيد عن الوثائق", "unanswerable, far"),
    # Where an injected order stands.
    "document": Phrase("أمر في وثيقة", "document"),
    "question": Phrase("أمر في السؤال", "question"),
}

MEASURES_CAPTION: Final = Phrase("المقاييس", "Measures")
BY_CATEGORY: Final = Phrase("بحسب نوع السؤال", "By category")
BY_DIRECTION: Final = Phrase(
    "بحسب لغتي السؤال والوثيقة", "By the languages of question and document"
)
BY_DIRECTION_NOTE: Final = Phrase("لغة السؤال ← لغة الوثيقة.", "question ← document.")
TIME_AND_TOKENS: Final = Phrase("الوقت وعدد الرموز", "Time and tokens")

MEASURE: Final = Phrase("المقياس", "measure")
COUNT: Final = Phrase("العدد", "n")
CATEGORY: Final = Phrase("نوع السؤال", "category")
DIRECTION: Final = Phrase("اللغتان", "languages")
PERCENTILES: Final = Phrase("الوسيط · المئين 95", "p50 · p95")
UNTIL: Final = Phrase("حتى", "to")
PROMPT_TOKENS: Final = Phrase("رموز المدخل", "prompt tokens")
ANSWER_TOKENS: Final = Phrase("رموز الجواب", "answer tokens")

PAIRED: Final = Phrase(
    "الفروق: هذا التشغيل ناقصًا {name}", "Paired differences: this run minus {name}"
)
PAIRED_NOTE: Final = Phrase(
    "ما فوق الصفر فهذا التشغيل فيه أعلى. والمجال الذي يحوي الصفر لا يُظهر فرقًا.",
    "Above zero, this run is higher. An interval that holds zero shows no difference.",
)
DIFFERENCE: Final = Phrase("الفرق بالنقاط (95 %)", "difference, points (95 %)")
QUESTIONS: Final = Phrase("الأسئلة", "questions")

RISK_FIGURE: Final = Phrase("الخطر والتغطية", "Risk and coverage")
RISK_NOTE: Final = Phrase(
    "أوثق الأجوبة أولًا. والعلامة حيث يقف النظام بعتبته: وبعدها يُحسب ما رُفض خطأً.",
    "Surest answers first. The mark is where the system's own threshold puts it: beyond it"
    " the curve counts refusals as wrong.",
)


def english(words: Words) -> str:
    """Return the words in English."""
    return words.en if isinstance(words, Phrase) else words


def joined(*parts: Words, by: Phrase = Phrase("، ", ", ")) -> Phrase:  # noqa: B008 - frozen
    """Put words side by side in each language."""
    phrases = [part if isinstance(part, Phrase) else Phrase(part, part) for part in parts]
    return Phrase(by.ar.join(p.ar for p in phrases), by.en.join(p.en for p in phrases))


def of_group(name: str) -> Words:
    """Return the words for a group of questions: a language, a category, or both of them.

    A name that a set made up itself stays as it is.
    """
    known = {**CATEGORIES, **LANGUAGES}
    parts = name.split(", ")
    if not any(part in known for part in parts):
        return name
    return joined(*(known.get(part, part) for part in parts))
