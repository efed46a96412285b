"""Of a list, one item may answer, or all of them: then they are quoted in the document's order.

"What are the three reasons?" is answered by a list of three, "What must I bring?" by all that has a
bullet, after the line that announces them.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag import quantities
from rag.retrieval import Found, of_unit
from rag.sentences import announces
from rag.storage import Storage

# Items; "two" is an ending in Arabic, and not told from other plurals.
_FEWEST, _MOST = 3, 6
_READ_CHARS = 4_000  # from a list's beginning: six items of a long paragraph each


def with_items(chosen: Sequence[Found], likely: Sequence[Found], source: Storage) -> list[Found]:
    """Return sentences; where the best is an item of a list that answers as a whole, that list.

    :param chosen: The sentences to answer with, the best first.
    :param likely: All that may well answer: a list does when most of its items are among them.
    """
    best = chosen[0]
    if best.list < 0:
        return list(chosen)
    whole = _whole(best, source)
    places = {(found.doc, found.start) for found in likely}
    items = [found for found in whole if found.list <= found.start]
    held = sum((found.doc, found.start) in places for found in items)
    if len(items) > 1 and 2 * held > len(items):
        return whole
    # Steps one after the other, as the document has them.
    if all((found.doc, found.list) == (best.doc, best.list) for found in chosen):
        return sorted(chosen, key=lambda found: found.start)
    return list(chosen)


def asked_for(question: str, evidence: Sequence[Found], source: Storage) -> list[Found]:
    """Return the first list of as many items as a question asks for; nothing where there is none.

    :param evidence: Sentences that may be items of it.
    """
    counts = {count for count in quantities.spelled(question) if _FEWEST <= count <= _MOST}
    for found in evidence if counts else ():
        whole = _whole(found, source) if found.list >= 0 else []
        if sum(each.list <= each.start for each in whole) in counts:
            return whole
    return []


def _whole(item: Found, source: Storage) -> list[Found]:
    """Return the list that an item is of, at most six items, after a sentence that announces it."""
    text = source.text(item.doc)
    held = source.units(item.doc, item.list, item.list + _READ_CHARS)
    units = [unit for unit in held if unit.list == item.list]
    items = [unit for unit in units if not unit.opens][:_MOST]
    announced = [unit for unit in units if unit.opens and announces(unit.said)]
    return [
        of_unit(unit, item.doc, text[unit.start : unit.end], item.score)
        for unit in (*announced, *items)
    ]
