"""What the LLM is taught, as trees of chat messages: ``train_llm.py``.

A tree begins with some numbered sentences of a written passage, or units of a written file. From
there it branches into questions, each in either language; each question into its answer and into
wrong ones, and each of them into the verdict on it; and into a translation. Across languages the
sentence's own words come before the answer: those that the answer in its language has of it. What
branches share is read once, which is a third of the tokens that the same conversations take one by
one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.training.written_passages import Passage
from rag import grounding, prompts
from rag.language import Language, fold, other
from rag.retrieval import Found

# The LLM's own chat template, ChatML.
END = "<|im_end|>"
_USER = "<|im_start|>user\n"
_ASSISTANT = f"{END}\n<|im_start|>assistant\n"
_CHECK = f"\n{_USER}{prompts.CHECK}{_ASSISTANT}"

# Shares, by hand: what the tuning set's evidence looks like.
_SENTENCES = (2, 3, 3, 4, 4, 5)
_FROM_ELSEWHERE = 0.5  # of trees with a sentence of another document
_OTHER_LANGUAGE = 0.15  # of sentences
_ACROSS = 0.55  # of questions
_IN_ORDER = 0.3
_ANOTHER_ANSWER = 0.3  # of answers that are not the best, but right too
_ANSWERED, _UNANSWERED = 4, 1  # questions
_WRONG = 2
_TRANSLATED = 0.6  # of trees
_TRANSLATION_WEIGHT = 0.25  # of a token, beside an answer's: there are many more of them
_MIN_WORD = 4  # letters
_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"\w+")
_BETWEEN = 2  # words: marked ones that are no further from each other are one run
_MOST_RUNS = 2
_LEAST_SAID = 0.5  # of an answer's words: of which fewer are the sentence's, it isn't quoted
_STRANGE = (1, 6)  # words of a quote that has nothing to do with a wrong answer
# Wrong answers that are made of the right words.
OF_RIGHT_WORDS = frozenset(("word", "unit", "number", "negation", "name", "dropped"))


@dataclass
class Node:
    """A message, or a part of one, and what may follow it.

    ``weight`` is that of each of its tokens in the loss; 0: the LLM isn't taught to say this.
    """

    text: str
    weight: float = 0.0
    follow: list[Node] = field(default_factory=list)

    def then(self, text: str, weight: float = 0.0) -> Node:
        """Add what may follow, and return that."""
        self.follow.append(Node(text, weight))
        return self.follow[-1]


def tree(rng: random.Random, passage: Passage, others: Sequence[Passage]) -> Node:
    """Draw a tree from a passage, with the sentences of ``others`` beside its own."""
    own = rng.choice(list(passage.said))
    chosen = [(passage, n) for n in _some(rng, passage, own)]
    if rng.random() < _FROM_ELSEWHERE:
        stranger = rng.choice(others)
        if stranger is not passage and own in stranger.said:
            chosen.append((stranger, rng.randrange(len(stranger.said[own]))))
    if rng.random() > _IN_ORDER:
        rng.shuffle(chosen)
    languages = [
        other(own) if rng.random() < _OTHER_LANGUAGE and len(p.said) > 1 else own for p, _ in chosen
    ]
    texts = [p.said[said][n] for (p, n), said in zip(chosen, languages, strict=True)]
    places = {n + 1: at for at, (p, n) in enumerate(chosen, start=1) if p is passage}

    system = Node(f"<|im_start|>system\n{prompts.SYSTEM}{END}\n")
    sentences = system.then(_USER + prompts.numbered(texts))
    answered, unanswered = list[tuple[dict[str, Any], list[int]]](), list[dict[str, Any]]()
    for question in rng.sample(passage.questions, len(passage.questions)):
        held = [places[n] for n in question["uses"] if n in places]
        if held and len(held) == len(question["uses"]):
            answered.append((question, held))
        elif not held and question.get("type") != "correction":
            unanswered.append(question)
        # Of what half is there for no verdict would be certain.
    drawn = answered[:_ANSWERED] + [(question, []) for question in unanswered[:_UNANSWERED]]
    for question, held in drawn:
        language = other(own) if rng.random() < _ACROSS else own
        _ask(rng, sentences, question, language, held, list(zip(texts, languages, strict=True)))
    pairs = [at for at, (p, _) in enumerate(chosen) if len(p.said) > 1]
    if pairs and rng.random() < _TRANSLATED:
        at = rng.choice(pairs)
        into = other(languages[at])
        asked = prompts.translate(at + 1, into) + _ASSISTANT
        p, n = chosen[at]
        to = sentences.then(asked)
        right = to.then(p.said[into][n] + END, _TRANSLATION_WEIGHT)
        right.then(_CHECK).then(prompts.YES, 1.0)
        away = rng.choice([each for each in others if into in each.said])
        wrong = corrupted(rng, p.said[into][n], rng.choice(away.said[into]))
        if wrong != p.said[into][n]:
            to.then(wrong + END).then(_CHECK).then(prompts.NO, 1.0)
    return system


def corrupted(rng: random.Random, said: str, elsewhere: str) -> str:
    """Return a translation that is wrong: a figure, or a word, or its end is not the source's.

    :param elsewhere: Another text in its language, to take words from.
    """
    words, strange = said.split(), [w for w in elsewhere.split() if len(w) >= _MIN_WORD]
    long = [
        n for n, word in enumerate(words) if len(word) >= _MIN_WORD and not _DIGITS.search(word)
    ]
    ways = ["cut"] if len(words) >= 2 * _MIN_WORD else []
    ways += ["figure"] * bool(_DIGITS.search(said)) + ["word"] * 2 * bool(long and strange)
    way = rng.choice(ways or ["word"])
    if way == "cut":
        return " ".join(words[: rng.randint(len(words) // 3, 2 * len(words) // 3)])
    if way == "figure":
        at = rng.choice(list(_DIGITS.finditer(said)))
        return said[: at.start()] + str(int(at[0]) + rng.choice((1, 2, 10))) + said[at.end() :]
    if not long or not strange:
        return elsewhere
    for n in rng.sample(long, min(len(long), rng.choice((1, 1, 2)))):
        words[n] = rng.choice(strange)
    return " ".join(words)


def _some(rng: random.Random, passage: Passage, language: Language) -> list[int]:
    """Return some of a passage's sentences, with what some of its questions need or come near."""
    all_ = range(len(passage.said[language]))
    count = min(rng.choice(_SENTENCES), len(all_))
    wanted = set[int]()
    for question in rng.sample(passage.questions, len(passage.questions)):
        more = wanted | {n - 1 for n in question["uses"] or question.get("near", ())}
        wanted = more if len(more) < count or not wanted else wanted
    rest = [n for n in all_ if n not in wanted]
    return sorted([*wanted, *rng.sample(rest, max(0, count - len(wanted)))])


