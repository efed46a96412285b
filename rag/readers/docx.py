"""A Word document, as the HTML that mammoth makes of its styles, lists, tables and footnotes."""

from __future__ import annotations

import io

import mammoth

from rag.readers import archives, html
from rag.readers.writing import Reading, Writer

# Mammoth knows "Heading 1" and lists; the rest goes by what Word's templates are called.
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Code'] => pre:separator('\\n')
p[style-name='HTML Preformatted'] => pre:separator('\\n')
"""


def read(content: bytes) -> Reading:
    """Read a Word document.

    :raises DocumentError: When it is encrypted, or not safe to be read.
    """
    properties = archives.office(content)
    made = mammoth.convert_to_html(
        io.BytesIO(content),
        style_map=_STYLES,
        include_embedded_style_map=False,
        convert_image=lambda _: [],
        external_file_access=False,
    )
    writer = Writer()
    html.write(made.value, writer)
    return writer.reading(*properties)
