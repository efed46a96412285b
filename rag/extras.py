"""Which libraries a part of Rawi needs beside the core's, as pyproject.toml's extras list them."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from rag.errors import RawiError

Extra = Literal["serve", "eval", "ocr", "transformers"]

# Extra → modules, as they are imported.
MODULES: dict[Extra, tuple[str, ...]] = {
    "serve": tuple(
        "fastapi gradio itsdangerous jinja2 limits markupsafe mcp prometheus_client uvicorn".split()
    ),
    "eval": ("ir_measures", "jinja2", "markupsafe", "matplotlib", "sklearn"),
    "ocr": ("tesserocr",),
    "transformers": ("accelerate", "gguf"),
}


def require(extra: Extra, what: str) -> None:
    """Raise unless all of an extra is installed.

    :param what: What needs it, as a person knows it.
    :raises RawiError: Naming what is missing and how to install it.
    """
    missing = [module for module in MODULES[extra] if find_spec(module) is None]
    if missing:
        raise RawiError(
            f"{what} needs {', '.join(missing)}; run: pip install 'rawi[{extra}]'"
            f" (in a checkout: pip install -e '.[{extra}]')"
        )
