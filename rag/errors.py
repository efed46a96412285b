"""Every error that Rawi raises on purpose.

::

    RawiError                 one line that says what happened and what to do
    ├── ConfigError           config.yaml, RAWI_* or a command-line option
    ├── ModelError            weights that are missing, wrong or can't be loaded
    │   └── DownloadError     weights that could not be fetched
    ├── DocumentError         a file of the corpus that can't be read
    │   └── UnreachableError  for now: it may be as it was
    ├── IndexStorageError     the storage folder
    │   ├── NoIndexError      nothing has been indexed there yet
    │   └── StaleIndexError   made with other weights, settings or version
    ├── QuestionError         a question that can't be asked
    │   └── NoDocumentError  of documents that aren't there
    ├── GenerationError       the LLM failed while it answered
    │   └── DeadlineError     the LLM took longer than the settings allow
    └── EvalError             an evaluation set or run that can't be used

The message is shown to people as it stands, so it is whole: what happened, which file, key or
value, and what to do about it. Errors of libraries are translated where they are called.
"""


class RawiError(Exception):
    """Base of all errors that are shown to a person as one line."""


class ConfigError(RawiError):
    """A setting is unknown, of the wrong type or out of range."""


class ModelError(RawiError):
    """Weights are missing, wrong or can't be loaded."""


class DownloadError(ModelError):
    """Weights could not be fetched."""


class DocumentError(RawiError):
    """A file of the corpus can't be read; the others still can."""


class UnreachableError(DocumentError):
    """A file or folder can't be reached, which tells nothing of what it holds."""


class IndexStorageError(RawiError):
    """The storage folder can't be read or written."""


class NoIndexError(IndexStorageError):
    """Nothing has been indexed into the storage folder."""


class StaleIndexError(IndexStorageError):
    """The index was made with other weights, settings or another version of Rawi."""


class QuestionError(RawiError):
    """The question is empty, too long or can't be asked."""


class NoDocumentError(QuestionError):
    """It is asked of documents that the index doesn't hold, or of none."""


class GenerationError(RawiError):
    """The LLM failed while it was answering."""


class DeadlineError(GenerationError):
    """The LLM took longer than ``llm.timeout_s``."""


class EvalError(RawiError):
    """An evaluation set or run can't be used."""