def quoted(sentence: str, answers: Sequence[str], language: Language) -> tuple[str, ...]:
    """Return runs of a sentence's words that an answer in its language has of it, in their order.

    :param answers: That say the same; the one that is said with most of its words is taken.
    :return: One or two; none where no answer is said with the sentence's words.
    """
    read = prompts.defused(sentence)
    unit = Found("", 0, len(read), read, 0.0, language)
    words = [match.span() for match in re.finditer(r"\S+", read)]
    best, runs = 0.0, list[list[int]]()
    for answer in map(prompts.defused, answers):
        spans = grounding.marks(answer, unit)
        marked = {
            n: _stripped(fold(read[a:z]))
            for n, (a, z) in enumerate(words)
            if any(start < z and a < end for start, end in spans)
        }
        said = {w for w in _WORDS.findall(fold(answer)) if len(w) > _BETWEEN or w.isdecimal()}
        held = said & set(_WORDS.findall(" ".join(marked.values())))
        if said and len(held) / len(said) > best:
            best, runs = len(held) / len(said), _joined(_nearest(marked))
    if best < _LEAST_SAID or not runs:
        return ()
    if len(runs) > _MOST_RUNS:
        runs = [[runs[0][0], runs[-1][-1]]]
    return tuple(_stripped(read[words[run[0]][0] : words[run[-1]][1]]) for run in runs)


