"""Every string that a person reads on the page, in both languages, side by side."""

from __future__ import annotations

from typing import Final

from rag.language import Language
from rag.phrase import Phrase as Phrase


def isolated(latin: str) -> str:
    """Keep the order of Latin text and numbers within an Arabic sentence."""
    return f"\u2066{latin}\u2069"


TITLE: Final = Phrase("راوي", "Rawi")
TAGLINE: Final = Phrase(
    "اسأل وثائقك بالعربية أو الإنجليزية، ومع كل جواب الجملة التي جاء منها.",
    "Ask your documents in Arabic or English. Every answer shows the sentence it came from.",
)
SKIP: Final = Phrase("انتقل إلى السؤال", "Skip to the question")

# The header
ASK: Final = Phrase("اسأل", "Ask")
DOCUMENTS: Final = Phrase("الوثائق", "Documents")
QUALITY: Final = Phrase("الجودة", "Quality")
NAVIGATION: Final = Phrase("أقسام الصفحة", "Sections")
THEME: Final = Phrase("بدّل بين الفاتح والداكن", "Switch between light and dark")

# Conversations
CONVERSATIONS: Final = Phrase("المحادثات", "Conversations")
MESSAGES: Final = Phrase("الأسئلة والأجوبة", "Questions and answers")
NEW: Final = Phrase("محادثة جديدة", "New conversation")
DELETE: Final = Phrase("امسح هذه المحادثة", "Clear this conversation")
DELETE_ONE: Final = Phrase("امسح: {name}", "Clear: {name}")
RENAME: Final = Phrase("غيّر الاسم: {name}", "Rename: {name}")
NAME: Final = Phrase("اسم المحادثة", "Name of the conversation")
SAVE_NAME: Final = Phrase("احفظ", "Save")
FIND: Final = Phrase("ابحث في المحادثات", "Search the conversations")
FOUND: Final = Phrase("عدد ما وُجد:", "Found:")
CLEARED: Final = Phrase("مُسحت المحادثة.", "The conversation is cleared.")
RESTORE: Final = Phrase("تراجع", "Undo")
EXPORT_MARKDOWN: Final = Phrase("نزّلها بصيغة Markdown", "Download as Markdown")
EXPORT_JSON: Final = Phrase("نزّلها بصيغة JSON", "Download as JSON")
KEPT_HERE: Final = Phrase(
    "تُحفظ المحادثات في متصفحك وحده.", "Conversations are kept in your browser alone."
)
SHORTCUTS: Final = Phrase("اختصارات لوحة المفاتيح", "Keyboard shortcuts")
KEYS: Final[dict[str, Phrase]] = {
    "/": Phrase("انتقل إلى خانة السؤال", "Go to the question"),
    "↑": Phrase("عدّل آخر سؤال، والخانة فارغة", "Edit the last question, from an empty field"),
    "Enter": Phrase("أرسل السؤال", "Send the question"),
    "Shift + Enter": Phrase("سطر جديد", "A new line"),
    "Esc": Phrase(
        "أغلق المقال ثم القائمة، ثم أوقف الجواب",
        "Close the article, then the list, then stop the answer",
    ),
}
SLASH: Final = Phrase("استعمل مفتاح الشرطة المائلة", "Use the slash key")

# Asking
QUESTION: Final = Phrase("سؤالك", "Your question")
PLACEHOLDER: Final = Phrase("اكتب سؤالك هنا", "Type your question here")
SEND: Final = Phrase("أرسل", "Send")
# Which documents are asked
SCOPE: Final = Phrase("الوثائق التي يُبحث فيها", "Documents to search")
ALL_DOCUMENTS: Final = Phrase("كل الوثائق", "All documents")
FIND_DOCUMENT: Final = Phrase("ابحث عن وثيقة باسمها", "Find a document by its name")
NONE_NAMED_SO: Final = Phrase("لا وثيقة بهذا الاسم.", "No document has this in its name.")
MOST_CHOSEN: Final = Phrase("يمكن اختيار {most} وثيقة على الأكثر.", "At most {most} can be chosen.")
FIRST_LISTED: Final = Phrase(
    "لا تُعرض إلا أول {most} وثيقة.", "Only the first {most} documents are listed."
)
DONE: Final = Phrase("تم", "Done")
DOCUMENTS_GONE: Final = Phrase(
    "اختيرت ولم تعد في المجلد، فلا يُبحث فيها:", "Chosen, but no longer in the folder:"
)


