"""Settings: the shipped file, who beats whom, and the one line for every mistake."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from rag import config
from rag.config import Settings
from rag.errors import ConfigError

SHIPPED = Path(__file__).parents[2] / "config.yaml"


@pytest.fixture
def load(isolated: Path) -> Any:
    """Load settings from the text of a YAML file."""

    def load(text: str, **overrides: Any) -> Settings:
        path = isolated / "rawi.yaml"
        path.write_text(text, encoding="utf-8")
        return config.load(path, **overrides)

    return load


def flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"llm": {"seed": 0}}`` → ``{"llm.seed": 0}``."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        nested = flat(value, f"{prefix}{key}.") if isinstance(value, dict) else None
        values.update(nested or {f"{prefix}{key}": value})
    return values


def test_shipped_file_holds_every_setting_and_its_default(isolated: Path) -> None:
    shipped = flat(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
    assert shipped == flat(Settings().model_dump(mode="json"))


def test_shipped_file_is_read_and_its_paths_are_its_own(isolated: Path) -> None:
    settings = config.load(SHIPPED)
    assert settings.corpus == SHIPPED.parent / "seeds"
    assert settings.storage == SHIPPED.parent / "storage"
    assert settings.page.report == SHIPPED.parent / "eval/reports/latest"
    same = {"corpus": Path("seeds"), "storage": Path("storage"), "page": Settings().page}
    assert settings.model_copy(update=same).model_dump() == Settings().model_dump()


def test_shipped_file_explains_every_setting() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    keys = {key.split(".")[-1] for key in flat(Settings().model_dump())}
    explained = {line.split(":")[0].strip() for line in lines if " # " in line}
    assert keys - explained == set()


def test_without_a_file_the_defaults_hold(isolated: Path) -> None:
    assert config.load().model_dump() == Settings().model_dump()


def test_config_yaml_of_the_working_directory_is_taken(isolated: Path) -> None:
    (isolated / "config.yaml").write_text("server: {port: 8080}", encoding="utf-8")
    assert config.load().server.port == 8080


@pytest.mark.parametrize("foreign", ["image: alpine\nsteps: [build]", "- a list", "a word"])
def test_config_yaml_of_another_program_is_not_read(
    isolated: Path, foreign: str, caplog: pytest.LogCaptureFixture
) -> None:
    (isolated / "config.yaml").write_text(foreign, encoding="utf-8")
    assert config.load().model_dump() == Settings().model_dump()
    assert [record.getMessage() for record in caplog.records] == [
        "./config.yaml: holds no key of Rawi's, so it is not read"
    ]
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        config.load(Path("config.yaml"))  # it was asked for


def test_config_yaml_with_one_key_of_ours_is_read_whole(isolated: Path) -> None:
    (isolated / "config.yaml").write_text("llm: {seed: 7}\nretreival: {}", encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean retrieval"):
        config.load()


def test_read_takes_no_file_that_is_not_given(
    isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (isolated / "config.yaml").write_text("storage: /file\nllm: {seed: 7}", encoding="utf-8")
    assert config.read(None).llm.seed == 0
    fallback = {"storage": Path("/default")}
    assert config.read(None, defaults=fallback).storage == Path("/default")
    assert config.read(Path("config.yaml"), defaults=fallback).storage == Path("/file")
    monkeypatch.setenv("RAWI_STORAGE", "/environment")
    assert config.read(None, defaults=fallback).storage == Path("/environment")


def test_command_line_beats_environment_beats_file(
    load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "corpus: /file\nllm: {max_tokens: 100, seed: 7}"
    assert load(text).corpus == Path("/file")
    monkeypatch.setenv("RAWI_CORPUS", "/environment")
    monkeypatch.setenv("RAWI_LLM__MAX_TOKENS", "300")
    settings = load(text, storage=None)
    assert settings.corpus == Path("/environment")
    assert settings.llm.max_tokens == 300
    assert settings.llm.seed == 7  # the rest of the section still comes from the file
    assert load(text, corpus=Path("/option")).corpus == Path("/option")


def test_relative_paths_are_relative_to_the_file(isolated: Path) -> None:
    folder = isolated / "elsewhere"
    folder.mkdir()
    (folder / "c.yaml").write_text(
        "corpus: docs\nstorage: ../index\nmodels: {cache: w}\n"
        "llm: {model: ./own.gguf}\nembedding: {model: owner/name}",
        encoding="utf-8",
    )
    settings = config.load(Path("elsewhere/c.yaml"))
    assert settings.corpus == folder / "docs"
    assert settings.storage.resolve() == isolated / "index"
    assert settings.models.cache == folder / "w"
    assert settings.llm.model == str(folder / "own.gguf")
    assert settings.embedding.model == "owner/name"  # a hub name, though it looks like a path


def test_home_and_absolute_paths_stay(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/rawi")
    settings = load("corpus: ~/docs\nstorage: /var/rawi")
    assert settings.corpus == Path("/home/rawi/docs")
    assert settings.storage == Path("/var/rawi")


def test_an_empty_file_or_section_changes_nothing(load: Any) -> None:
    assert load("").model_dump() == Settings().model_dump()
    assert load("llm:\n  # seed: 3\n").model_dump() == Settings().model_dump()


FILE_MISTAKES = {
    "unknown key": ("llm: {max_token: 5}", ["llm.max_token: there is no such key", "max_tokens?"]),
    "unknown section": ("lm: {seed: 5}", ["lm: there is no such key", "did you mean llm?"]),
    "a key that is not text": ("1: x", ["1: there is no such key", "corpus, "]),
    "not a number": ("llm: {seed: lots}", ["llm.seed = 'lots'", "valid integer"]),
    "a fraction": ("llm: {max_tokens: 20.5}", ["llm.max_tokens = 20.5", "fractional"]),
    "below the range": ("passages: {max_chars: 99}", ["passages.max_chars = 99", "equal to 100"]),
    "above the range": ("server: {port: 65536}", ["server.port = 65536", "equal to 65535"]),
    "not a number at all": ("retrieval: {min_score: .nan}", ["retrieval.min_score = nan"]),
    "not one of these": (
        "llm: {backend: vllm}",
        ["llm.backend = 'vllm'", "'llamacpp'", "'openai'"],
    ),
    "not a yes or no": ("models: {offline: maybe}", ["models.offline = 'maybe'", "boolean"]),
    "not a path": ("corpus: 5", ["corpus = 5", "must be a path"]),
    "no path": ("storage:", ["storage = None", "must be a path"]),
    "not a section": ("llm: 5", ["llm = 5", "must hold keys and values"]),
    "no address": ('llm: {base_url: ""}', ["llm.base_url = ''", "must be like http://"]),
    "an address without a scheme": ("llm: {base_url: 'localhost:8000'}", ["must be like http://"]),
    "no port": ("llm: {base_url: 'http://localhost:8000v1'}", ["llm.base_url", "must be like"]),
    "a port beyond all": ("vectors: {url: 'http://h:80000'}", ["vectors.url", "must be like"]),
    "half an IPv6 address": ("llm: {base_url: 'http://[::1'}", ["must be like http://"]),
    "a port alone": ("llm: {base_url: 'http://:8000/v1'}", ["must be like http://"]),
    "no name of a host": ("llm: {base_url: 'http://\u200d..خادم/v1'}", ["must be like http://"]),
    "not YAML": ("llm: [", ["is not valid YAML", "line 1"]),
    "not a mapping": ("- llm", ["must hold keys and values, not a list"]),
}


@pytest.mark.parametrize(("text", "parts"), FILE_MISTAKES.values(), ids=FILE_MISTAKES)
def test_a_mistake_in_the_file_is_one_line_with_key_value_and_what_is_allowed(
    load: Any, text: str, parts: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    line = str(caught.value)
    assert "\n" not in line
    for part in ["rawi.yaml: ", *parts]:
        assert part in line


ENVIRONMENT_MISTAKES = {
    "unknown at the top": ({"RAWI_CORPS": "x"}, ["RAWI_CORPS: there is no such key", "corpus?"]),
    "unknown in a section": (
        {"RAWI_LLM__MAX_TOKEN": "5"},
        ["RAWI_LLM__MAX_TOKEN: there is no such key", "did you mean max_tokens?"],
    ),
    "not a number": (
        {"RAWI_LLM__MAX_TOKENS": "lots"},
        ["RAWI_LLM__MAX_TOKENS = 'lots'", "valid integer"],
    ),
    "out of range": ({"RAWI_SERVER__PORT": "-1"}, ["RAWI_SERVER__PORT = '-1'", "equal to 0"]),
    "one level too deep": ({"RAWI_LLM__SEED__X": "1"}, ["RAWI_LLM__SEED__X = ", "valid integer"]),
    "a section that is not JSON": ({"RAWI_LLM": "x"}, ["RAWI_", '"llm"', "RAWI_SECTION__KEY"]),
    "a section with an unknown key": (
        {"RAWI_LLM": '{"sed": 1}'},
        ["RAWI_LLM: there is no such key", "did you mean seed?"],
    ),
}


@pytest.mark.parametrize(
    ("variables", "parts"), ENVIRONMENT_MISTAKES.values(), ids=ENVIRONMENT_MISTAKES
)
def test_a_mistake_in_the_environment_names_the_variable(
    load: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], parts: list[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load("llm: {threads: 2}")
    line = str(caught.value)
    assert "\n" not in line
    for part in parts:
        assert part in line
    assert "rawi.yaml" not in line


def test_files_that_cannot_be_read_are_named(isolated: Path) -> None:
    with pytest.raises(ConfigError, match=r"^gone\.yaml: can't be read \(No such file"):
        config.load(Path("gone.yaml"))
    with pytest.raises(ConfigError, match=r"can't be read \(Is a directory\)"):
        config.load(isolated)
    (isolated / "arabic.yaml").write_bytes("corpus: مقالات".encode("cp1256"))
    with pytest.raises(ConfigError, match=r"arabic\.yaml: is not valid YAML"):
        config.load(isolated / "arabic.yaml")


def test_settings_are_frozen(isolated: Path) -> None:
    settings = config.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.corpus = Path("other")  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        settings.llm.seed = 1  # type: ignore[misc]


def test_the_key_is_never_shown(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAWI_LLM__API_KEY", "s3cret")
    settings = config.load()
    assert settings.llm.api_key.get_secret_value() == "s3cret"
    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    monkeypatch.delenv("RAWI_LLM__API_KEY")
    with pytest.raises(ConfigError, match=r"llm\.api_key = \(hidden\)") as caught:
        load("llm: {api_key: [s3cret]}")
    assert "s3cret" not in str(caught.value)


def test_settings_can_be_sent_to_another_process(isolated: Path) -> None:
    (isolated / "config.yaml").write_text("llm: {max_tokens: 77}", encoding="utf-8")
    settings = config.load()
    sent = pickle.loads(pickle.dumps(settings))
    assert sent == settings
    assert sent.llm.max_tokens == 77
