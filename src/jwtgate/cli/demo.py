"""The demonstration: an issuer, an upstream and a real gateway between them, and five requests that tell a story."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from types import FrameType
from typing import Any, NoReturn
from urllib.parse import urlencode

from jwtgate.cli.answer import bold, dim, green, red, visible, yellow
from jwtgate.cli.demo_services import HOST, Echo, Issuer
from jwtgate.errors import ConfigError, Refusal
from jwtgate.jose.key_set import KeySet
from jwtgate.verifier import Token, verify

USUAL_PORTS = (8080, 9010, 9020)
START_SECONDS = 30.0
STOP_SECONDS = 15.0
PATH = "/orders/42"
INTERNAL_AUDIENCE = "https://orders.internal"
_SHOWN = ("host", "authorization", "x-jwt-assertion", "x-caller")
_WIDTH = 88

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Scene:
    """One request of the story: what is special about its token, and the status the gateway should answer."""

    title: str
    form: dict[str, str] | None
    status: int


SCENES = (
    Scene("No token at all", None, 401),
    Scene("A token of yesterday", {"scope": "orders:read", "expired": "1"}, 401),
    Scene("A token meant for another service", {"scope": "orders:read", "audience": "https://stock.example"}, 401),
    Scene("A good token without the scope orders:read", {"scope": "orders:write"}, 403),
    Scene("A good token with the scope", {"scope": "orders:read orders:write"}, 200),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer."""

    status: int
    challenge: str | None
    body: bytes


def run(say: Say, *, keep: bool, port_base: int | None) -> int:
    """Tell the story; 0 when every answer was as it should be. All that was started is stopped at the end."""
    former = signal.signal(signal.SIGTERM, _interrupted)
    try:
        with ExitStack() as opened:
            return _told(say, opened, keep=keep, port_base=port_base)
    except KeyboardInterrupt:
        say("stopped")
        return 0
    finally:
        signal.signal(signal.SIGTERM, former)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _told(say: Say, opened: ExitStack, *, keep: bool, port_base: int | None) -> int:
    ports = _ports(say, port_base)
    folder = Path(opened.enter_context(TemporaryDirectory(prefix="jwtgate-demo-")))
    issuer = opened.enter_context(Issuer(ports[1]))
    upstream = opened.enter_context(Echo(ports[2]))
    document = folder / "gate.yaml"
    document.write_text(_document(ports))
    gateway = f"http://{HOST}:{ports[0]}"
    opened.enter_context(_gateway(document, ports[0]))
    say(f"{bold('gateway')}   {gateway}   {dim('examples/quickstart.yaml')}")
    say(f"{bold('issuer')}    {issuer.address}   {dim('signs tokens for anybody who asks')}")
    say(f"{bold('upstream')}  {upstream.address}   {dim('answers with what it was sent')}")
    wrong = [scene for number, scene in enumerate(SCENES, 1) if not _played(say, scene, number, ports=ports)]
    say("")
    say(
        red(f"{len(wrong)} answers were not as they should be") if wrong else green("Every answer was as it should be.")
    )
    _say_commands(say, ports, document, keep=keep)
    if keep:
        say("\nRunning until Ctrl-C.")
        signal.pause()
    return 1 if wrong else 0


def _ports(say: Say, base: int | None) -> tuple[int, int, int]:
    """Ports for gateway, issuer and upstream: the usual ones or three from `base`, others where these are taken."""
    wanted = USUAL_PORTS if base is None else (base, base + 1, base + 2)
    found = []
    for port in wanted:
        free = _free_port(port)
        if free != port:
            say(f"{yellow('note:')} port {port} is in use, so {free} is taken instead")
        found.append(free)
    return (found[0], found[1], found[2])


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return _free_port(0)
        return int(probe.getsockname()[1])


def _document(ports: tuple[int, int, int]) -> str:
    packaged = Path(__file__).with_name("quickstart.yaml")
    source = packaged if packaged.exists() else Path(__file__).parents[3] / "examples" / "quickstart.yaml"
    text = source.read_text()
    for usual, port in zip(USUAL_PORTS, ports, strict=True):
        text = text.replace(f"{HOST}:{usual}", f"{HOST}:{port}")
    return text


