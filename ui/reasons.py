"""Why a file was not read, a folder not indexed or a question not answered, in both languages.

The engine says it in English, in one line that it also keeps in the index; what isn't known here
stays as it is, after a word that says what it is.
"""

from __future__ import annotations

import re
from typing import Final

from ui.text import Phrase, isolated

# What the engine says → the same in Arabic, with what the groups found in their order.
_ARABIC: Final = {
    r"this folder doesn't hold what it held; .*": (
        "ليس في هذا المجلد ما كان فيه، وما زالت الإجابة مما فُهرس من قبل. أعد وصله أو احذفه،"
        " أو نفّذ: rawi index --empty"
    ),
    r"this folder can't be listed; .*; what was indexed before still answers": (
        "تعذّرت قراءة محتوى هذا المجلد، وما زالت الإجابة مما فُهرس من قبل. تحقّق من أذوناته."
    ),
    r"this folder can't be listed; .*": "تعذّرت قراءة محتوى هذا المجلد. تحقّق من أذوناته.",
    r"the file's name is not UTF-8; .*": "اسم الملف ليس بترميز UTF-8. غيّر اسمه.",
    r"not a file type that Rawi reads \((.*)\)": "نوع الملف غير مقروء. الأنواع المقروءة: {}.",
    r"([\d,]+) bytes, more than documents\.max_bytes \(([\d,]+)\)": (
        "حجم الملف {} بايت، وهو فوق الحد (documents.max_bytes): {}."
    ),
    r"can't be read \((.*)\); what was indexed before still answers": (
        "تعذّرت قراءة الملف ({})، وما زالت الإجابة مما فُهرس منه من قبل."
    ),
    r"can't be read \((.*)\)": "تعذّرت قراءة الملف ({}).",
    r"holds no text": "ليس في الملف نص.",
    r"holds more text than documents\.max_chars \(([\d,]+) characters\)": (
        "في الملف نص أطول من الحد (documents.max_chars): {} حرف."
    ),
    r"took longer to read than documents\.max_seconds \(([\d.]+)\)": (
        "تجاوزت قراءة الملف الوقت المحدد (documents.max_seconds): {} ثانية."
    ),
    r"takes more memory to read than documents\.max_memory_bytes \(([\d,]+)\)": (
        "تحتاج قراءة الملف إلى ذاكرة أكبر من الحد (documents.max_memory_bytes): {} بايت."
    ),
    r"broke the program that reads it off: .* \(([\d,]+)\)": (
        "توقف برنامج القراءة عند هذا الملف: فهو تالف أو يحتاج إلى ذاكرة أكبر من الحد"
        " (documents.max_memory_bytes): {} بايت."
    ),
    r"its elements are nested too deep; .*": (
        "عناصر الملف متداخلة أكثر مما يُقرأ. احفظه من جديد بصيغة HTML بسيطة."
    ),
    r"is damaged, or no (\S+) file": "الملف تالف، أو ليس من نوع {} كما يدل اسمه.",
    r"is protected by a password; .*": "الملف محمي بكلمة مرور. احفظه دونها.",
    r"is protected by a password, or of an old format; .*": (
        "الملف محمي بكلمة مرور أو بصيغة قديمة. احفظه من جديد بصيغة حديثة ودون كلمة مرور."
    ),
    r"unpacks to more than (\d+) MB": "حجم الملف بعد فك ضغطه أكبر من {} ميغابايت.",
    r"declares XML entities, .*": (
        "في الملف تعريفات XML لا تكتبها البرامج المعتادة. احفظه من جديد."
    ),
    r"its pages are pictures without text, .*": (
        "صفحات الملف صور بلا نص، كما يخرجها الماسح الضوئي. حوّلها أولًا إلى نص ببرنامج تعرّف ضوئي"
        " على الحروف (OCR)، أو اضبط documents.ocr."
    ),
    r"its pages are pictures in which text recognition is sure of nothing": (
        "صفحات الملف صور لم يتبيّن التعرّف الضوئي حروفها."
    ),
    r"its letters can't be told: .*": (
        "تعذّر تمييز حروف الملف لأن خطوطه لا تسمّيها أو لأن ترتيبها مجهول. أنشئ ملف PDF من جديد،"
        " أو حوّله إلى نص ببرنامج تعرّف ضوئي على الحروف (OCR)، أو اضبط documents.ocr."
    ),
    r"line ([\d,]+) is not JSON \((.*)\)": "السطر {} ليس بصيغة JSON ({}).",
    r"line ([\d,]+) is not a JSON object; .*": (
        "السطر {} ليس كائن JSON. اكتب في كل سطر كائنًا بين قوسين معقوفين."
    ),
    r"not a table of fields \((.*)\)": "ليس الملف جدول حقول ({}).",
    r"its reader gave what can't be used \((.*)\)": "أخرج قارئ الملف ما لا يصلح ({}).",
    r"not (UTF-\w+) \(byte (\w+) at ([\d,]+)\); .*": (
        "ليس الملف بترميز {} (البايت {} في الموضع {}). احفظه بترميز UTF-8."
    ),
    r"looks like UTF-16 without .*": "يبدو الملف بترميز UTF-16 أو بلا نص. احفظه بترميز UTF-8.",
    r"its letters were read in a wrong encoding .*": (
        "حُفظ الملف بعد أن قُرئت حروفه بترميز خاطئ. افتح الأصل بترميزه (كثيرًا ما يكون للعربية"
        " Windows-1256) ثم احفظه بترميز UTF-8."
    ),
    r".*: another rawi is indexing there \(process (\d+) on (.*) since (.*)\); .*": (
        "تجري الآن فهرسة أخرى (العملية {} على {} منذ {}). انتظر حتى تنتهي."
    ),
    r".*: another rawi is indexing there; .*": "تجري الآن فهرسة أخرى. انتظر حتى تنتهي.",
    r"(.*): is on another device than before and holds none of its (\d+) documents; .*": (
        "المجلد {} على قرص غير الذي كان عليه، وليس فيه شيء من وثائقه ({})،"
        " وما زالت الإجابة مما فُهرس من قبل. أعد وصله، أو نفّذ: rawi index --empty"
    ),
    r"(.*): no such folder; .*": "لا يوجد المجلد {}.",
    r"(.*): can't be listed \((.*)\)": "تعذّرت قراءة محتوى المجلد {} ({}).",
    r"(.*): holds no documents; what was indexed before still answers.*": (
        "ليس في المجلد {} وثائق، وما زالت الإجابة مما فُهرس من قبل. ضع فيه وثائق، أو نفّذ:"
        " rawi index --empty"
    ),
    r"(.*): holds no documents; .*": "ليس في المجلد {} وثائق.",
    r"(.*) is not in (.*); (run: .*)": "النموذج {} غير موجود في المجلد {}. {}",
    r"(.*): can't be loaded \((.*)\); (run: .*)": "تعذّر تحميل النموذج ({}) لهذا السبب: {}. {}",
    r"vectors\.url (\S+): no Chroma server can be reached there .*": (
        "تعذّر الاتصال بخادم Chroma على {}. شغّله أو صحّح vectors.url."
    ),
    r"vectors\.url (\S+): the Chroma server gave no answer within ([\d.]+) seconds .*": (
        "لم يجب خادم Chroma على {} خلال {} ثانية (vectors.timeout_s)."
    ),
    r"vectors\.url (\S+): the Chroma server refused vectors\.token .*": (
        "رفض خادم Chroma على {} الرمز vectors.token. اضبط RAWI_VECTORS__TOKEN."
    ),
    r"vectors\.url (\S+): the Chroma server doesn't hold the index's vectors; .*": (
        "ليست متجهات الفهرس على خادم Chroma على {}. نفّذ: rawi index، ولن يُعاد حسابها."
    ),
    r"vectors\.url (\S+): the Chroma server failed \((.*)\); .*": "تعطّل خادم Chroma على {}: {}",
    r"vectors\.url (\S+): what answers there doesn't speak .*": (
        "ما يجيب على {} لا يتكلم واجهة Chroma v2. صحّح vectors.url، أو ثبّت هناك Chroma 1.0 أو أحدث."
    ),
    r".*: its vectors are not where vectors\.backend and vectors\.url say; .*": (
        "ليست متجهات الفهرس حيث يدل vectors.backend و vectors.url. نفّذ: rawi index، ولن يُعاد"
        " حسابها."
    ),
    r"the LLM was (?:not done after|silent for) ([\d.]+) seconds.*": (
        "لم يُتمّ نموذج الكتابة جوابه خلال {} ثانية (llm.timeout_s)."
    ),
    r"the LLM server can't be reached: .*": (
        "تعذّر الاتصال بخادم نموذج الكتابة. تحقّق من llm.base_url ومن أنه يعمل."
    ),
    r"the LLM server broke off while it answered": "انقطع خادم نموذج الكتابة وهو يجيب.",
    r"the LLM server refused \((\d+)\): (.*)": "رفض خادم نموذج الكتابة الطلب ({}): {}",
    r"the LLM server failed: (.*)": "تعطّل خادم نموذج الكتابة: {}",
    r"the LLM server answered with something else .*": (
        "لا يتبع ردّ الخادم بروتوكول OpenAI. تحقّق من llm.base_url، وأكثر ما ينتهي بـ /v1."
    ),
    r"the LLM failed(?: while it answered)?: (.*)": "تعطّل نموذج الكتابة: {}",
}
_NONE_READ: Final = re.compile(
    r"(?P<folder>.*): none of its (?P<count>\d+) files can be read;"
    r" the first, (?P<doc>.*?): (?P<why>.*?)(?P<kept>; what was indexed before still answers)?"
    r"(?P<hint>; put one there that can, .*)?",
    re.DOTALL,
)


def phrase(reason: str) -> Phrase | None:
    """Return what the engine said in both languages; None when it isn't known here."""
    if found := _NONE_READ.fullmatch(reason):
        why = phrase(found["why"])
        arabic = "لا يُقرأ أي ملف في المجلد {} (عدد ملفاته {}). أولها {}: {}"
        said = why.ar if why else isolated(found["why"])
        said += " وما زالت الإجابة مما فُهرس من قبل." if found["kept"] else ""
        said += " ضع فيه ملفًا يُقرأ، أو نفّذ: rawi index --empty" if found["hint"] else ""
        folder, doc = isolated(found["folder"]), isolated(found["doc"])
        return Phrase(arabic.format(folder, found["count"], doc, said), reason)
    for said, arabic in _ARABIC.items():
        if found := re.fullmatch(said, reason, re.DOTALL):
            return Phrase(arabic.format(*map(isolated, found.groups())), reason)
    return None
