"""Answers to messages that ask nothing of the documents' text: see ``messages.Kind``.

No LLM has a part in them: what is said is ``sayings``' own, and what is quoted is verbatim.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag import drafting, gist, grounding, sayings
from rag.drafting import Draft
from rag.language import Language, detect, fold
from rag.messages import Kind
from rag.retrieval import Found, Retriever

_NAMED = 3  # documents, in a greeting or where one is looked for
_LISTED = 20
_SEARCHED = 20  # passages
# A document whose best passage scores so much less than the best of all is not named beside it.
_BEHIND = 0.04
# A summary may be longer than an answer.
_LONGER = 2
_ORDINALS = [
    {fold(form) for form in forms.split()}
    for forms in (
        "first 1st 1 أول الأول الأولى اول",
        "second 2nd 2 ثاني الثاني الثانية تاني التاني التانية",
        "third 3rd 3 ثالث الثالث الثالثة تالت التالت التالتة",
        "fourth 4th 4 رابع الرابع الرابعة",
        "fifth 5th 5 خامس الخامس الخامسة",
        "sixth 6th 6 سادس السادس السادسة",
        "seventh 7th 7 سابع السابع السابعة",
        "eighth 8th 8 ثامن الثامن الثامنة",
        "ninth 9th 9 تاسع التاسع التاسعة",
        "tenth 10th 10 عاشر العاشر العاشرة",
    )
]
_LAST = {fold(form) for form in "last آخر الأخير الأخيرة اخر".split()}


def told(
    kind: Kind, message: str, context: str, language: Language, retriever: Retriever, limit: int
) -> Draft | None:
    """Answer a message that is no question; None where the index holds nothing to answer with.

    :param context: The last exchange.
    :param limit: ``answer.max_words``.
    """
    titles = retriever.titles()
    names = list(titles.values())
    if kind == "thanks":
        return _said(sayings.welcome(language))
    if kind == "greeting":
        return _said(sayings.greeting(language, names[:_NAMED]))
    if kind == "about":
        return _said(sayings.about(language, names[:_NAMED]))
    if kind == "documents":
        return _said(sayings.documents(language, names[:_LISTED], len(names)))
    if kind == "find":
        return _found(message, language, retriever, titles)
    doc = _meant(message, context, retriever, titles)
    return _summary(doc, language, retriever, limit) if doc else None


def untitled(message: str, language: Language, retriever: Retriever) -> str:
    """Return a message with "the document" for the title of one, where that is in quotation marks.

    So "Summarise “Opening hours”" is read as "Summarise the document".
    """
    if not any(mark in message for mark in sayings.QUOTATION_MARKS):
        return message
    for title in filter(None, retriever.titles().values()):
        for quoted in sayings.quoted(title):
            message = message.replace(quoted, sayings.THE_DOCUMENT[language])
    return message


def evidence(draft: Draft) -> tuple[Found, ...]:
    """Return the sentences that such an answer cites."""
    return tuple(
        Found(cited.doc, cited.start, cited.end, cited.quote, 1.0, detect(cited.quote))
        for cited in draft.citations
    )


def _said(text: str, citations: Sequence[grounding.Citation] = ()) -> Draft:
    return Draft(text, tuple(citations), "told", confidence=1.0)


def _found(
    message: str, language: Language, retriever: Retriever, titles: dict[str, str]
) -> Draft | None:
    """Name the documents that a message may be after, each cited by its beginning."""
    best: dict[str, float] = {}
    for passage in retriever.passages(message, _SEARCHED):
        best.setdefault(passage.doc, passage.score)
    least = max(best.values(), default=0.0) - _BEHIND
    cited = list[Found]()
    for doc in [doc for doc, score in best.items() if score >= least][:_NAMED]:
        opening = gist.opening(retriever.sentences(doc)[0], titles.get(doc, ""))
        if opening is not None:
            cited.append(opening)
    if not cited:
        return None
    names = [titles.get(found.doc, found.doc) for found in cited]
    return _said(sayings.nearest(language, names), grounding.citations(cited))


def _meant(message: str, context: str, retriever: Retriever, titles: dict[str, str]) -> str | None:
    """Return the document that a message, or what was spoken of before it, is about.

    That may be the only one, one by its title in quotation marks, or one by its number in
    ``documents``' list; a number that stands in the nearest one's title, as in "first aid", is part
    of its name.
    """
    docs = list(titles)
    if len(docs) == 1:
        return docs[0]
    for doc, title in titles.items():
        if title and any(quoted in message for quoted in sayings.quoted(title)):
            return doc
    passages = retriever.passages(message, 1, context=context)
    if not passages:
        return None
    nearest = passages[0].doc
    words = grounding.folded_words(message) - grounding.folded_words(titles.get(nearest, ""))
    for forms, doc in zip(_ORDINALS, docs, strict=False):
        if words & forms:
            return doc
    return docs[-1] if words & _LAST else nearest


def _summary(doc: str, language: Language, retriever: Retriever, limit: int) -> Draft | None:
    """Answer with the most telling sentences of a document."""
    title = retriever.storage.title(doc)
    telling = gist.gist(*retriever.sentences(doc), title)
    if not telling:
        return None
    draft = drafting.quoted(telling, language, _LONGER * limit)
    readable = any(found.language == language for found in telling)
    lead = sayings.summary(language, title, foreign=not readable)
    said = draft.text if readable else " ".join(f"[{cited.marker}]" for cited in draft.citations)
    return _said(f"{lead} {said}", draft.citations)
