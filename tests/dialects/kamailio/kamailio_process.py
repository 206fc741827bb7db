"""A real Kamailio on the loopback, with a native configuration or a Python script; and SIP messages for it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.dialects.kamailio.scripts import HANDLER, KEMI, MODULES, ROUTES, TLS, policies
from tests.ports import free_port

import jwtgate

PROGRAM = shutil.which("kamailio", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
FOLDER = next((each.parent for each in Path("/usr/lib").glob("*/kamailio/modules/app_python3.so")), None)
SOURCE = Path(jwtgate.__file__).parents[1]
DEADLINE_SECONDS = 30.0
WORKERS = 4


class KamailioProcess:
    """Runs inside `with`: the script of `way`, over UDP, TCP and TLS, with the `cryptography` of the system.

    `options` are arguments for `configure`, as Python text. `routes` replace those of `python_exec`;
    `packages` is a folder whose `cryptography` comes before the system's.
    """

    def __init__(
        self,
        folder: Path,
        keys: Mapping[str, Path],
        way: str,
        *,
        options: str = "",
        workers: int = WORKERS,
        routes: str | None = None,
        packages: str = "",
    ) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.folder = folder
        self._python_path = f"{SOURCE}:{packages}".rstrip(":")
        self._log = folder / "log"
        self._run = folder / "run"
        self._run.mkdir()
        script = folder / "routing.py"
        own = {"options": options, "policies": policies(keys), "private": keys["rsa"], "public": keys["rsa.pub"]}
        script.write_text((KEMI if way == "kemi" else HANDLER).format(**own))
        if routes is None:
            routes = ROUTES.format(**own) if way == "python_exec" else 'cfgengine "python"\n'
        if way == "kemi":
            routes = 'modparam("xhttp", "event_callback", "ksr_xhttp_event")\n' + routes
        self._configuration = folder / "kamailio.cfg"
        self._configuration.write_text(self._head(script, keys, workers) + routes)
        self._process: subprocess.Popen[bytes] | None = None

    def _head(self, script: Path, keys: Mapping[str, Path], workers: int) -> str:
        tls = TLS.format(port=self.port, tls_port=self.tls_port)
        names = ("sl", "pv", "textops", "siputils", "xlog", "corex", "jsonrpcs", "app_python3", *MODULES)
        parameters = (
            ("jsonrpcs", "dgram_socket", f'"{self._run}/rpc.sock"'), ("jsonrpcs", "transport", "4"),
            ("tls", "certificate", f'"{keys["rsa.crt"]}"'), ("tls", "private_key", f'"{keys["rsa"]}"'),
            ("tls", "tls_method", '"TLSv1.2+"'), ("app_python3", "load", f'"{script}"'),
        )  # fmt: skip
        lines = [
            "debug=2", "log_stderror=yes", "fork=yes", f"children={workers}", "auto_aliases=no", "dns=no", "rev_dns=no",
            "tcp_children=1", f"listen=udp:127.0.0.1:{self.port}", tls, f'mpath="{FOLDER}"',
            *(f'loadmodule "{name}.so"' for name in names),
            *(f'modparam("{module}", "{name}", {value})' for module, name, value in parameters),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"

    def __enter__(self) -> Self:
        assert PROGRAM is not None
        # The server's own Python is the first one in PATH: a virtual environment's would be another.
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": self._python_path, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [PROGRAM, "-DD", "-E", "-f", str(self._configuration), "-w", str(self.folder), "-Y", str(self._run)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*command, "-m", "64", "-M", "16"], stdout=log, stderr=log, env=environ)
        try:
            self.until(self._answers)
            self.until(lambda: len(self.children()) == self._expected())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            for child in self.children():
                os.kill(child, signal.SIGKILL)
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        with Caller(self.port, timeout=0.2) as caller:
            try:
                return bool(caller.send("OPTIONS"))
            except (TimeoutError, ConnectionError):
                return False

    def children(self) -> list[int]:
        """Its worker processes: nobody of them may die."""
        assert self._process is not None
        pid = self._process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def _expected(self) -> int:
        """How many processes the server said it would have beside its first."""
        return int(self.log().partition("processes (at least): ")[2].split(" ")[0]) - 1

    def deaths(self) -> list[str]:
        """Lines of the log that tell of a process that died, or of Python that failed."""
        signs = ("died from signal", "core dumped", "Traceback", "Error: ", "python exception", "apy_handle_exception")
        return [line for line in self.log().splitlines() if any(sign in line for sign in signs)]

    def until(self, reached: Callable[[], bool]) -> None:
        """Wait until this holds; fails when it does not in time."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, self.log()[-3000:]
            assert self._process is not None
            assert self._process.poll() is None, self.log()[-3000:]
            time.sleep(0.01)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def rpc(self, method: str) -> str:
        """The answer to a command of its administration."""
        own = str(self._run / "asker.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asker:
            asker.bind(own)
            asker.settimeout(DEADLINE_SECONDS)
            asker.sendto(b'{"jsonrpc":"2.0","method":"%s","id":1}' % method.encode(), str(self._run / "rpc.sock"))
            answer = asker.recv(65_535).decode()
        Path(own).unlink()
        return answer


class Answer:
    """One SIP answer: its status, and its fields by lower-case name."""

    def __init__(self, data: bytes) -> None:
        head, *lines = data.decode("utf-8", "replace").split("\r\n\r\n")[0].split("\r\n")
        self.status = int(head.split(" ")[1])
        pairs = [line.partition(":") for line in lines]
        self.fields = {name.strip().lower(): value.strip() for name, _, value in pairs}

    def __getitem__(self, name: str) -> str:
        return self.fields[name.lower()]


def message(
    method: str,
    fields: Mapping[str, str | bytes] | None = None,
    *,
    caller: str | bytes = b"alice",
    callee: str = "bob",
    call_id: str = "a84b4c76e66710@pc33.example.com",
    number: int = 1,
    transport: str = "UDP",
) -> bytes:
    """A SIP request. Header values may be any bytes at all."""
    user = caller if isinstance(caller, bytes) else caller.encode()
    named = {
        "Via": f"SIP/2.0/{transport} 127.0.0.1;branch=z9hG4bK{number};rport",
        "From": b"<sip:%s@example.com>;tag=f%d" % (user, number) if user else b"<sip:example.com>;tag=f%d" % number,
        "To": f"<sip:{callee}@example.com>",
        "Call-ID": call_id,
        "CSeq": f"{number} {method}",
        "Max-Forwards": "70",
        "Contact": "<sip:alice@127.0.0.1>",
        **(fields or {}),
        "Content-Length": "0",
    }
    lines = [f"{method} sip:{callee}@example.com SIP/2.0".encode()]
    for name, value in named.items():
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    return b"\r\n".join([*lines, b"", b""])


class Caller:
    """A SIP client on UDP, one request at a time."""

    def __init__(self, port: int, *, timeout: float = DEADLINE_SECONDS) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(timeout)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, method: str, fields: Mapping[str, str | bytes] | None = None, **parts: str | bytes) -> Answer:
        self._number += 1
        self._socket.send(message(method, fields, number=self._number, **parts))  # type: ignore[arg-type]
        return Answer(self._socket.recv(65_535))
