"""What a gateway depends on in the fault tests of keys: issuers that break in every way, and an upstream that is quick.

They run on a thread of their own, so that a test may wait for anything meanwhile.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import cache
from itertools import cycle
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.integration.scripted_server import Script, ScriptedServer, answer

from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.token import sign_token

AUDIENCE = "https://orders.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TOKENS = 20
"""How many different tokens a load uses in turn."""
Result = TypeVar("Result")


@cache
def rsa_key(kid: str) -> Key:
    """The RS256 key of this name, the same one all through a run."""
    return generate_key("RS256", kid=kid)


class Neighbours:
    """A thread with an event loop, inside `with`. `upstream` is the address of a server that says `ok` to all."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.upstream = ""
        self._thread = threading.Thread(target=self.loop.run_forever, name="neighbours")
        self._open = AsyncExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        server = self.run(self._serve())
        self.upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work: Coroutine[None, None, Result]) -> Result:
        """What comes of this on the thread of the servers."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def issuer(self, *kids: str) -> Issuer:
        """An issuer that is up and publishes these keys."""
        made = Issuer(self)
        made.up()
        self._open.push_async_callback(made.running.aclose)
        made.publish(*kids)
        return made

    async def _serve(self) -> asyncio.Server:
        server = await asyncio.start_server(_say_ok, "127.0.0.1", 0)
        self._open.callback(server.close)
        return server

    async def _end(self) -> None:
        await self._open.aclose()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)  # what was closed ends


async def _say_ok(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(OK)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.transport.abort()


class Issuer:
    """An issuer at one address that comes and goes, and answers what it is told to."""

    def __init__(self, around: Neighbours) -> None:
        self._around = around
        self._server = ScriptedServer()
        self.running = AsyncExitStack()
        """What ends when it goes down."""

    @property
    def origin(self) -> str:
        return self._server.origin

    @property
    def fetches(self) -> int:
        """How often its key set was asked for."""
        return self.asked("/jwks")

    def asked(self, path: str) -> int:
        """How often this path was asked for."""
        return self._server.asked[path]

    def up(self) -> None:
        """Listen."""
        self._around.run(self.running.enter_async_context(self._server.running()))

    def down(self) -> None:
        """Refuse connections."""
        self._around.run(self.running.aclose())

    def publish(self, *kids: str) -> None:
        """Show the keys of these names, and no others."""
        self.says(answer(key_set(*kids)))

    def says(self, page: bytes | Script, path: str = "/jwks") -> None:
        """Answer this from now on, whatever it is."""
        self._server.pages[path] = page

    def token(self, kid: str, **claims: object) -> str:
        """A token signed with the key of this name, whether that is published or not."""
        now = int(time.time())
        whole = {"iss": self.origin, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 600, **claims}
        return sign_token(whole, rsa_key(kid), alg="RS256")

    def tokens(self, kid: str) -> Callable[[], str]:
        """Gives different tokens signed with this key in turn."""
        return cycle([self.token(kid, jti=str(number)) for number in range(TOKENS)]).__next__


def key_set(*kids: str) -> bytes:
    """The JWK Set of the keys of these names."""
    return json_bytes({"keys": [rsa_key(kid).public().to_jwk() for kid in kids]})


def with_kid(token: str, kid: str) -> str:
    """The token with another `kid`; its signature fits no longer."""
    header, rest = token.split(".", 1)
    members = json.loads(base64.urlsafe_b64decode(header + "=="))
    written = json.dumps({**members, "kid": kid}, separators=(",", ":")).encode()
    return f"{base64.urlsafe_b64encode(written).rstrip(b'=').decode()}.{rest}"


def document(around: Neighbours, issuers: Mapping[str, Issuer], **settings: Any) -> str:
    """A gateway with a route `/NAME/*` for the tokens of each of these issuers, all with these settings besides."""
    whole = {
        "listen": ["127.0.0.1:0"],
        "status_listen": "127.0.0.1:0",
        "issuers": {
            name: {
                "issuer": issuer.origin,
                "audience": AUDIENCE,
                "algorithms": ["RS256"],
                "keys": {"url": f"{issuer.origin}/jwks"},
                **settings,
            }
            for name, issuer in issuers.items()
        },
        "upstreams": {"echo": {"targets": [around.upstream]}},
        "routes": {
            name: {"path": f"/{name}/*", "auth": "required", "issuers": [name], "upstream": "echo"} for name in issuers
        },
    }
    return json.dumps(whole)