def in_documents(count: int, of: int) -> Phrase:
    """Say that some of the documents are searched: ``count`` of ``of``, which is more than one."""
    if count in (1, 2):
        arabic = ("وثيقة واحدة", "وثيقتين")[count - 1]
    else:
        arabic = f"{count} {'وثائق' if 3 <= count % 100 <= 10 else 'وثيقة'}"
    return Phrase(f"في {arabic} من أصل {of}", f"In {count} of {of} documents")


STOP: Final = Phrase("أوقف", "Stop")
EXAMPLES: Final = Phrase("جرّب أن تسأل", "You could ask")
YOU: Final = Phrase("أنت", "You")
EDIT: Final = Phrase("عدّل السؤال", "Edit the question")
EDITING: Final = Phrase(
    "تُعدّل سؤالًا سابقًا: سيحل الجديد محله ومحل ما تلاه.",
    "Editing an earlier question: the new one takes its place and that of what followed.",
)
CANCEL: Final = Phrase("ألغِ", "Cancel")
SEARCHING: Final = Phrase("أبحث في الوثائق…", "Searching the documents…")
WRITING: Final = Phrase("أكتب الجواب…", "Writing the answer…")
WAITING: Final = Phrase(
    "قبلك في الانتظار: {position}. أدلة سؤالك ظاهرة، والجواب يليها.",
    "Ahead of you: {position}. The evidence is here, the answer follows.",
)
WARMING: Final = Phrase(
    "نموذج الكتابة يتهيّأ بعد التشغيل. أدلة سؤالك ظاهرة، والجواب يليها.",
    "The model is warming up. The evidence is here, the answer follows.",
)
WAITING_TO_LOAD: Final = Phrase(
    "ما زالت النماذج تُحمَّل. سيُجاب عن سؤالك فور جاهزيتها.",
    "The models are still loading. Your question will be answered as soon as they are ready.",
)
TOO_LONG: Final = Phrase(
    "السؤال طويل: عدد أحرفه {length} والحد {most}. اختصره ثم أرسله.",
    "The question is too long: {length} characters of {most}. Shorten it and send it again.",
)
THIRD_LANGUAGE: Final = Phrase(
    "يفهم راوي الأسئلة بالعربية والإنجليزية. اسأل بإحداهما.",
    "Rawi understands questions in Arabic and English. Ask in one of them.",
)
UNASKABLE: Final = Phrase("لا يمكن طرح هذا السؤال.", "This question can't be asked.")
QUEUE_FULL: Final = Phrase(
    "ينتظر كثيرون الآن. أعد المحاولة بعد قليل.",
    "Many are waiting right now. Try again in a moment.",
)

