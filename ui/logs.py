"""One line of JSON for each request: who asked is not in it, nor what, unless that is asked for."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request

ACCESS: Final = logging.getLogger("rawi.access")
_FIELDS: Final = "rawi_fields"


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; line breaks and control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up() -> None:
    """Send the log of the server to standard error, as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    for name, level in (("rawi", logging.INFO), ("ui", logging.WARNING), ("uvicorn", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def access(**fields: Any) -> None:
    """Note one request."""
    ACCESS.info("request", extra={_FIELDS: fields})


def note_question(request: Request, question: str) -> None:
    """Give the question to the guard, which logs it only with ``server.log_questions``."""
    request.scope["rawi.question"] = question
