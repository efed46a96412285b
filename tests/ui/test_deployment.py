"""Several processes as docs/deploy.md says: one storage, a Chroma server, nginx before them.

The page's own lines of nginx are what is tried, while processes are killed that are asked.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import typer
import yaml

from rag import config
from rag.config import Settings
from tests.chroma import ChromaServer
from tests.conftest import ROOT
from tests.ui.serving import listening, until
from ui import keys
from ui.cli import app

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
PORTS = ("7860", "7861")
NGINX = """
daemon off; pid {folder}/pid; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  log_format tries '$status|$upstream_addr|$upstream_status|$request_uri';
  access_log {folder}/tries.log tries;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {documented}
}}
"""
NAMES = ("Ashford", "Belmore", "Corvale", "Dunwich", "Elmstead", "Farholt", "Gresham", "Harwick")
LENGTHS = {name: 311 + 17 * number for number, name in enumerate(NAMES)}
ADDED = (
    ("windmill.txt", "The old windmill is roofed with reed.", "What is the windmill roofed with?"),
    ("lighthouse.txt", "The lighthouse has green stripes.", "What stripes has the lighthouse?"),
)
CLIENTS = 4
# On a machine of its own, a process is there in ten seconds and answers in a tenth of one.
LOADS_S, ANSWERS_S = 1_200, 180
PAUSE_S = 1.1  # within limits.session_per_minute, also of one process alone


def shown(language: str, with_: str) -> str:
    """Return the block of the page in a language that holds something."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
    (found,) = [block for block in blocks if with_ in block]
    return str(found)


@dataclass(frozen=True)
class Tried:
    """A request, as nginx has it.

    :ivar servers: Those that it went to, in order, with what came of each.
    """

    status: int
    servers: tuple[tuple[str, str], ...]
    path: str


class Deployment:
    """What runs: Chroma, the processes that the page names, nginx."""

    def __init__(self, folder: Path, chroma: ChromaServer, key_hashes: Sequence[str]) -> None:
        self.folder = folder
        self.corpus = folder / "corpus"
        self.ports: list[int] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self._chroma = chroma
        self._hashes = json.dumps(list(key_hashes))
        shared, first, second = shown("sh", "TRUSTED_PROXIES").strip().split("\n")
        self._variables = [_variables(shared), _variables(shared) | _variables(second)]
        assert first == f"rawi serve --port {PORTS[0]}"
        assert second.endswith(f" rawi serve --port {PORTS[1]}")

    def start(self, number: int) -> None:
        """Start a process, as the page does but for addresses and folders."""
        command = [sys.executable, "-c", "from ui.cli import main; main()", "serve"]
        command += ["--port", str(self.ports[number]), "--corpus", str(self.corpus)]
        command += ["--storage", str(self.folder / "storage")]
        own = {
            "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "RAWI_VECTORS__URL": self._chroma.url,
            "RAWI_LLM__BACKEND": "none", "RAWI_API__KEY_HASHES": self._hashes,
        }  # fmt: skip
        if number == 0:
            own["RAWI_DOCUMENTS__WATCH_S"] = "0.5"
        with (self.folder / f"server-{number}.log").open("ab") as log:
            started = subprocess.Popen(
                command, cwd=self.folder, env=os.environ | self._variables[number] | own,
                stdout=log, stderr=log,
            )  # fmt: skip
        self.processes[number : number + 1] = [started]

    def kill(self, number: int) -> None:
        """End a process as the kernel does that is out of memory."""
        self.processes[number].kill()
        self.processes[number].wait()

    def is_ready(self, number: int) -> bool:
        """Tell whether a process can answer."""
        assert self.processes[number].poll() is None, "it ended by itself"
        try:
            ready = f"http://127.0.0.1:{self.ports[number]}/healthz?ready=true"
            return httpx.get(ready).status_code == 200
        except httpx.TransportError:
            return False

    def tried(self) -> list[Tried]:
        """Return all requests, as nginx noted them."""
        lines = (self.folder / "nginx" / "tries.log").read_text().splitlines()
        found = []
        for line in lines:
            status, addresses, statuses, path = line.split("|", 3)
            servers = zip(re.split(", | : ", addresses), re.split(", | : ", statuses), strict=True)
            found.append(Tried(int(status), tuple(servers), path))
        return found


