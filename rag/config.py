"""config.yaml and ``RAWI_*`` environment variables → one frozen ``Settings``.

Later beats earlier: defaults < config.yaml < environment < command line. Every key, its unit, range
and reason stand in config.yaml; the ranges are enforced here. Nothing else in Rawi reads the
environment or the file.
"""

from __future__ import annotations

import difflib
import ipaddress
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

from rag.errors import ConfigError

logger = logging.getLogger(__name__)

ENV_PREFIX = "RAWI_"
DEFAULT_FILE = Path("config.yaml")

# Where pydantic's own words are about Python.
_ALLOWED = {"path_type": "must be a path", "model_type": "must hold keys and values"}

PositiveSeconds = Annotated[float, Field(gt=0, le=3600)]


def _network(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _address(url: str) -> str:
    with suppress(ValueError):  # a port that is none, or a host's name
        parts = urlsplit(url)
        if _ADDRESS.fullmatch(url) and (parts.hostname or "").encode("idna") and parts.port != 0:
            return url
    raise ValueError("must be like http://127.0.0.1:8000/v1, without a user, ? or #")


# Without a user, who would stand in what is told of it.
_ADDRESS = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
ServerUrl = Annotated[str, AfterValidator(_address)]
# As a browser writes it: no path, no trailing slash, no wildcard, no user, no default port.
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:\d{1,5})?$")]
RootPath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9_.~-]+)*$")]
HostName = Annotated[str, Field(pattern=r"^([a-z0-9_.-]+|\[[0-9a-f:.]+\])$")]
Network = Annotated[str, AfterValidator(_network)]
KeyHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """A group of settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class ModelsSettings(Section):
    """Where weights come from and where they are kept."""

    cache: Path | None = None
    hub: str = "https://huggingface.co"
    hub_timeout_s: PositiveSeconds = 3.0
    offline: bool = False


class DocumentsSettings(Section):
    """How often the folder is looked at, which files are read, and what reading one may take."""

    watch_s: float = Field(5.0, ge=0, le=86_400)
    max_bytes: int = Field(20_000_000, ge=1_000, le=1_000_000_000)
    max_chars: int = Field(5_000_000, ge=1_000, le=100_000_000)
    max_seconds: float = Field(120.0, ge=1, le=3_600)
    max_memory_bytes: int = Field(1_500_000_000, ge=300_000_000, le=64_000_000_000)
    ocr: str = Field("", pattern=r"^([a-z_]{3,20}(\+[a-z_]{3,20}){0,5})?$")


class PassagesSettings(Section):
    """How documents are cut."""

    max_chars: int = Field(400, ge=100, le=4_000)
    title: bool = True


class EmbeddingSettings(Section):
    """The sentence-transformers model that turns text into vectors."""

    model: str = Field("multilingual-e5-small", min_length=1)
    query_prompt: str = "query: "
    passage_prompt: str = "passage: "
    adapter: str = Field("auto", min_length=1)
    centring: float = Field(0.7, ge=0, le=1)
    device: Literal["cpu", "cuda", "mps"] = "cpu"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_size: int = Field(16, ge=1, le=1_024)


class VectorsSettings(Section):
    """Where vectors are kept."""

    backend: Literal["chroma", "chroma-server"] = "chroma"
    url: ServerUrl = "http://127.0.0.1:8000"
    token: SecretStr = SecretStr("")
    timeout_s: PositiveSeconds = 10.0

    @property
    def on_server(self) -> bool:
        """Whether they are on a server; else they are files."""
        return self.backend == "chroma-server"


class RetrievalSettings(Section):
    """How many passages are found and what of them is shown."""

    passages: int = Field(6, ge=1, le=50)
    evidence_sentences: int = Field(7, ge=1, le=20)
    prompt_sentences: int = Field(5, ge=1, le=20)
    words: float = Field(0.1, ge=0, le=1)
    words_across: float = Field(0.005, ge=0, le=1)
    names_across: float = Field(0.013, ge=0, le=1)
    sentence_words: float = Field(0.1, ge=0, le=1)
    reader: str = Field("auto", min_length=1)
    reranker: str | None = None
    min_score: float = Field(0.5, ge=-2, le=2)
    min_probability: float = Field(0.25, ge=0, le=1)
    min_closest: float = Field(0.02, ge=0, le=1)


class LLMSettings(Section):
    """The model that writes the answer."""

    backend: Literal["llamacpp", "transformers", "openai", "none"] = "llamacpp"
    model: str = Field("qwen2.5-coder-1.5b", min_length=1)
    adapter: str = Field("auto", min_length=1)
    base_url: ServerUrl = "http://127.0.0.1:8000/v1"
    api_key: SecretStr = SecretStr("")
    context_tokens: int = Field(4_096, ge=1_024, le=131_072)
    max_tokens: int = Field(200, ge=16, le=4_096)
    timeout_s: PositiveSeconds = 60.0
    threads: int = Field(0, ge=0, le=256)
    seed: int = Field(0, ge=0, le=2**31 - 1)

    @property
    def has_weights(self) -> bool:
        """Whether the model's weights are loaded here; a server has its own."""
        return self.backend in ("llamacpp", "transformers")


