import json
import re
from html.parser import HTMLParser

import pytest

from eval import report, score
from eval.score import Scored
from rag.errors import EvalError

GOLD = "Demis Hassabis leads it."
QUESTIONS = {
    "lead": ("Who leads DeepMind?", "en", True, "name"),
    "budget": ("كم بلغت ميزانية الشركة؟", "ar", False, "unanswerable"),
}
RIGHT, WRONG, REFUSED = (1.0, "Hassabis [1]"), (0.0, "OpenAI [1]"), (0.0, None)
ANSWERED, KEPT_QUIET = (0.0, "بلغت ٣ مليارات [1]"), (1.0, None)
ENVIRONMENT = {
    "date": "2026-11-22T06:00:00+00:00",
    "machine": "a machine, 2 cores",
    "python": "3.11.7",
    "versions": {"torch": "2.13.0"},
    "settings": "0123456789abcdef",
    "command": "rawi eval qa set.jsonl --out run",
}


def qa(folder, outcomes, *, system="rawi", questions=QUESTIONS, settings=None, quote="نص", doc="a"):
    """Write a run: outcomes are (right, answer or None for a refusal), by question."""
    scored, answers = [], {}
    for number, (id_, (right, text)) in enumerate(outcomes.items(), start=1):
        question, language, answerable, category = questions[id_]
        abstained = text is None
        span = {"doc": doc, "start": 0, "end": len(quote)}
        answers[id_] = {
            "id": id_,
            "answer": text or "لا تذكر المستندات ذلك.",
            "abstained": abstained,
            "citations": [] if abstained else [{"marker": 1, **span, "quote": quote}],
            "evidence": [{**span, "text": quote, "score": 0.9, "language": "ar"}],
            "timings": {
                "retrieve_s": 0.02 * number,
                "first_token_s": 1.0 * number,
                "total_s": 2.0 * number,
                "prompt_tokens": 100,
                "completion_tokens": 10,
            },
        }
        values = {"right": right, **score.refusal_values(answerable, abstained)}
        if answerable:
            values["correct"] = right
        about = {
            "question": question,
            "answerable": answerable,
            "gold_answer": GOLD,
            "answer": answers[id_]["answer"],
            "abstained": abstained,
        }
        scored.append(
            Scored(id_, id_, language, category, values, 0.9, bool(right and answerable), about)
        )
    summary = {
        "kind": "qa",
        "system": system,
        "rules": ["top 2"] if system == "starter" else [],
        "set": {"file": "set.jsonl", "questions": len(scored), "of": len(scored)},
        "failed": 0,
        "risk_coverage": score.risk_coverage(scored),
        "costs": score.costs(scored, answers),
    }
    return write(folder, summary, scored, answers, settings or {})


def squad(folder, pair, ranks):
    scored = [
        Scored(
            id_, "0", pair, "",
            {"recall@1": float(r == 1), "recall@5": float(r <= 5), "recall@10": 1.0, "mrr": 1 / r,
             "ndcg@10": 1 / r},
            0.9, r == 1, {"question": f"{pair}? {id_}", "gold_answer": GOLD, "paragraph": 0},
        )
        for id_, r in ranks.items()
    ]  # fmt: skip
    named = {"passages": "p.json", "questions_from": "q.json", "pool": "same"}
    summary = {
        "kind": "squad",
        "system": "rawi",
        "set": {**named, "questions": len(scored), "of": len(scored)},
        "paragraphs": 2,
    }
    return write(folder, summary, scored, {}, {})


def abstain(folder):
    scored, answers = [], {}
    for id_, answerable, abstained in (("a", True, False), ("b", False, False)):
        answers[id_] = {
            "id": id_, "answer": "…", "abstained": abstained, "citations": [], "evidence": [],
            "timings": None, "error": "took too long",
        }  # fmt: skip
        about = {"question": id_, "answerable": answerable, "answer": "…", "abstained": abstained}
        values = score.refusal_values(answerable, abstained)
        scored.append(Scored(id_, id_, "en", "", values, 0.5, answerable, about))
    summary = {
        "kind": "abstain",
        "system": "rawi",
        "set": {"file": "nm.jsonl", "questions": 2, "of": 200},
        "failed": 2,
        "risk_coverage": score.risk_coverage(scored),
        "costs": score.costs(scored, answers),
    }
    return write(folder, summary, scored, answers, {})