def nginx_program() -> str:
    """Return where nginx is."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        pytest.skip("no nginx here: apt-get install nginx-light, and this test runs")
    return program


def _variables(line: str) -> dict[str, str]:
    return {name: said.strip("'") for name, said in re.findall(r"(RAWI_\w+)=('[^']*'|\S+)", line)}


@contextmanager
def nginx(deployment: Deployment) -> Iterator[str]:
    """Run nginx with the page's own lines; give its address."""
    program = nginx_program()
    folder = deployment.folder / "nginx"
    folder.mkdir()
    documented = shown("nginx", "upstream")
    with listening() as port:
        places = dict(zip((*PORTS, "8080"), (*deployment.ports, port), strict=True))
        for said, own in places.items():
            assert f"127.0.0.1:{said}" in documented
            documented = documented.replace(f"127.0.0.1:{said}", f"127.0.0.1:{own}")
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, documented=documented))
        command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        process = subprocess.Popen(command)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class Client:
    """Asks one question after the other, each with an answer that is known.

    :ivar lost: What was answered with anything else, or broke off before it.
    :ivar broken: Streams that broke off.
    """

    number: int
    url: str
    key: str
    streams: bool
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def ask_on(self, done: threading.Event) -> None:
        """Ask until it is enough."""
        # From an address of its own, as nginx tells Rawi.
        transport = httpx.HTTPTransport(local_address=f"127.0.0.{10 + self.number}")
        headers = {"Authorization": f"Bearer {self.key}"}
        asked = self.number
        with httpx.Client(transport=transport, headers=headers, timeout=ANSWERS_S) as client:
            while not done.wait(PAUSE_S):
                asked += 1
                name = NAMES[asked % len(NAMES)]
                try:
                    said = self._asked(client, f"How long is the bridge of {name}?")
                except httpx.HTTPError as exc:
                    (self.broken if self.streams else self.lost).append(repr(exc))
                    continue
                self.answered += 1
                if f"{LENGTHS[name]} metres" not in said:
                    self.lost.append(said)

    def _asked(self, client: httpx.Client, question: str) -> str:
        body = {"model": "rawi", "messages": [{"role": "user", "content": question}]}
        path = f"{self.url}/v1/chat/completions"
        if not self.streams:
            reply = client.post(path, json=body)
            if reply.status_code != 200:
                return f"{reply.status_code}: {reply.text}"
            return str(reply.json()["choices"][0]["message"]["content"])
        said = ""
        with client.stream("POST", path, json=body | {"stream": True}) as reply:
            if reply.status_code != 200:
                return f"{reply.status_code}: {reply.read().decode()}"
            for line in reply.iter_lines():
                if line == "data: [DONE]":
                    return said
                if line.startswith("data: "):
                    said += json.loads(line[6:])["choices"][0]["delta"].get("content", "")
        raise httpx.RemoteProtocolError("a stream without an end")