# Answers
RETRY: Final = Phrase("أعد السؤال", "Ask again")
COPY: Final = Phrase("انسخ", "Copy")
COPIED: Final = Phrase("نُسخ الجواب", "The answer is copied")
COPY_LINK: Final = Phrase("انسخ رابط هذا الجواب", "Copy a link to this answer")
LINK_COPIED: Final = Phrase(
    "نُسخ الرابط، ويُفتح في هذا المتصفح وحده.",
    "The link is copied. It opens in this browser alone.",
)
NO_CONVERSATION: Final = Phrase(
    "ليست هذه المحادثة في متصفحك: ربما مُسحت أو جرت في متصفح آخر.",
    "This conversation is not in your browser: it was cleared, or held in another browser.",
)
NO_ANSWER: Final = Phrase(
    "ليس في هذه المحادثة جواب بهذا الرقم.", "This conversation has no answer of this number."
)
GOOD: Final = Phrase("جواب جيد", "Good answer")
BAD: Final = Phrase("جواب سيئ", "Bad answer")
REASON: Final = Phrase("ما العيب في الجواب؟", "What is wrong with it?")
REASONS: Final[dict[str, Phrase]] = {
    "wrong": Phrase("خطأ", "Wrong"),
    "source": Phrase("المصدر لا يقول ذلك", "The source doesn't say so"),
    "incomplete": Phrase("ناقص", "Incomplete"),
    "refused": Phrase("الجواب في الوثائق", "The documents do say"),
    "unclear": Phrase("غير واضح", "Unclear"),
}
THANKS: Final = Phrase("شكرًا، سُجّل رأيك هنا.", "Thank you. It is noted here.")
STOPPED: Final = Phrase("أوقفتَ الجواب.", "You stopped the answer.")
UNANSWERED: Final = Phrase("لم يُجب عن هذا السؤال.", "This question was not answered.")
MODEL_FAILED: Final = Phrase(
    "تعذّر على النموذج أن يجيب، وهذه جمل الوثائق نفسها.",
    "The model could not answer; these are the documents' own sentences.",
)
FAILED: Final = Phrase("تعذّر الجواب عن السؤال.", "The question could not be answered.")
NEAR: Final = Phrase("تجيب الوثائق عن هذا:", "The documents do answer this:")
NEXT: Final = Phrase("ولك أن تسأل أيضًا:", "You could ask next:")
IN_OTHER: Final[dict[Language, Phrase]] = {
    "ar": Phrase("بالعربية", "in Arabic"),
    "en": Phrase("بالإنجليزية", "in English"),
}

# Evidence and sources
EVIDENCE: Final = Phrase("ما ورد في الوثائق", "What the documents say")
FOLD: Final = Phrase("أظهر الجمل أو أخفها", "Show or hide the sentences")
EVIDENCE_EMPTY: Final = Phrase(
    "هنا تظهر الجمل التي تخص سؤالك، قبل الجواب.",
    "The sentences that bear on your question appear here, before the answer.",
)
NO_EVIDENCE: Final = Phrase("لم يُعثر على شيء قريب.", "Nothing close was found.")
EVIDENCE_FOUND: Final = Phrase("عدد الجمل التي وُجدت: {count}", "Sentences found: {count}")
CITATION: Final = Phrase("المصدر {marker}", "Source {marker}")
CLOSE: Final = Phrase("أغلق", "Close")
SHORTENED: Final = Phrase("… حُذف هنا جزء من المقال …", "… part of the article is left out here …")
SOURCE_GONE: Final = Phrase(
    "لم تعد هذه الوثيقة في الفهرس.", "This document is no longer in the index."
)
SOURCE_CHANGED: Final = Phrase(
    "تغيرت الوثيقة منذ هذا الجواب.", "The document has changed since this answer."
)

ORIGINAL: Final = Phrase("افتح الملف الأصلي", "Open the original file")
WHOLE: Final = Phrase("اعرض الوثيقة كلها", "Show the whole document")
EARLIER: Final = Phrase("اعرض ما قبل هذا", "Show what comes before")
LATER: Final = Phrase("اعرض ما بعد هذا", "Show what comes after")
TO_SENTENCE: Final = Phrase("عُد إلى الجملة", "Back to the sentence")
TRANSLATE: Final = Phrase("اعرض الترجمة", "Show translation")
TRANSLATING: Final = Phrase("تُترجَم الجملة…", "Translating…")
MACHINE: Final = Phrase(
    "ترجمة آلية؛ والنص الأصلي هو المرجع.", "Machine translation; the original is what counts."
)
UNTRANSLATED: Final = Phrase(
    "لم تتيسر ترجمة أمينة لهذه الجملة.", "There is no faithful translation of this sentence."
)