def runs(
    sentences: Sequence[str], answers: Mapping[str, Sequence[str]], language: Language
) -> tuple[str, ...]:
    """Return what ``quoted`` does of one sentence, and of several a run each; none unless of all.

    :param answers: By language.
    """
    each = [quoted(sentence, answers[language], language) for sentence in sentences]
    if len(each) == 1:
        return each[0]
    return tuple(found[0] for found in each) if all(each) else ()


def _nearest(marked: Mapping[int, str]) -> list[int]:
    """Return the numbers of the words that hold each of them once, nearest to each other."""
    numbers, wanted = sorted(marked), set(marked.values())
    windows = [
        numbers[first : last + 1]
        for first in range(len(numbers))
        for last in range(first, len(numbers))
        if {marked[n] for n in numbers[first : last + 1]} == wanted
    ]
    return min(windows, key=lambda window: window[-1] - window[0], default=[])


def _joined(marked: Sequence[int]) -> list[list[int]]:
    """Return the numbers of words, those that are near to each other in one run."""
    runs: list[list[int]] = []
    for n in marked:
        if runs and n - runs[-1][-1] <= _BETWEEN + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return runs


def _stripped(run: str) -> str:
    """Return a run without the signs around it, as ``prompts.grammar`` has it."""
    return run.lstrip(prompts.OPENING).rstrip(prompts.CLOSING)


def strange(rng: random.Random, sentence: str) -> tuple[str, ...]:
    """Return any run of a sentence's words."""
    words = prompts.defused(sentence).split()
    count = min(rng.randint(*_STRANGE), len(words))
    begin = rng.randint(0, len(words) - count)
    return tuple(filter(None, [_stripped(" ".join(words[begin : begin + count]))]))


def _ask(
    rng: random.Random,
    sentences: Node,
    question: dict[str, Any],
    language: Language,
    held: Sequence[int],
    read: Sequence[tuple[str, Language]],
) -> None:
    """Let a question follow, its right reply, and verdicts on that and on wrong ones.

    :param held: The numbers of those of the sentences that answer.
    :param read: The sentences, with their languages.
    """
    right = question["answer"] and question["answer"][language]
    wrong = list(question["wrong"][language])
    rng.shuffle(wrong)
    cited = held or (rng.randint(1, len(read)),)
    of_cited = [read[n - 1] for n in cited]
    foreign = of_cited[0][1] != language
    quotes: tuple[str, ...] = ()
    if held and foreign:
        own = of_cited[0][1]
        quotes = runs([text for text, _ in of_cited], question["answer"], own)
        if not quotes or any(said != own for _, said in of_cited):
            return  # it is said in other words than the sentences': there is nothing to quote
    asked = sentences.then(prompts.asked(question[language], language) + _ASSISTANT)
    if held:
        answer = rng.choice(right) if rng.random() < _ANOTHER_ANSWER else right[0]
        reply = asked.then(prompts.reply(answer, held, quotes) + END, 1.0)
        reply.then(_CHECK).then(prompts.YES, 1.0)
    else:
        asked.then(prompts.NONE + END, 1.0)
        # Right elsewhere; here nothing says so.
        wrong = [*({"kind": "neighbour", "text": text} for text in (right or ())[:1]), *wrong]
    for each_wrong in wrong[: _WRONG if held else 1]:
        of_right = held and each_wrong["kind"] in OF_RIGHT_WORDS
        words = quotes if of_right or not foreign else strange(rng, of_cited[0][0])
        reply = asked.then(prompts.reply(each_wrong["text"], cited, words) + END)
        reply.then(_CHECK).then(prompts.NO, 1.0)