@contextmanager
def asking(clients: Sequence[Client]) -> Iterator[None]:
    """Have clients ask for as long as it lasts."""
    done = threading.Event()
    threads = [threading.Thread(target=client.ask_on, args=[done]) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


class TestThePage:
    """Names nothing that isn't there."""

    def test_its_composition_is_what_the_services_take(
        self, isolated: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        composed = yaml.safe_load(shown("yaml", "services:"))
        services = composed["services"]
        rawi, chroma, llm = services["rawi"], services["chroma"], services["llm"]
        settings = settings_by(rawi["environment"], monkeypatch)
        parsed(rawi["command"])
        host, port = rawi["command"][-1], settings.server.port
        assert host == "0.0.0.0", "a container's own loopback is nobody else's"
        assert rawi["ports"] == [f"127.0.0.1:{port}:{port}"]
        mounted = dict(reversed(volume.split(":")) for volume in rawi["volumes"])
        root = Path(rawi["working_dir"])
        assert {*mounted} == {str(root / settings.corpus), str(root / settings.storage)}
        # Both servers listen on 8000; Chroma's image keeps in /data, by its own /config.yaml.
        assert settings.vectors.on_server
        assert settings.vectors.url == "http://chroma:8000"
        assert settings.llm.base_url == "http://llm:8000/v1"
        assert chroma["volumes"] == ["vectors:/data"]
        assert "ports" not in chroma, "it asks for no password"
        locked = re.search(r"^chromadb==(\S+)$", (ROOT / "requirements.lock").read_text(), re.M)
        assert locked is not None
        assert chroma["image"] == f"chromadb/chroma:{locked[1]}"
        assert llm["command"] == [settings.llm.model]
        used = {one.split(":")[0] for service in services.values() for one in service["volumes"]}
        assert {name for name in used if not name.startswith(".")} == composed["volumes"].keys()
        # nginx of the machine itself comes from the gateway of Compose's network.
        (trusted,) = map(ipaddress.ip_network, settings.server.trusted_proxies)
        assert ipaddress.ip_address("172.18.0.1") in trusted

    def test_its_commands_and_settings_are_rawis(
        self, isolated: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)).splitlines()
        assert len(lines) > 3
        for line in lines:
            with monkeypatch.context() as changed:
                settings_by(_variables(line), changed)
            words = [word for word in shlex.split(line) if not word.startswith("RAWI_")]
            assert words[0] in ("export", "rawi")
            if words[0] == "rawi":
                parsed(words)
        for command in re.findall(r"`(rawi [^`|]+)`", PAGE):
            if "COMMAND" not in command:
                parsed([*shlex.split(command.split(" --help")[0])])
        named = [said.split(".") for said in re.findall(r"`([a-z]+\.(?!yaml)[a-z_]+)`", PAGE)]
        assert ["documents", "watch_s"] in named
        for section, key in named:
            assert key in type(getattr(Settings(), section)).model_fields, f"{section}.{key}"
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        for extra in re.findall(r"pip install '\.\[(\w+)\]'", PAGE):
            assert re.search(rf"^{extra} = \[", project, re.M), extra

    def test_nginx_takes_its_lines_and_they_hold_what_security_advises(
        self, tmp_path: Path
    ) -> None:
        documented = shown("nginx", "upstream")
        advised = re.findall(r"^    (proxy_(?!pass)[^;]*;)", SECURITY, re.MULTILINE)
        assert advised
        assert [line for line in advised if line not in documented] == []
        config = tmp_path / "nginx.conf"
        config.write_text(NGINX.format(folder=tmp_path, documented=documented))
        tried = subprocess.run(
            [nginx_program(), "-t", "-c", str(config), "-e", str(tmp_path / "error.log")],
            capture_output=True, text=True,
        )  # fmt: skip
        assert tried.returncode == 0, tried.stderr


def settings_by(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings that an environment makes."""
    for name, said in variables.items():
        monkeypatch.setenv(name, said)
    return config.read(None)


def parsed(words: Sequence[str]) -> None:
    """See that a command line is one of Rawi's; nothing is run."""
    command, rest = typer.main.get_command(app), [*words[1:]]
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands"):
        assert {*rest} <= {option for one in command.params for option in one.opts}, words
    else:
        command.make_context(words[0], rest)


def found(address: str, key: str, question: str) -> list[str]:
    """Return what a search finds first."""
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"question": question, "k": 1}
    reply = httpx.post(f"http://{address}/search", json=asked, headers=headers, timeout=ANSWERS_S)
    assert reply.status_code == 200, reply.text
    return [passage["doc"] for passage in reply.json()["results"]]


@pytest.mark.weights
@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_what_is_asked_is_answered_whichever_process_is_killed(
    tmp_path: Path, chroma: ChromaServer, isolated: Path
) -> None:
    made = [keys.make() for _ in range(CLIENTS + 1)]
    site = Deployment(tmp_path, chroma, [hashed for _, hashed in made])
    site.corpus.mkdir()
    for name, length in LENGTHS.items():
        (site.corpus / f"{name}.txt").write_text(f"The bridge of {name} is {length} metres long.")
    own = made[-1][0]
    with ExitStack() as stack:
        for number in range(2):
            with listening() as port:
                site.ports.append(port)
            site.start(number)
            stack.callback(site.kill, number)
        url = stack.enter_context(nginx(site))
        for number in range(2):
            assert until(lambda n=number: site.is_ready(n), LOADS_S)
        clients = [
            Client(number, url, key, streams=number == 0)
            for number, (key, _) in enumerate(made[:CLIENTS])
        ]
        addresses = [f"127.0.0.1:{port}" for port in site.ports]
        with asking(clients):

            def served(number: int, since: int) -> Callable[[], bool]:
                """Tell whether a process has answered some of what was asked since."""
                return lambda: (
                    sum(
                        tried.status == 200 and tried.servers[-1][0] == addresses[number]
                        for tried in site.tried()[since:]
                    )
                    >= 3
                )

            for number in (1, 0):  # the one that reads, then the one that writes
                other, before = 1 - number, len(site.tried())
                assert until(served(number, before), ANSWERS_S)
                killed = len(site.tried())
                site.kill(number)
                doc, said, question = ADDED[number]
                (site.corpus / doc).write_text(said)
                assert until(served(other, killed + 5), ANSWERS_S)
                taken = [t for t in site.tried()[killed:] if t.servers[0][0] == addresses[number]]
                assert taken, "nobody noticed"
                site.start(number)
                back = len(site.tried())
                assert until(lambda n=number: site.is_ready(n), LOADS_S)
                assert until(served(number, back), ANSWERS_S)
                for address in addresses:
                    assert until(
                        lambda a=address, q=question, d=doc: found(a, own, q) == [d], ANSWERS_S
                    )
        tried = site.tried()
    statuses = Counter(one.status for one in tried)
    retried = [one for one in tried if len(one.servers) > 1]
    print(statuses, Counter(one.servers for one in retried), [c.answered for c in clients])
    assert [client.lost for client in clients] == [[]] * CLIENTS
    assert sum(len(client.broken) for client in clients) <= 2, "a stream for each kill at most"
    assert set(statuses) == {200}
    assert retried
    assert min(client.answered for client in clients) > 10