# States
LOADING: Final = Phrase("تُحمَّل النماذج…", "Loading the models…")
LOADING_EMBEDDER: Final = Phrase("نموذج البحث", "Search model")
LOADING_LLM: Final = Phrase("نموذج الكتابة", "Writing model")
NO_INDEX: Final = Phrase(
    f"لا وثائق في الفهرس بعد. ضع وثائق في المجلد ثم نفّذ: {isolated('rawi index')}",
    "Nothing is indexed yet. Put documents into the folder, then run: rawi index",
)
# Seen only where that tab is.
OPEN_DOCUMENTS: Final = Phrase("أضف وثائق في قسم «الوثائق»", "Add documents under “Documents”")
# Before the engine's own words, which are English.
DETAILS: Final = Phrase("التفاصيل بالإنجليزية:", "Details:")
CANNOT_START: Final = Phrase("تعذّر التشغيل.", "It could not start.")
OFFLINE: Final = Phrase(
    "انقطع الاتصال بالخادم. تُعاد المحاولة…", "The connection is lost. Trying again…"
)
TOO_MANY: Final = Phrase(
    "أسئلة كثيرة في وقت قصير. أعد المحاولة بعد دقيقة.",
    "Too many questions in a short time. Try again in a minute.",
)
NOT_TAKEN: Final = Phrase(
    "لم يقبل الخادم هذا الطلب. أعد المحاولة بعد قليل.",
    "The server did not take this. Try again in a moment.",
)
ONLINE: Final = Phrase("عاد الاتصال.", "The connection is back.")

# Documents
INDEXED: Final = Phrase(
    "الوثائق: {documents}، المقاطع: {passages}", "Documents: {documents}, passages: {passages}"
)
INDEXED_WHEN: Final = Phrase("فُهرست في", "Indexed")
COLUMN_TITLE: Final = Phrase("العنوان", "Title")
COLUMN_LANGUAGE: Final = Phrase("اللغة", "Language")
COLUMN_SIZE: Final = Phrase("الحجم", "Size")
COLUMN_PASSAGES: Final = Phrase("المقاطع", "Passages")
COLUMN_WHEN: Final = Phrase("تاريخ الملف", "File date")
COLUMN_ACTIONS: Final = Phrase("إجراء", "Action")
LANGUAGES: Final[dict[Language, Phrase]] = {
    "ar": Phrase("العربية", "Arabic"),
    "en": Phrase("الإنجليزية", "English"),
}
ADD: Final = Phrase("أضف وثائق", "Add documents")
DROP: Final = Phrase(
    "أسقط ملفات أو مجلدات هنا أو اختر ملفات. الأنواع: {types}، والحد لكل ملف {most}.",
    "Drop files or folders here, or choose files. Types: {types}; at most {most} each.",
)
REINDEX: Final = Phrase("أعد الفهرسة", "Re-index")
REMOVE: Final = Phrase("احذف", "Remove")
REALLY_REMOVE: Final = Phrase("احذف الملف نهائيًا", "Delete the file for good")
INDEXING: Final = Phrase("تجري الفهرسة: {done} من {total}", "Indexing: {done} of {total}")
FILE_STATES: Final[dict[str, Phrase]] = {
    "waiting": Phrase("ينتظر", "Waiting"),
    "reading": Phrase("يُقرأ الآن", "Reading"),
    "done": Phrase("قُرئ", "Done"),
    "failed": Phrase("لم يُقرأ", "Failed"),
}
SENDING: Final = Phrase("تُرسل الملفات: {done} من {total}", "Sending files: {done} of {total}")
TOO_MANY_FILES: Final = Phrase(
    "في المجلد ملفات أكثر مما يُرسل دفعة واحدة. أسقط الباقي بعد ذلك.",
    "This holds more files than are sent at once. Drop the rest afterwards.",
)
INDEXING_PASSAGES: Final = Phrase("المقاطع: {done} من {total}", "passages: {done} of {total}")
SECONDS: Final = Phrase("{seconds} ث", "{seconds} s")
PREPARING: Final = Phrase("تُهيَّأ الفهرسة…", "Getting ready to index…")
INDEX_DONE: Final = Phrase(
    "تمت الفهرسة. الجديدة: {added}، المتغيرة: {changed}، المحذوفة: {removed}.",
    "Indexed. New: {added}, changed: {changed}, removed: {removed}.",
)
INDEX_FAILED: Final = Phrase("تعذّرت الفهرسة.", "Indexing failed.")
NOT_INDEXED: Final = Phrase("ملفات لم تُفهرس", "Files that are not indexed")
NO_DOCUMENTS: Final = Phrase("لا وثائق بعد.", "There are no documents yet.")
REFUSED_TYPE: Final = Phrase(
    "نوع الملف غير مقروء. الأنواع المقروءة: {types}.",
    "This type of file is not read. Types that are: {types}.",
)
REFUSED_UNREAD: Final = Phrase("لا يُقرأ الملف: {why}", "The file can't be read: {why}")
REFUSED_SIZE: Final = Phrase("الملف أكبر من {most}.", "The file is larger than {most}.")
REFUSED_NAME: Final = Phrase("اسم الملف غير صالح.", "The file's name can't be used.")
REFUSED_EXISTS: Final = Phrase(
    "في المجلد ملف بهذا الاسم: احذفه أولًا.",
    "A file of this name is in the folder: remove it first.",
)
REFUSED_WRITE: Final = Phrase("لا يمكن الكتابة في المجلد.", "The folder can't be written to.")
REFUSED_FULL: Final = Phrase(
    "القرص ممتلئ: أفسح مكانًا ثم أعد المحاولة.", "The disk is full: free some space and try again."
)
REFUSED_CLOSED: Final = Phrase("لا تُضاف الوثائق من هنا.", "Documents can't be added from here.")
REFUSED_SLOW: Final = Phrase(
    "انقطع وصول الملف قبل اكتماله.", "The file did not arrive whole in time."
)
REFUSED_GONE: Final = Phrase("الملف غير موجود.", "The file is not there.")