def write(folder, summary, scored, answers, settings):
    folder.mkdir(parents=True)
    identity = {
        "kind": summary["kind"], "set": "s", "corpus": "c", "settings": settings,
        "models": {"embedder": "e5", "llm": "qwen"}, "code": "x",
    }  # fmt: skip
    about = {"format": 1, "identity": identity, "environment": ENVIRONMENT}
    summary = {"environment": ENVIRONMENT, **summary, **score.tables(scored)}
    (folder / "run.json").write_text(json.dumps(about))
    (folder / "summary.json").write_text(json.dumps(summary))
    lines = {"scores.jsonl": [s.line for s in scored], "answers.jsonl": answers.values()}
    for name, of in lines.items():
        text = "".join(json.dumps(line) + "\n" for line in of)
        if text:
            (folder / name).write_text(text)
    return folder


class Page(HTMLParser):
    """The tags, ids, tables' cells and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.texts, self._open = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        self.texts.append(data)
        if self.rows and {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data

    def row(self, first):
        return next([" ".join(cell.split()) for cell in r] for r in self.rows if r[0] == first)


def both(*folders):
    path = report.write(folders)
    assert path == folders[0] / "report.html"
    markdown = (folders[0] / "report.md").read_text(encoding="utf-8")
    return path.read_text(encoding="utf-8"), markdown


@pytest.fixture
def run(tmp_path):
    return qa(tmp_path / "new", {"lead": RIGHT, "budget": ANSWERED})


@pytest.fixture
def with_starter(run):
    qa(run / "baseline", {"lead": WRONG, "budget": KEPT_QUIET}, system="starter")
    return run


def test_headline_numbers(with_starter):
    html, markdown = both(with_starter)
    # all, starter's; Arabic, starter's; English, starter's; n. One of two right: resamples of two
    # clusters are 0, ½ or 1 right; a single question has no interval.
    right = ["50.0 (0.0–100.0)", "50.0 (0.0–100.0)", "0.0", "100.0", "100.0", "0.0", "2"]
    assert Page(html).row("right, or rightly refused")[1:] == right
    assert f"| right, or rightly refused | {' | '.join(right)} |" in markdown
    assert Page(html).row("right answer, of answerable questions")[1:] == [
        "100.0", "0.0", "–", "–", "100.0", "0.0", "1",
    ]  # fmt: skip
    head = ["Rawi, all", "starter, all", "Rawi, Arabic", "starter, Arabic", "Rawi, English"]
    assert Page(html).row("measure")[1:6] == head


def test_times(with_starter):
    html, _ = both(with_starter)
    # retrieve 20 and 40 ms, total 2 and 4 s: p50 is the middle, p95 lies 19/20 of the way.
    assert Page(html).row("Rawi, all")[1:] == [
        "30 ms · 39 ms", "1.50 s · 1.95 s", "3.00 s · 3.90 s", "100", "10",
    ]  # fmt: skip


def test_where_and_with_what_it_ran(with_starter):
    html, markdown = both(with_starter)
    for fact in ("2026-11-22", "a machine, 2 cores", "torch 2.13.0", "0123456789abcdef", "top 2"):
        assert fact in html
        assert fact in markdown


def test_flips_side_by_side(tmp_path, run):
    old = qa(tmp_path / "old", {"lead": RIGHT, "budget": KEPT_QUIET}, settings={"top_k": 5})
    html, markdown = both(run, old)
    # lead: 1 - 1, budget: 0 - 1.
    row = ["−50.0 (−100.0 to 0.0)", "2"]
    page = Page(html)
    paired = [r for r in page.rows if r[0] == "right, or rightly refused"][1]
    assert [" ".join(cell.split()) for cell in paired[1:]] == row
    assert "Right in old, wrong here (1)" in html
    assert "Wrong in old, right here" not in html
    flip = html[html.index('<article class="flip">') : html.index("</article>")]
    for text in (QUESTIONS["budget"][0], "invented", ANSWERED[1], "rightly refused", "نص", GOLD):
        assert text in flip
        assert text.replace("[1]", "\\[1\\]") in markdown
    assert QUESTIONS["lead"][0] not in flip
    assert "settings.top_k: 5 → None" in html


def test_runs_of_every_kind(tmp_path, run):
    ar, en = (squad(tmp_path / p, f"{p}→ar", {"x": 1, "y": 2}) for p in ("ar", "en"))
    html, markdown = both(run, ar, en, abstain(tmp_path / "nm"))
    page = Page(html)
    # Ranks 1 and 2, one paragraph and so no interval: recall@1 ½, MRR (1 + ½) / 2
    assert page.row("recall@1")[1:] == ["50.0", "2"]
    assert page.row("MRR")[1:] == ["75.0", "2"]
    titles = ("Questions and answers: new", "Retrieval: ar", "Retrieval: en", "Answer or refuse")
    for title in titles:
        assert title in html
        assert title in markdown
    assert "found at rank 2" in html
    assert "took too long" in html
    assert "Compared with" not in html


def test_a_mixed_pool_is_compared_where_the_pair_is_the_same(tmp_path):
    same = squad(tmp_path / "same", "ar→ar", {"x": 1, "y": 1})
    mixed = squad(tmp_path / "mixed", "ar→ar", {"x": 2, "y": 1})
    lines = (mixed / "scores.jsonl").read_text().splitlines()
    lines[1] = lines[1].replace("\\u2192ar", "\\u2192en", 1)
    (mixed / "scores.jsonl").write_text("\n".join(lines))
    html, _ = both(same, mixed)
    paired = [r for r in Page(html).rows if r[0] == "recall@1"][-1]
    assert paired[1:] == ["+100.0", "1"]


HOSTILE = (
    '<script>alert(1)</script> "><img src=http://evil.example/x onerror=alert(1)>\n'
    "| ![x](http://evil.example/y) [z](javascript:alert(1)) {{ 7*7 }} $\\frac{1}$ `c` **b**"
    " </style></svg>\u202eabc\u0000\ud800"
)


@pytest.fixture
def hostile(tmp_path):
    questions = {HOSTILE: (HOSTILE, "en", True, HOSTILE), "b|": ("b|", "en", True, "$x$|<i>")}
    outcomes = {HOSTILE: (0.0, HOSTILE), "b|": (1.0, HOSTILE)}
    given = {"questions": questions, "quote": HOSTILE, "doc": HOSTILE}
    run = qa(tmp_path / "run", outcomes, **given)
    qa(run / "baseline", {HOSTILE: (1.0, HOSTILE), "b|": RIGHT}, system="starter", **given)
    return run


def test_hostile_text_is_text_in_html(hostile):
    html, _ = both(hostile)
    page = Page(html)
    assert not {"script", "img", "link", "iframe", "object", "base", "i", "b"} & {
        tag for tag, _ in page.tags
    }
    assert [tag for tag, _ in page.tags].count("style") == 1
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert any("<script>alert(1)</script>" in text for text in page.texts)
    assert "{{ 7*7 }} $\\frac{1}$" in html
    assert "\u202e" not in html
    assert "\0" not in html


def test_hostile_text_is_text_in_markdown(hostile):
    _, markdown = both(hostile)
    outside = re.sub(r'<span dir="rtl" lang="ar">|</span>|<br>', "", markdown)
    assert not re.search(r"<|(?<!\\)[\[\]`]|://|\u202e|\0", outside)
    lines = markdown.split("\n")
    for number, line in enumerate(lines):
        if re.fullmatch(r"\|(---\|)+", line):
            columns = line.count("|")
            table = [lines[number - 1]]
            for row in lines[number + 1 :]:
                if not row.startswith("|"):
                    break
                table.append(row)
            assert {len(re.findall(r"(?<!\\)\|", row)) for row in table} == {columns}


def test_html_asks_for_nothing(with_starter, hostile):
    for folder in (with_starter, hostile):
        html, _ = both(folder)
        for _, attributes in Page(html).tags:
            assert "src" not in attributes
            for name in ("href", "xlink:href"):
                assert (attributes.get(name) or "#").startswith("#")
        assert "@import" not in html
        assert not re.search(r"url\((?!#)", html)
    assert "http://" not in both(with_starter)[0]


def test_ids_are_unique_and_references_lead_somewhere(tmp_path, with_starter):
    html, _ = both(with_starter, squad(tmp_path / "s", "ar→ar", {"x": 1}))
    tags = Page(html).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {attributes["href"][1:] for _, attributes in tags if "href" in attributes}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", html))
    assert wanted <= set(ids)


def test_tables_are_accessible(with_starter):
    html, _ = both(with_starter)
    tags = Page(html).tags
    count = [tag for tag, _ in tags].count
    assert count("table") == count("caption") > 3
    assert all("scope" in attributes for tag, attributes in tags if tag == "th")


def test_arabic_is_set_from_right_to_left(run):
    html, markdown = both(run)
    question = QUESTIONS["budget"][0]
    assert f'<p dir="rtl" lang="ar">{question}</p>' in html
    assert f'<p dir="rtl" lang="ar">{ANSWERED[1]}</p>' in html
    assert f'<span dir="rtl" lang="ar">{question}</span>' in markdown
    assert f"<p>{QUESTIONS['lead'][0]}</p>" in html


def test_many_questions_stay_small(tmp_path):
    long = "جملة طويلة من المستند تجيب عن السؤال. " * 40
    questions = {f"q{i}": (f"سؤال {i}؟", "ar", True, "number") for i in range(250)}
    given = {"questions": questions, "quote": long}
    run = qa(tmp_path / "run", dict.fromkeys(questions, (1.0, long)), **given)
    starter = dict.fromkeys(questions, (0.0, long))
    qa(run / "baseline", starter, system="starter", **given)
    html, _ = both(run)
    assert len(html.encode()) < 4_000_000  # every answer is at its longest, every question flips


@pytest.mark.parametrize("name", ["run.json", "summary.json", "scores.jsonl", "answers.jsonl"])
def test_a_missing_file_is_named_with_what_to_run(run, name):
    (run / name).unlink()
    with pytest.raises(EvalError, match=rf"{re.escape(str(run / name))}: .*rawi eval .*--out"):
        report.write([run])


def test_a_starter_that_was_cut_off_is_named(with_starter):
    (with_starter / "baseline" / "summary.json").unlink()
    with pytest.raises(EvalError, match=r"baseline/summary.json: .* --baseline --out .*new$"):
        report.write([with_starter])


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("scores.jsonl", '{"id": "lead"}\n', "line 1: has no 'values'"),
        ("scores.jsonl", "[]\n", "line 1: is not an object"),
        ("scores.jsonl", "", "holds no question"),
        ("answers.jsonl", '{"id": "lead", "abstained": true}\n{"id', "line 2: is not JSON"),
        ("answers.jsonl", '{"id": "lead", "abstained": true}\n', "has no 'budget'"),
        ("summary.json", "{", "is not JSON"),
        ("summary.json", "{}", "has no 'kind'"),
        ("run.json", "{}", "has no 'identity'"),
    ],
)
def test_a_damaged_file_is_named(run, name, text, problem):
    (run / name).write_text(text)
    with pytest.raises(EvalError, match=rf"{name}\b.*{re.escape(problem)}"):
        report.write([run])


def test_no_run_is_no_report():
    with pytest.raises(EvalError, match="give the folders"):
        report.write([])


def test_a_folder_that_cannot_be_written_is_named(run):
    (run / "report.html").mkdir()
    with pytest.raises(EvalError, match=r"report\.html: can't be written"):
        report.write([run])
