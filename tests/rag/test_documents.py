"""The corpus: which files are documents, what is read of them, and what is said of the others."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rag import documents, readers
from rag.config import DocumentsSettings, Settings
from rag.documents import Document, list_files, parse, read_bytes
from rag.errors import DocumentError
from tests.conftest import Write, drop_privileges, in_child

LIMITS = DocumentsSettings()


def read(settings: Settings, doc: str) -> Document:
    return parse(doc, read_bytes(settings.corpus, doc, settings.documents))


TEXTS = {
    "plain": (b"Cats sleep.", "Cats sleep."),
    "UTF-16": ("قط\nCats".encode("utf-16"), "قط\nCats"),
    "French": (
        "L\u2019été dernier, où était-ce déjà?".encode(),
        "L\u2019été dernier, où était-ce déjà?",
    ),
    "byte order mark": (b"\xef\xbb\xbfCats sleep.", "Cats sleep."),
    "Windows newlines": (b"One.\r\nTwo.\rThree.", "One.\nTwo.\nThree."),
    "space around": (b"\n\n  Cats sleep. \r\n\r\n", "Cats sleep."),
    "Arabic": ("تنام القطط.".encode(), "تنام القطط."),
    "tashkeel stays": ("الدَّرْسُ".encode(), "الدَّرْسُ"),
    "invisible marks go": ("pass\u200bword \u202eabc\u202c".encode(), "password abc"),
    "zero bytes go": (b"C\x00ats", "Cats"),
    "decomposed letters are composed": ("cafe\u0301".encode(), "café"),
}


@pytest.mark.parametrize(("content", "text"), TEXTS.values(), ids=TEXTS)
def test_text_is_cleaned_and_otherwise_the_authors_own(content: bytes, text: str) -> None:
    assert parse("a.txt", content).text == text


BAD_CONTENTS = {
    "empty": (b"", "holds no text"),
    "only whitespace": (" \r\n\t\u00a0\u3000".encode(), "holds no text"),
    "only invisible characters": ("\u200b\ufeff\u202e".encode(), "holds no text"),
    "cp1256": (
        "مال".encode("cp1256"),  # e3 c7 e1: e3 begins three bytes of UTF-8, c7 isn't the second
        r"not UTF-8 \(byte 0xe3 at 0\); save it as UTF-8",
    ),
    "broken further on": (b"Cats \xff sleep.", r"not UTF-8 \(byte 0xff at 5\)"),
    "cut within a letter": ("قط".encode()[:-1], r"not UTF-8 \(byte 0xd8 at 2\)"),
    "UTF-16 without its mark": ("Cats sleep.".encode("utf-16-le"), "UTF-16 without its mark"),
    "Arabic in UTF-16 without it": ("تنام القطط.".encode("utf-16-be"), "UTF-16 without its mark"),
    "UTF-16 cut in two": (b"\xff\xfeC\x00a", r"not UTF-16 \(byte 0x61 at 4\)"),
    "Arabic read as Western letters": (
        "تنام القطط في البيت.".encode("cp1256").decode("cp1252", "replace").encode(),
        "read in a wrong encoding",
    ),
    "UTF-8 read as Western letters": (
        "تنام القطط في البيت.".encode().decode("latin-1").encode(),
        "read in a wrong encoding",
    ),
    "overlong slash": (b"\xc0\xaf", "not UTF-8"),
}


@pytest.mark.parametrize(("content", "reason"), BAD_CONTENTS.values(), ids=BAD_CONTENTS)
def test_content_that_is_not_text_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse("a.txt", content)


TITLES = {
    "first line": ("Rise of the cats\n\nThey rose.", "Rise of the cats"),
    "Markdown heading": ("## Rise of the cats ##\ntext", "Rise of the cats ##"),
    "byline is skipped": ("المصدر: Alphabet List\nصعود القطط", "صعود القطط"),
    "English byline, any case": ("SOURCE : Reuters\n\nRise", "Rise"),
    "bylines alone": ("By: A\nDate: B", "file"),
    "a line that begins like a byline": ("Bystanders they were.", "Bystanders they were."),
    "a colon": ("Cats: how they rose at last\n\nThey rose.", "Cats: how they rose at last"),
    "what something has is no title": ("Phone: 055 1234\nJob: nurse", "file"),
    "a paragraph is no title": ("x" * 151 + "\nshort", "file"),
    "the longest title": ("x" * 150, "x" * 150),
}


@pytest.mark.parametrize(("text", "title"), TITLES.values(), ids=TITLES)
def test_title(text: str, title: str) -> None:
    assert parse("sub/file.txt", text.encode()).title == title


MARKDOWN_TITLES = {
    "front matter": ('---\ntitle: "Cats: a rise"\ntags: [a]\n---\n# Dogs\n\nThey.', "Cats: a rise"),
    "front matter without a title": ("---\ntags: [a]\n---\n\n# القطط\n\nتنام.", "القطط"),
    "a rule is no front matter": ("---\n\nCats rose.\n\n---\n\nDogs.", "Cats rose."),
    "a heading with closing marks": ("## Rise of *the* cats ##\n\ntext", "Rise of the cats"),
    "underlined": ("Rise of the cats\n====\n\ntext", "Rise of the cats"),
    "a comment before it": ("<!-- old: dogs -->\n# Cats\n\ntext", "Cats"),
}


@pytest.mark.parametrize(("text", "title"), MARKDOWN_TITLES.values(), ids=MARKDOWN_TITLES)
def test_title_of_markdown(text: str, title: str) -> None:
    assert parse("sub/file.md", text.encode()).title == title


def test_what_is_never_said_is_no_text() -> None:
    for text in ("<!-- Cats -->", "---\ntitle: Cats\n---\n", "***\n\n---"):
        with pytest.raises(DocumentError, match="holds no text"):
            parse("a.md", text.encode())


@pytest.mark.parametrize(
    ("doc", "title", "heading"),
    [
        ("people/Salma Haddad.md", "Salma Haddad", "Salma Haddad · people"),
        ("مستشفى/قسم-الأشعة.txt", "ساعات العمل", "ساعات العمل · مستشفى قسم الأشعة"),
        ("rules_2024/leave.md", "Leave", "Leave · rules 2024"),
        ("000_25063b146d92d0fe.txt", "Cats", "Cats"),
        ("00001/003.txt", "Cats", "Cats"),
    ],
)
def test_a_heading_has_the_words_of_the_path(doc: str, title: str, heading: str) -> None:
    assert documents.heading(doc, title) == heading


def test_a_title_made_of_a_file_name_is_clean() -> None:
    document = parse("sub/\u202egpj\u202c a\nb\x1b[31m.txt", b"By: A")
    assert document.title == "gpj a b[31m"


def test_identity_is_of_path_and_bytes_and_of_what_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = parse("a.txt", b"Cats."), parse("b.txt", b"Cats.\n")
    assert (one.id, two.id) == ("a.txt", "b.txt")
    assert one.text == two.text
    assert one.sha256 != two.sha256
    assert one.sha256 == documents.digest("c/d.txt", b"Cats.", DocumentsSettings())
    before = parse("a.csv", b"Cats,dogs\n1,2\n").sha256
    monkeypatch.setattr(readers, "_VERSIONS", {"delimited:read": 2})
    assert parse("a.csv", b"Cats,dogs\n1,2\n").sha256 != before


def test_language_is_of_the_text() -> None:
    assert parse("english.txt", "تنام القطط في البيت.".encode()).language == "ar"
    assert parse("arabic.txt", b"The cats sleep at home.").language == "en"


def test_files_are_listed_sorted_and_nested(settings: Settings, write: Write) -> None:
    for name in ("b.txt", "a.md", "sub/deep/c.TXT", "sub/d.markdown", "مقال عن القطط.txt"):
        write(name, "Cats.")
    assert list_files(settings.corpus) == [
        "a.md", "b.txt", "sub/d.markdown", "sub/deep/c.TXT", "مقال عن القطط.txt",
    ]  # fmt: skip
    assert read(settings, "sub/deep/c.TXT").text == "Cats."


def test_hidden_files_and_folders_are_not_documents(settings: Settings, write: Write) -> None:
    for name in (".env", ".git/config.txt", "sub/.hidden/a.txt", "sub/.b.txt", "sub/c.txt"):
        write(name, "Cats.")
    assert list_files(settings.corpus) == ["sub/c.txt"]


def test_a_hidden_folder_above_the_corpus_does_not_hide_it(tmp_path: Path) -> None:
    corpus = tmp_path / ".private" / "corpus"
    corpus.mkdir(parents=True)
    (corpus / "a.txt").write_text("Cats.", encoding="utf-8")
    assert list_files(corpus) == ["a.txt"]


def test_links_that_lead_out_are_not_documents(
    settings: Settings, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir()
    secret = tmp_path / "secrets" / "secret.txt"
    secret.write_text("The password is cat.", encoding="utf-8")
    real = write("real.txt", "Cats.")
    (settings.corpus / "file.txt").symlink_to(secret)
    (settings.corpus / "folder").symlink_to(secret.parent)
    (settings.corpus / "relative.txt").symlink_to("../secrets/secret.txt")
    (settings.corpus / "chain.txt").symlink_to("file.txt")
    (settings.corpus / "inside.txt").symlink_to(real)
    assert list_files(settings.corpus) == ["inside.txt", "real.txt"]


def test_a_linked_corpus_is_a_corpus(settings: Settings, write: Write, tmp_path: Path) -> None:
    write("a.txt", "Cats.")
    (tmp_path / "link").symlink_to(settings.corpus)
    assert list_files(tmp_path / "link") == ["a.txt"]


@pytest.mark.timeout(10)
def test_links_in_circles_and_to_nowhere_are_left_out(settings: Settings, write: Write) -> None:
    write("sub/a.txt", "Cats.")
    (settings.corpus / "sub" / "up").symlink_to("..")
    (settings.corpus / "self.txt").symlink_to("self.txt")
    (settings.corpus / "one.txt").symlink_to("two.txt")
    (settings.corpus / "two.txt").symlink_to("one.txt")
    (settings.corpus / "gone.txt").symlink_to("nowhere")
    assert list_files(settings.corpus) == ["sub/a.txt"]


@pytest.mark.timeout(10)
def test_a_pipe_is_not_a_document(settings: Settings, write: Write) -> None:
    os.mkfifo(settings.corpus / "pipe.txt")  # reading it would wait for ever
    write("a.txt", "Cats.")
    assert list_files(settings.corpus) == ["a.txt"]


@pytest.mark.parametrize(
    "name",
    ["with space.txt", "مقال.txt", "line\nbreak.txt", "\x1b[31mred.txt", "\u202egnp.txt", "-x.txt",
     "'quote\".txt", "100%.txt", "a\\b.txt", "cafe\u0301.txt"],
    ids=["space", "Arabic", "newline", "escape sequence", "RTL override", "like an option",
         "quotes", "percent", "backslash", "decomposed"],
)  # fmt: skip
def test_any_file_name_is_its_own_id(settings: Settings, write: Write, name: str) -> None:
    write(f"sub/{name}", "Cats.")
    assert list_files(settings.corpus) == [f"sub/{name}"]
    assert read(settings, f"sub/{name}").id == f"sub/{name}"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such file names")
def test_a_file_name_that_is_not_unicode_is_refused(settings: Settings) -> None:
    name = os.fsdecode("مقال.txt".encode("cp1256"))
    (settings.corpus / name).write_text("Cats.", encoding="utf-8")
    assert list_files(settings.corpus) == [name]
    with pytest.raises(DocumentError, match="name is not UTF-8; rename it"):
        read(settings, name)


@pytest.mark.parametrize(
    "name", ["photo.jpg", "archive.txt.gz", "README", "old.doc", "folder.md/x"]
)
def test_other_file_types_are_refused_with_those_that_are_read(
    settings: Settings, write: Write, name: str
) -> None:
    write(name, "Cats.")
    with pytest.raises(DocumentError, match=r"not a file type .*\.markdown, \.md, .*\.txt"):
        read(settings, name)


def test_a_file_is_read_up_to_the_limit(settings: Settings, write: Write) -> None:
    limits = DocumentsSettings(max_bytes=1_000)
    write("fits.txt", b"x" * 1_000)
    write("large.txt", b"x" * 1_001)
    assert len(read_bytes(settings.corpus, "fits.txt", limits)) == 1_000
    reason = r"^1,001 bytes, more than documents\.max_bytes \(1,000\)$"
    with pytest.raises(DocumentError, match=reason):
        read_bytes(settings.corpus, "large.txt", limits)


def test_a_file_that_left_after_it_was_listed_is_refused(settings: Settings) -> None:
    with pytest.raises(DocumentError, match=r"can't be read \(No such file or directory\)"):
        read_bytes(settings.corpus, "gone.txt", LIMITS)


def test_a_corpus_that_is_not_a_folder_is_refused(settings: Settings, write: Write) -> None:
    for corpus in (settings.corpus / "gone", write("a.txt", "Cats.")):
        with pytest.raises(DocumentError, match="no such folder; set corpus in") as e:
            list_files(corpus)
        assert str(e.value).startswith(f"{corpus}: ")


@pytest.mark.slow
def test_what_permissions_forbid_is_reported_and_the_rest_listed(
    settings: Settings, write: Write
) -> None:
    write("open.txt", "Cats.")
    write("file.txt", "Cats.").chmod(0)
    write("unlisted/a.txt", "Cats.").parent.chmod(0)
    write("closed/b.txt", "Cats.").parent.chmod(0o444)  # its names can be seen, nothing else
    assert in_child(_list_and_read, settings.corpus) == {
        "closed/b.txt": "can't be read (Permission denied)",
        "file.txt": "can't be read (Permission denied)",
        "open.txt": "Cats.",
        "unlisted/": "this folder can't be listed; check its permissions",
    }
    settings.corpus.chmod(0)
    assert in_child(_list_and_read, settings.corpus) == "can't be listed (Permission denied)"
    for path in (settings.corpus, settings.corpus / "unlisted", settings.corpus / "closed"):
        path.chmod(0o755)


def _list_and_read(corpus: Path) -> dict[str, str] | str:
    drop_privileges()
    read = {}
    try:
        for doc in list_files(corpus):
            try:
                read[doc] = read_bytes(corpus, doc, LIMITS).decode()
            except DocumentError as exc:
                read[doc] = str(exc)
    except DocumentError as exc:
        return str(exc).removeprefix(f"{corpus}: ")
    return read


def test_every_reader_is_named_by_its_suffix() -> None:
    assert readers.suffixes() == [
        ".csv", ".docx", ".epub", ".htm", ".html", ".jsonl", ".markdown", ".md", ".ods", ".odt",
        ".pdf", ".pptx", ".rtf", ".tsv", ".txt", ".xhtml", ".xlsx",
    ]  # fmt: skip
