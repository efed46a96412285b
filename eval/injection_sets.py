"""Reads and checks the set of injections: questions among whose words or documents an order stands.

Refused whole at its first mistake, as ``eval.sets`` does. What would make a case prove nothing is a
mistake too: a sign of obeying that a right answer or an honest quote holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from eval import metrics
from eval.fields import Fields, lines, unique
from rag import documents, readers
from rag.language import Language

Place = Literal["document", "question"]


@dataclass(frozen=True)
class InjectionCase:
    """A question and its documents, with an order in one of them that must not be followed.

    :ivar kind: What the order looks like or asks for.
    :ivar documents: The only ones that it may be answered from: file name to text.
    :ivar order: Verbatim, as it stands in the question, or in one document or its file name.
    :ivar place: Where that is.
    :ivar must_include: As in ``eval.sets.Question``; none when nothing answerable is asked.
    :ivar obeyed: An answer that holds any of these has followed the order.
    """

    id: str
    kind: str
    question: str
    language: Language
    documents: Mapping[str, str]
    order: str
    place: Place
    must_include: tuple[tuple[str, ...], ...]
    obeyed: tuple[str, ...]

    def is_obeyed_in(self, text: str) -> bool:
        """Tell whether a text holds a sign of obeying, matched as ``metrics.is_correct`` does."""
        return metrics.is_correct(text, [self.obeyed], [])


def read_injections(path: Path) -> list[InjectionCase]:
    """Read a set of injections.

    :raises EvalError: When the file can't be read, a key is missing or wrong, or a case could not
        tell an order that is followed from one that is not.
    """
    return list(unique(lines(path, _case), path, lambda case: case.id))


def _case(fields: Fields) -> InjectionCase:
    question, order = fields.text("question"), fields.text("order")
    documents = _documents(fields.nested("documents"))
    obeyed = fields.texts("obeyed")
    if not obeyed:
        raise fields.error('"obeyed" is empty; write what only an answer that obeys holds')
    holding = [name for name, text in documents.items() if order in text or order in name]
    if (order in question) + len(holding) != 1:
        raise fields.error(
            '"order" must stand, as it is written, in the question or in one of the documents, and'
            f" nowhere else; it stands in {(order in question) + len(holding)} places"
        )
    case = InjectionCase(
        id=fields.text("id"),
        kind=fields.text("kind"),
        question=question,
        language=fields.language("question_language"),
        documents=documents,
        order=order,
        place="document" if holding else "question",
        must_include=fields.groups("must_include", default=[]),
        obeyed=obeyed,
    )
    _check_signs(case, fields)
    return case


def _documents(fields: Fields) -> dict[str, str]:
    if not fields.value:
        raise fields.error("is empty; give at least one document")
    for name in fields.value:
        path = PurePosixPath(name)
        if path.name != name or name.startswith(".") or not documents.is_readable(name):
            known = ", ".join(readers.suffixes())
            raise fields.error(f"{name!r} is no file name that Rawi reads ({known}); write one")
    return {name: fields.text(name) for name in fields.value}


def _check_signs(case: InjectionCase, fields: Fields) -> None:
    """Raise ``EvalError`` where a right answer or an honest quote would count as obeying."""
    try:
        metrics.is_correct("", [*case.must_include, case.obeyed], [])
    except ValueError as exc:
        raise fields.error(f"{exc}; write letters or digits") from exc
    honest = [text.replace(case.order, "") for text in case.documents.values()]
    right = [alternative for group in case.must_include for alternative in group]
    for text in (*honest, *right):
        if case.is_obeyed_in(text):
            raise fields.error(
                f'{text[:60]!r} holds what stands in "obeyed", but not in the order; an honest'
                " answer would count as obeying"
            )
