"""Text that gives orders to a machine, within documents and questions.

A document's sentences are data and a question asks; neither may change the rules. Three walls stand
against orders: no citation passes that the program can't find in the documents, and no figure,
month or letter of another script that they don't hold (``grounding.py``); tokens of a chat template
are taken apart before an LLM reads them; and a sentence that addresses a machine, as these here do,
is neither read by the LLM nor quoted as an answer. It is still indexed, found and shown as what it
is: a sentence of its document.
"""

from __future__ import annotations

import re

from rag.language import fold, split_sentences

_TEMPLATE = re.compile(r"</?s>|\[/?INST\]|<\s*/?\s*\|?|\|\s*>", re.IGNORECASE)

_SAY = (
    r"(?:answer|reply|respond|say|state|output|print|write|repeat|return|report|tell|append|add"
    r"|include|reveal|insert|translate|use|cite|call)"
)
_MACHINE = (
    r"(?:assistants?|a\.?i\.?(?: models?| systems?)?|chat ?bots?|(?:language )?models?|llms?)"
)
_RULES = (
    r"(?:instructions?|rules?|prompts?|guidelines|directives?|above|previous|prior|earlier"
    r"|everything|sentences|documents?|context|sources?|questions?)"
)
_AR_SAY = (
    r"[فو]?(?:اجب|اجيب|اجيبوا|اكتب|اكتبوا|قل|قولوا|رد|ردوا|كرر|اطبع|اعرض|اذكر|اضف|اظهر|ترجم|استخدم"
    r"|استعمل)"
)
_AR_RULES = (
    r"(?:التعليمات|تعليمات|ما سبق|السابقه|السابق|القواعد|الاوامر|اعلاه|الوثايق|الجمل|النص|المصادر"
    r"|كل شيء|كل سوال)"
)
# Of folded text. Each needs a word that is for a machine beside an imperative, so that prose about
# machines ("the model ignores instructions") and advice to readers ("answer the letter") stays.
_ORDERS = (
    rf"\b(?:ignore|disregard|forget|override|bypass)\b.{{0,40}}\b{_RULES}\b",
    rf"(?:^|[.:;!?\"'(\[>-]\s*)(?:please |now |just |instead,? |always |only )*{_SAY}\b"
    r".{0,40}\b(?:only|exactly|nothing|word|phrase|string|instead|regardless|prompt|instructions?)\b",
    rf"\b(?:you (?:must|should|are to|will|shall|are now|can)|your (?:task|answer|reply|role) is)\b"
    rf".{{0,60}}\b(?:{_SAY}|{_MACHINE}|ignore|not|pretend)\b",
    rf"\b(?:note|message|instructions?|attention|dear|hey|hello|to|for) (?:to |for )?"
    rf"(?:the |any |all |every )?{_MACHINE}\b.{{0,80}}\b(?:must|should|{_SAY}|ignore)\b",
    rf"\b{_MACHINE}\b.{{0,60}}\b(?:must|should|shall|are to)\b.{{0,30}}\b{_SAY}\b",
    rf"\b(?:when|if|whenever)(?: you(?: are)?| anyone| someone| a user| users?| readers?)?"
    rf" (?:is |are )?(?:asks?|asked)\b.{{0,80}}\b{_SAY}\b",
    r"\b(?:answer|reply|response|statement)s?\b.{0,100}\bmust"
    r" (?:\w+ )?(?:end|begin|start|hold|contain|be)\b",
    rf"\bwhoever (?:says|asks|is asked|mentions|answers)\b.{{0,80}}\b(?:must|should|{_SAY})\b",
    rf"\b{_MACHINE}[,:].{{0,40}}\b(?:{_SAY}|decode|do|obey)\b",
    r"\b(?:system|developer|admin(?:istrator)?)\s*(?:prompt|message|note|override|instructions?|:)",
    r"(?:^|\n)\s*(?:user|assistant|system|question|answer|quote)\s*:",
    r"\b(?:reveal|print|show|repeat)\b.{0,30}\b(?:system )?prompt\b",
    r"\binstructions? (?:that |which )?(?:you (?:were|have|had|got|received)|given to you)\b",
    r"\b(?:new|updated|further|secret) instructions?\b[^.:]{0,40}:",
    r"<\s*\|?\s*(?:im_start|im_end|endoftext|system|user|assistant)\b|\[/?inst\]",
    rf"\b(?:تجاهل|تجاهلوا|انس|اهمل|اهملوا|تخط)\b.{{0,40}}\b{_AR_RULES}",
    rf"(?:^|[.:؛;!?\"'(\[،,>-]\s*)(?:الان |فقط |دايما |رجاء |و)*{_AR_SAY}\b"
    r".{0,40}(?:فقط|حصرا|حرفيا|كلمه|عباره|بدلا|دون|التعليمات|مهما|لا غير)",
    rf"\b(?:يجب عليك|عليك ان|ينبغي ان|يجب ان|انت الان|مهمتك|جوابك|اجابتك)\b.{{0,60}}"
    rf"\b(?:تجيب|ترد|تقول|تكتب|مساعد|{_AR_SAY})\b",
    rf"\b(?:عندما|اذا|متي|كلما) (?:تسال|سيلت|يسال|سال|سيل|يسالك|سالك)\b.{{0,80}}"
    rf"\b(?:{_AR_SAY}|الجواب|تقول|تجيب)\b",
    rf"\b(?:ايها|الي) (?:المساعد|النموذج|الروبوت)\b.{{0,80}}\b(?:{_AR_SAY}|ان|لا)\b",
    r"\b(?:كل|اي) (?:جواب|اجابه)\b.{0,80}(?:يجب|ينتهي|يبدا)",
    r"(?:^|[.؛;]\s*)(?:علي )?من (?:سيل|يسال|يذكر|يجيب|يقول)\b.{0,100}(?:فليقل|فليذكر"
    r"|ان يذكر|ان يقول|ان يكتب)",
    r"\b(?:رساله|تعليمات|موجه|اوامر|امر) (?:ال)?(?:نظام|مطور|مساعد|نموذج)\b",
    r"(?:تعليمات|اوامر|ملاحظه|تنبيه)\b[^.:]{0,30}\b(?:ال)?(?:مطور|مساعد|نموذج|مشغل)\b"
    r"[^.:]{0,20}:",
    r"(?:التعليمات|الاوامر|القواعد) التي (?:اعطيت|تلقيت|وصلتك|زودت|لديك|عندك)",
    r"\b(?:اعد|اعيدي|اعيدوا) (?:كتابه|قول|طباعه|ذكر|صياغه)"
    r" (?:ما|كل|التعليمات|الاوامر|هذا|هذه|النص)",
    r"(?:^|\n)\s*(?:المستخدم|المساعد|النظام|السوال|الجواب|اقتباس)\s*:",
)
_ORDER = re.compile("|".join(f"(?:{pattern})" for pattern in _ORDERS))


def is_order(text: str) -> bool:
    """Tell whether a sentence addresses a machine and tells it what to do."""
    return bool(_ORDER.search(fold(text)))


def without_orders(question: str) -> str:
    """Return a question without the sentences that give orders; "" if that is all it does."""
    kept = [question[a:z] for a, z in split_sentences(question) if not is_order(question[a:z])]
    return " ".join(kept)


def defused(text: str) -> str:
    """Return a text on one line that no chat template takes for its own tokens."""
    return " ".join(_TEMPLATE.sub(" ", text).split())
