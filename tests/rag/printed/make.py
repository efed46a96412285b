"""Print the three texts beside this with many programs: ``python make.py [NAME…]``; see README.md.

What isn't installed is told and left out. The PDFs that were made are kept beside the texts, since
no machine has all of these programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lxml import html

HERE = Path(__file__).parent
TEXTS = ("loans", "station", "library")
ENGLISH = "allotments"
FONTS = {
    "Amiri": "/usr/share/fonts/opentype/fonts-hosny-amiri/Amiri-Regular.ttf",
    "DejaVu Sans": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "Scheherazade": "/usr/share/fonts/truetype/scheherazade/Scheherazade-Regular.ttf",
}
COLUMNS = 75  # letters of a line, where a program breaks none itself


class Block(NamedTuple):
    """A heading (h1, h2), paragraph (p), item (li) or row (tr), with its text or cells."""

    tag: str
    text: str
    cells: tuple[str, ...] = ()


Maker = Callable[[str, Path, Path], object]  # a text's name, where to work, what to write


def blocks(name: str) -> Iterator[Block]:
    """Yield what a text is made of."""
    for part in html.parse(HERE / f"{name}.html").iter("h1", "h2", "p", "li", "tr"):
        cells = tuple(cell.text_content() for cell in part.iter("th", "td"))
        yield Block(part.tag, " | ".join(cells) or part.text_content(), cells)


def lines(name: str) -> Iterator[str]:
    """Yield the lines of a text as a program writes them that knows of no paragraphs."""
    for block in blocks(name):
        yield from textwrap.wrap("- " * (block.tag == "li") + block.text, COLUMNS)


def run(*command: str | Path, **variables: str) -> None:
    """Run a program.

    :raises RuntimeError: When it fails, with the end of what it says.
    """
    home = {"HOME": tempfile.gettempdir(), "QT_QPA_PLATFORM": "offscreen"}
    ran = subprocess.run(
        command, capture_output=True, timeout=240, env={**os.environ, **home, **variables}
    )
    if ran.returncode:
        raise RuntimeError((ran.stderr or ran.stdout).decode(errors="replace")[-300:])


def page(name: str, work: Path, font: str) -> Path:
    """Write a text in a font as HTML."""
    style = f'<style>body {{ font: 13pt "{font}" }}</style></head>'
    text = (HERE / f"{name}.html").read_text(encoding="utf-8")
    (work / f"{name}.html").write_text(text.replace("</head>", style), encoding="utf-8")
    return work / f"{name}.html"


def chromium(name: str, work: Path, out: Path, font: str, tagged: bool = True) -> None:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    options += [] if tagged else ["--disable-pdf-tagging"]
    run("chromium", *options, f"--print-to-pdf={out}", page(name, work, font))


def writer(name: str, work: Path, out: Path, tagged: bool) -> None:
    rtl = () if name == ENGLISH else ("--metadata=dir=rtl",)
    run(
        "pandoc",
        page(name, work, ""),
        "--metadata=title=",
        *rtl,
        "-o",
        work / f"{name}.docx",
    )
    tags = f'{{"UseTaggedPDF":{{"type":"boolean","value":"{str(tagged).lower()}"}}}}'
    kind = f"pdf:writer_pdf_Export:{tags}"
    run("soffice", "--headless", "--convert-to", kind, "--outdir", work, work / f"{name}.docx")
    (work / f"{name}.pdf").replace(out)


def writer_web(name: str, work: Path, out: Path) -> None:
    kind = "pdf:writer_web_pdf_Export"
    run("soffice", "--headless", "--convert-to", kind, "--outdir", work, page(name, work, "Amiri"))
    (work / f"{name}.pdf").replace(out)


def by_page(program: str, name: str, work: Path, out: Path, font: str) -> None:
    """Print with a program that takes HTML and the name of the PDF."""
    run(program, page(name, work, font), out)


def latex(engine: str, head: str, name: str, work: Path, out: Path) -> None:
    escaped = str.maketrans({"%": r"\%", "&": r"\&", "_": r"\_"})
    body = list[str]()
    for block in blocks(name):
        text = block.text.translate(escaped)
        if block.tag in ("h1", "h2"):
            body.append(rf"\section*{{{text}}}")
        elif block.cells:
            row = r"\begin{tabular}{|p{3cm}|p{2cm}|p{3cm}|p{3cm}|}"
            body.append(rf"{row}{' & '.join(block.cells)}\end{{tabular}}" + "\n")
        else:
            body.append(r"\par $\bullet$ " * (block.tag == "li") + text + "\n")
    (work / f"{name}.tex").write_text(
        r"\documentclass[12pt]{article}\usepackage[a4paper,margin=2.5cm]{geometry}"
        rf"\pagestyle{{empty}}{head}" + "\n".join(body) + r"\end{document}",
        encoding="utf-8",
    )
    run(engine, "-interaction=nonstopmode", f"-output-directory={work}", work / f"{name}.tex")
    (work / f"{name}.pdf").replace(out)


def xelatex(font: str) -> Maker:
    head = (
        rf"\usepackage{{fontspec}}\setmainfont[Script=Arabic]{{{font}}}"
        r"\usepackage{bidi}\begin{document}\setRTL "
    )
    return partial(latex, "xelatex", head)


LUALATEX = partial(
    latex,
    "lualatex",
    r"\usepackage[bidi=basic,layout=lists.tabular]{babel}"
    r"\babelprovide[import,main,maparabic=false]{arabic}"
    r"\babelfont{rm}[Renderer=HarfBuzz]{Amiri}\begin{document}",
)


def typst(name: str, work: Path, out: Path, columns: int = 1) -> None:
    import typst as compiler

    body = ['#set text(font: "Amiri", lang: "ar", size: 13pt)']
    if name == ENGLISH:
        body = [f"#set page(columns: {columns})", "#set par(justify: true)"]
    for block in blocks(name):
        text = block.text.replace("@", r"\@")
        table = f"#table(columns: 4, {', '.join(f'[{cell}]' for cell in block.cells)})"
        begin = {"h1": "= ", "h2": "== ", "li": "- "}.get(block.tag, "")
        body += [table if block.cells else f"{begin}{text}", ""]
    (work / f"{name}.typ").write_text("\n".join(body), encoding="utf-8")
    out.write_bytes(compiler.compile(work / f"{name}.typ", font_paths=["/usr/share/fonts"]))


def reportlab(name: str, work: Path, out: Path, shaped: bool) -> None:
    from arabic_reshaper import reshape
    from bidi.algorithm import get_display
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    pdfmetrics.registerFont(TTFont("F", FONTS["DejaVu Sans"]))
    canvas = Canvas(str(out))
    canvas.setFont("F", 13)
    for nth, line in enumerate(lines(name)):
        drawn = get_display(reshape(line), base_dir="R") if shaped else line
        canvas.drawRightString(560, 800 - 24 * nth, drawn)
    canvas.save()


def fpdf2(name: str, work: Path, out: Path) -> None:
    from fpdf import FPDF

    document = FPDF()
    document.add_page()
    document.add_font("F", fname=FONTS["Amiri"])
    document.set_font("F", size=13)
    document.set_text_shaping(True, direction="rtl", script="arab", language="ara")
    for block in blocks(name):
        document.multi_cell(0, 9, block.text, align="R", new_x="LMARGIN", new_y="NEXT")
        document.ln(3)
    document.output(str(out))


def xhtml2pdf(name: str, work: Path, out: Path) -> None:
    from xhtml2pdf import pisa

    with out.open("wb") as file:
        pisa.CreatePDF((HERE / f"{name}.html").read_text(encoding="utf-8"), dest=file)


def by_lines(program: tuple[str, ...], font: str, name: str, work: Path, out: Path) -> None:
    """Print with a script of this folder."""
    (work / "lines.txt").write_text("\n".join(lines(name)), encoding="utf-8")
    run(*program, work / "lines.txt", out, FONTS[font])


def fop(name: str, work: Path, out: Path, font: str) -> None:
    body = "".join(f'<fo:block space-after="8pt">{block.text}</fo:block>' for block in blocks(name))
    (work / "fop.xml").write_text(
        '<fop version="1.0"><renderers><renderer mime="application/pdf"><fonts><auto-detect/>'
        "</fonts></renderer></renderers></fop>"
    )
    (work / f"{name}.fo").write_text(
        '<fo:root xmlns:fo="http://www.w3.org/1999/XSL/Format" language="ar" script="arab"'
        f' font-family="{font}" writing-mode="rl-tb"><fo:layout-master-set>'
        '<fo:simple-page-master master-name="a" page-height="29.7cm" page-width="21cm"'
        ' margin="2cm"><fo:region-body/></fo:simple-page-master></fo:layout-master-set>'
        '<fo:page-sequence master-reference="a"><fo:flow flow-name="xsl-region-body">'
        f"{body}</fo:flow></fo:page-sequence></fo:root>",
        encoding="utf-8",
    )
    run("fop", "-c", work / "fop.xml", work / f"{name}.fo", out)


def inkscape(name: str, work: Path, out: Path, font: str) -> None:
    body = "".join(
        f'<text x="560" y="{40 + 24 * nth}" direction="rtl" font-family="{font}">{line}</text>'
        for nth, line in enumerate(lines(name))
    )
    (work / f"{name}.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="595" height="842">{body}</svg>',
        encoding="utf-8",
    )
    run("inkscape", work / f"{name}.svg", f"--export-filename={out}")


def distilled(of: str, name: str, work: Path, out: Path) -> None:
    """Write anew, with Ghostscript, what another program has made."""
    options = ("-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=pdfwrite", f"-sOutputFile={out}")
    run("gs", *options, HERE / f"{of}.{name}.pdf")


def texttopdf(name: str, work: Path, out: Path) -> None:
    (work / f"{name}.txt").write_text("\n".join(lines(name)), encoding="utf-8")
    filtered = ("/usr/lib/cups/filter/texttopdf", "1", "u", "t", "1", "", work / f"{name}.txt")
    environment = {**os.environ, "CHARSET": "utf-8"}
    ran = subprocess.run(filtered, capture_output=True, check=True, env=environment)
    out.write_bytes(ran.stdout)


MAKERS: dict[str, Maker] = {
    "chromium": partial(chromium, font="Amiri"),
    "chromium-untagged": partial(chromium, font="DejaVu Sans", tagged=False),
    "writer": partial(writer, tagged=False),
    "writer-tagged": partial(writer, tagged=True),
    "writer-web": writer_web,
    "wkhtmltopdf": partial(by_page, "wkhtmltopdf", font="DejaVu Sans"),
    "wkhtmltopdf-amiri": partial(by_page, "wkhtmltopdf", font="Amiri"),
    "weasyprint": partial(by_page, "weasyprint", font="DejaVu Sans"),
    "weasyprint-57": partial(by_page, "/usr/bin/weasyprint", font="DejaVu Sans"),
    "xelatex": xelatex("Amiri"),
    "xelatex-scheherazade": xelatex("Scheherazade"),
    "lualatex": LUALATEX,
    "typst": typst,
    "reportlab": partial(reportlab, shaped=True),
    "reportlab-raw": partial(reportlab, shaped=False),
    "fpdf2": fpdf2,
    "tcpdf": partial(by_lines, ("php", str(HERE / "tcpdf.php")), "DejaVu Sans"),
    "jspdf": partial(by_lines, ("node", str(HERE / "jspdf.cjs")), "DejaVu Sans"),
    "xhtml2pdf": xhtml2pdf,
    "fop": partial(fop, font="DejaVu Sans"),
    "fop-amiri": partial(fop, font="Amiri"),
    "inkscape": partial(inkscape, font="DejaVu Sans"),
    "inkscape-amiri": partial(inkscape, font="Amiri"),
    "ghostscript-chromium": partial(distilled, "chromium"),
    "ghostscript-typst": partial(distilled, "typst"),
    "ghostscript-xelatex": partial(distilled, "xelatex"),
    "ghostscript-reportlab": partial(distilled, "reportlab"),
    "texttopdf": texttopdf,
}


ENGLISH_MAKERS: dict[str, Maker] = {
    "pdflatex": partial(latex, "pdflatex", r"\usepackage[T1]{fontenc}\begin{document}"),
    "pdflatex-columns": partial(
        latex, "pdflatex", r"\usepackage[T1]{fontenc}\begin{document}\twocolumn "
    ),
    "lualatex-columns": partial(latex, "lualatex", r"\begin{document}\twocolumn "),
    "typst-columns": partial(typst, columns=2),
    "writer": partial(writer, tagged=False),
    "ghostscript-writer": partial(distilled, "writer"),
}


def main() -> None:
    """Print all texts with all programs, or those that are named."""
    every = [(maker, MAKERS[maker], name) for maker in MAKERS for name in TEXTS]
    every += [(maker, make, ENGLISH) for maker, make in ENGLISH_MAKERS.items()]
    missing = set[str]()
    for maker, make, name in every:
        if maker not in missing and maker in (sys.argv[1:] or (maker,)):
            with tempfile.TemporaryDirectory() as work:
                try:
                    make(name, Path(work), HERE / f"{maker}.{name}.pdf")
                except (RuntimeError, OSError, ImportError) as exc:
                    print(f"{maker}: {exc}", file=sys.stderr)
                    missing.add(maker)


if __name__ == "__main__":
    main()