# Quality
MEASURED_ON: Final = Phrase("قيس في", "As measured on")
QUESTIONS_ASKED: Final = Phrase("الأسئلة: {asked} من {of}.", "Questions: {asked} of {of}.")
INTERVALS: Final = Phrase(
    "المقاييس بالمئة، وبين القوسين مجال ثقة 95 %.",
    "Measures are in percent, with the 95 % interval in brackets.",
)
NO_REPORT: Final = Phrase(
    "لم تُقَس الجودة هنا بعد. نفّذ: make eval",
    "Quality has not been measured here yet. Run: make eval",
)

# What a folder is made known with
HOLDS: Final = Phrase("الوثائق هنا: {count} ({languages})", "Documents here: {count} ({languages})")
NEWEST: Final = Phrase("أحدثها:", "The newest:")
WHICH_DOCUMENTS: Final = Phrase("ما الوثائق التي لديك؟", "Which documents do you have?")
SUMMARISE: Final = Phrase("لخّص {name}", "Summarise {name}")
ABOUT: Final = Phrase("ماذا ورد عن {name}؟", "What is said about {name}?")

# What the launcher on other sites says
WIDGET: Final[dict[str, Phrase]] = {
    "title": Phrase("اسأل وثائقنا", "Ask our documents"),
    "open": Phrase("افتح المحادثة", "Open the chat"),
    "close": Phrase("أغلق المحادثة", "Close the chat"),
    "loading": Phrase("جارٍ فتح المحادثة…", "Opening the chat…"),
    "busy": Phrase(
        "طلبات كثيرة الآن. حاول بعد قليل.", "Too many requests now. Try again in a moment."
    ),
    "failed": Phrase(
        "تعذّر فتح المحادثة. تحقّق من الاتصال ثم حاول مرة أخرى.",
        "The chat could not be opened. Check the connection and try again.",
    ),
    "retry": Phrase("حاول مرة أخرى", "Try again"),
}