class AnswerSettings(Section):
    """How an answer is made of the evidence."""

    style: Literal["auto", "written", "quoted"] = "auto"
    max_words: int = Field(60, ge=20, le=1_000)
    evidence_tokens: int = Field(320, ge=50, le=8_192)
    sure: float = Field(0.85, ge=0, le=1)
    min_right: float = Field(0.0, ge=-20, le=20)
    min_confidence: float = Field(0.35, ge=0, le=1)
    min_translation: float = Field(0.0, ge=-20, le=20)


class QuestionSettings(Section):
    """What a question and its history may be."""

    max_chars: int = Field(2_000, ge=50, le=20_000)
    history_turns: int = Field(4, ge=0, le=50)


class ServerSettings(Section):
    """Where ``rawi serve`` listens."""

    host: str = Field("127.0.0.1", min_length=1)
    hosts: tuple[HostName, ...] = ()
    port: int = Field(7860, ge=0, le=65_535)
    root_path: RootPath = ""
    enabled: bool = True
    trusted_proxies: tuple[Network, ...] = ()
    log_questions: bool = False
    max_body_bytes: int = Field(4_000_000, ge=4_096, le=100_000_000)
    header_timeout_s: PositiveSeconds = 10.0
    body_timeout_s: PositiveSeconds = 10.0
    idle_timeout_s: int = Field(5, ge=1, le=3_600)
    send_timeout_s: PositiveSeconds = 30.0
    stop_timeout_s: PositiveSeconds = 30.0


class ApiSettings(Section):
    """Who may use the API, the MCP server and the metrics."""

    key_hashes: tuple[KeyHash, ...] = ()


class LimitsSettings(Section):
    """How much may be asked."""

    address_per_minute: int = Field(240, ge=1, le=100_000)
    address_per_day: int = Field(5_000, ge=1, le=10_000_000)
    session_per_minute: int = Field(60, ge=1, le=100_000)
    total_per_day: int = Field(20_000, ge=1, le=1_000_000_000)
    waiting: int = Field(32, ge=1, le=1_000)
    waiting_address: int = Field(6, ge=1, le=1_000)
    connections: int = Field(64, ge=1, le=400)
    streams: int = Field(32, ge=1, le=400)
    uploads_per_minute: int = Field(120, ge=1, le=100_000)
    uploads_per_day: int = Field(5_000, ge=1, le=10_000_000)
    upload_bytes_per_day: int = Field(2_000_000_000, ge=1_000, le=1_000_000_000_000)


class WidgetSettings(Section):
    """Which sites may embed the chat."""

    allowed_origins: tuple[Origin, ...] = ()
    ticket_s: int = Field(60, ge=5, le=3_600)
    session_s: int = Field(28_800, ge=60, le=604_800)
    secret: SecretStr = SecretStr("")


class PageSettings(Section):
    """What the chat page offers."""

    documents_tab: Literal["local", "on", "off"] = "local"
    upload_max_bytes: int = Field(20_000_000, ge=1_000, le=1_000_000_000)
    originals: bool = True
    feedback: bool = True
    waiting: int = Field(20, ge=1, le=1_000)
    report: Path = Path("eval/reports/latest")


class Settings(BaseSettings):
    """Everything that can be set, checked; passed on explicitly, never read from a global."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    corpus: Path = Path("seeds")
    storage: Path = Path("storage")
    models: ModelsSettings = ModelsSettings()
    documents: DocumentsSettings = DocumentsSettings()
    passages: PassagesSettings = PassagesSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    vectors: VectorsSettings = VectorsSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    llm: LLMSettings = LLMSettings()
    answer: AnswerSettings = AnswerSettings()
    question: QuestionSettings = QuestionSettings()
    server: ServerSettings = ServerSettings()
    api: ApiSettings = ApiSettings()
    limits: LimitsSettings = LimitsSettings()
    widget: WidgetSettings = WidgetSettings()
    page: PageSettings = PageSettings()


def load(path: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings as a command does.

    :param path: The YAML file; None takes ``./config.yaml`` if it is there and Rawi's.
    :param overrides: As ``read`` takes them.
    :raises ConfigError: As ``read`` does.
    """
    if path is None and DEFAULT_FILE.is_file():
        path = DEFAULT_FILE
        keys = _parsed(path)
        if keys and not (isinstance(keys, dict) and keys.keys() & Settings.model_fields.keys()):
            logger.warning("./%s: holds no key of Rawi's, so it is not read", path)
            path = None
    return read(path, **overrides)