@contextmanager
def _gateway(document: Path, port: int) -> Iterator[None]:
    """The gateway as a process of its own, ready to serve. `ConfigError` with the end of its log when it is not."""
    log = document.with_name("gateway.log")
    command = [sys.executable, "-m", "jwtgate.cli.main", "serve", str(document), "--workers", "1"]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [*command, "--state", str(document.with_name("state"))], stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ConfigError("the gateway did not start", *log.read_text().splitlines()[-5:])
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(port: int) -> bool:
    try:
        return _fetch(port, "GET", "/readyz").status == 200
    except (OSError, HTTPException):
        return False


def _fetch(
    port: int, method: str, path: str, *, fields: dict[str, str] | None = None, body: str | None = None
) -> Answered:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request(method, path, body=body, headers=fields or {})
        answer = connection.getresponse()
        return Answered(answer.status, answer.headers.get("WWW-Authenticate"), answer.read())
    finally:
        connection.close()


def _played(say: Say, scene: Scene, number: int, *, ports: tuple[int, int, int]) -> bool:
    """Send the request of this scene and show the answer; whether it was the right one."""
    say(f"\n{bold(f'{number}. {scene.title}')}")
    fields = {} if scene.form is None else {"Authorization": f"Bearer {_token(ports[1], scene.form)}"}
    answer = _fetch(ports[0], "GET", PATH, fields=fields)
    paint = green if answer.status == scene.status else red
    say(f"   GET {PATH} -> {paint(str(answer.status))}")
    if answer.challenge is not None:
        say(_wrapped(f"WWW-Authenticate: {answer.challenge}"))
    if answer.status != 200:
        say(_wrapped(answer.body.decode("utf-8", "replace").strip()))
        return answer.status == scene.status
    return _seen(say, json.loads(answer.body), ports[0]) and scene.status == 200


def _wrapped(text: str) -> str:
    return fill(visible(text), _WIDTH, initial_indent="   ", subsequent_indent=" " * 6)


def _token(port: int, form: dict[str, str]) -> str:
    asked = urlencode({"grant_type": "client_credentials", "client_id": "demo-client", **form})
    content_type = {"Content-Type": "application/x-www-form-urlencoded"}
    return str(json.loads(_fetch(port, "POST", "/token", fields=content_type, body=asked).body)["access_token"])


def _seen(say: Say, seen: dict[str, Any], port: int) -> bool:
    """Show what the upstream received; whether the token in it holds by the gateway's own published keys."""
    fields = {name.lower(): value for name, value in seen["fields"]}
    say(f"   The upstream saw {seen['method']} {seen['path']} with")
    for name in _SHOWN:
        value = fields.get(name, dim("- (the caller's own token stays with the gateway)"))
        say(f"     {name}: {value if len(value) <= _WIDTH else f'{value[:24]}... ({len(value)} characters)'}")
    keys, _ = KeySet.parse_remote(_fetch(port, "GET", "/.well-known/jwks.json").body)
    try:
        token = _internal(fields.get("x-jwt-assertion", ""), keys, port)
    except Refusal as refusal:
        say(red(f"   The gateway's token does not hold: {refusal}"))
        return False
    say(f"   That token holds by the keys at http://{HOST}:{port}/.well-known/jwks.json and says")
    for name, claim in token.claims.items():
        say(f"     {name}: {claim}")
    return "authorization" not in fields


def _internal(text: str, keys: KeySet, port: int) -> Token:
    issuer = f"http://{HOST}:{port}"
    return verify(text, keys, algorithms=("ES256",), issuer=issuer, audience=INTERNAL_AUDIENCE)


def _say_commands(say: Say, ports: tuple[int, int, int], document: Path, *, keep: bool) -> None:
    program = "jwtgate" if shutil.which("jwtgate") else sys.argv[0]
    gateway, issuer = f"http://{HOST}:{ports[0]}", f"http://{HOST}:{ports[1]}"
    say(f"\n{bold('Try it by hand')}{'' if keep else ' (add --keep to leave everything running)'}")
    say(f"  TOKEN=$(curl -s {issuer}/token -d grant_type=client_credentials -d scope=orders:read -d plain=1)")
    say(f'  curl -i -H "Authorization: Bearer $TOKEN" {gateway}{PATH}')
    say(f'  {program} inspect "$TOKEN"')
    if keep:
        say(f"  {program} explain {document} \\\n    --curl \"curl -H 'Authorization: Bearer $TOKEN' {gateway}{PATH}\"")
    say(f"  curl -s {gateway}/.well-known/jwks.json")