def read(
    path: Path | None, *, defaults: Mapping[str, Any] | None = None, **overrides: Any
) -> Settings:
    """Read the settings.

    :param path: The YAML file; None reads none.
    :param defaults: Top-level values that file and environment beat.
    :param overrides: Top-level values that beat file and environment; None means "not given".
    :raises ConfigError: For a file that can't be read, an unknown key or a value that is not
        allowed; the message names the key, the value and what is allowed.
    """
    values = {**(defaults or {}), **({} if path is None else _read_yaml(path))}
    _refuse_unknown_variables(os.environ)
    given = {key: value for key, value in overrides.items() if value is not None}
    try:
        for source in (EnvSettingsSource(Settings)(), given):
            for key, value in source.items():
                below = values.get(key)
                if isinstance(value, dict) and isinstance(below, dict):
                    value = {**below, **value}
                values[key] = value
        return Settings(**values)
    except ValidationError as exc:
        raise ConfigError(_explain(exc, path)) from exc
    except SettingsError as exc:  # RAWI_LLM=…: a whole section in one variable
        raise ConfigError(
            f"{ENV_PREFIX}*: {exc}; set one key as {ENV_PREFIX}SECTION__KEY, or give JSON"
        ) from exc


def _read_yaml(path: Path) -> dict[str, Any]:
    """Read one YAML mapping; its relative paths are relative to the file's own folder."""
    loaded = _parsed(path)
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(f"{path}: must hold keys and values, not a {type(loaded).__name__}")
    for key in loaded:
        if key not in Settings.model_fields:
            raise ConfigError(f"{path}: {key}: {_unknown(str(key), Settings)}")
    # A section whose every key is commented out.
    loaded = {k: v for k, v in loaded.items() if v is not None or k in ("corpus", "storage")}
    paths = (
        (loaded, "corpus"),
        (loaded, "storage"),
        (loaded.get("models"), "cache"),
        (loaded.get("page"), "report"),
    )
    for section, key in paths:
        if isinstance(section, dict) and isinstance(section.get(key), str):
            section[key] = path.resolve().parent / Path(section[key]).expanduser()
    for name in ("llm", "embedding"):
        section = loaded.get(name)
        for key in ("model", "adapter"):
            given = section.get(key) if isinstance(section, dict) else None
            # A hub reference looks like a relative path too; only these forms are meant as one.
            if isinstance(given, str) and given.startswith(("./", "../", "~/")):
                loaded[name][key] = str(path.resolve().parent / Path(given).expanduser())
    return loaded


def _parsed(path: Path) -> Any:
    """Return what a YAML file holds, whatever it is."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: can't be read ({exc.strerror})") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path}: is not valid YAML: {' '.join(str(exc).split())}") from exc


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    """Raise for a ``RAWI_*`` variable outside every section; pydantic checks those inside."""
    for name in environment:
        if name.startswith(ENV_PREFIX):
            top = name[len(ENV_PREFIX) :].lower().split("__")[0]
            if top not in Settings.model_fields:
                raise ConfigError(f"{name}: {_unknown(top, Settings)}")


def _explain(exc: ValidationError, path: Path | None) -> str:
    """Say in one line which setting is wrong, what it holds and what is allowed."""
    error = exc.errors()[0]
    keys = [str(part) for part in error["loc"]]
    where = _variable(keys) or f"{path or 'settings'}: {'.'.join(keys)}"
    if error["type"] == "extra_forbidden":
        model: Any = Settings
        for key in keys[:-1]:
            model = model.model_fields[key].annotation
        return f"{where}: {_unknown(keys[-1], model)}"
    value = "(hidden)" if keys[-1] in ("api_key", "secret", "token") else repr(error["input"])
    return f"{where} = {value} is not allowed: {_ALLOWED.get(error['type'], error['msg'].lower())}"


def _variable(keys: list[str]) -> str | None:
    """Return the environment variable that set this key, something in it or its section."""
    wanted = ENV_PREFIX + "__".join(keys).upper() + "__"
    for name in sorted(os.environ, reverse=True):
        given = name.upper() + "__"
        if name.upper().startswith(ENV_PREFIX) and (
            given.startswith(wanted) or wanted.startswith(given)
        ):
            return name
    return None


def _unknown(key: str, model: type[BaseModel]) -> str:
    known = sorted(model.model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"there is no such key; {hint}known here: {', '.join(known)}"
