"""`python -m bench.micro`: what single steps of a request cost, in µs; the best of several rounds.

For whoever changes one of them: run it before and after. The figures of two machines say nothing together.
"""

import time
import timeit
from collections.abc import Callable, Iterator
from typing import cast

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jwtgate.gateway.heads.framing import RequestReader
from jwtgate.gateway.heads.reading import IN_PYTHON, PLAIN_HEADS, PlainHeads
from jwtgate.gateway.memory import FOR_EVER, Remembered, outcome_memory
from jwtgate.jose.encoding import base64url_decode, parse_json_object
from jwtgate.jose.key import Key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.token import sign_token
from jwtgate.policy import plan, provisions, requirements
from jwtgate.policy.decide import decide
from jwtgate.policy.facts import IssuedToken
from jwtgate.policy.outcome import Allowed, Outcome
from jwtgate.policy.request import RequestView, canonical_path
from jwtgate.policy.revocations import Revocations
from jwtgate.policy.rooms.match import Router
from jwtgate.policy.traffic.upstreams import Target, Upstream

from .ours import prefixes
from .round import hot_requests
from .tokens import AUDIENCE, ISSUER, KID, claims

ROUNDS, ROUND_SECONDS = 7, 0.1
UPSTREAM = Upstream("echo", (Target("127.0.0.1", 9020, tls=False, authority="127.0.0.1:9020"),))


class _KnownKeys:
    """Facts that hold one key set, whoever the issuer is, and nothing that was revoked."""

    revocations = Revocations()
    store_away = False

    def __init__(self, key_set: KeySet) -> None:
        self._key_set = key_set

    def credential(self, name: str) -> None:
        """Nobody has one."""

    def consumer(self, by: tuple[requirements.ConsumerName, ...], value: str) -> None:
        """There are none."""

    def key_set(self, issuer: str) -> KeySet:
        return self._key_set


def steps() -> Iterator[tuple[str, Callable[[], object]]]:
    """Each step by name, ready to be called again and again."""
    token, key_set = _token()
    body = token.split(".")[1]
    yield (
        "codec: base64url and JSON of the claims",
        lambda: parse_json_object(base64url_decode(body), limit_bytes=8192),
    )
    for heads in dict.fromkeys((IN_PYTHON, PLAIN_HEADS)):
        yield f"head: parse 10 fields and the path, {heads.name}", _head(token, heads)
    yield "memory: a hit", _hit(token)
    for routes in (10, 10_000, 100_000):
        router, path = _router(routes)
        yield f"router: {routes:,} routes", lambda router=router, path=path: router.find("GET", "", path)  # type: ignore[misc]
    yield "decision: RS256 verified, every check, facts warm", _decision(token, key_set)
    yield from hot_requests()


def _token() -> tuple[str, KeySet]:
    key = rsa.generate_private_key(65537, 2048)
    private = Key.from_pem(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), kid=KID, alg="RS256")
    return sign_token(claims(1, int(time.time())), private, alg="RS256"), KeySet([private])


def _head(token: str, heads: PlainHeads) -> Callable[[], object]:
    names = (
        "Accept",
        "Accept-Encoding",
        "Accept-Language",
        "Cache-Control",
        "Cookie",
        "Origin",
        "Referer",
        "X-A",
    )
    lines = "".join(f"{name}: some value of usual length\r\n" for name in names)
    first = f"GET /orders/7/s7/1 HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token}\r\n"
    data = f"{first}{lines}\r\n".encode()

    reader = RequestReader(heads)

    def parse() -> str:
        reader.read(data, 0, limit_bytes=len(data))
        return canonical_path(reader.target)

    return parse


def _hit(token: str) -> Callable[[], object]:
    memory = outcome_memory(100_000)
    field = f"Bearer {token}".encode()
    for number in range(1000):
        memory.remember(("r1", field[7:] + b"%d" % number), Remembered(b"", FOR_EVER, "bench"))
    memory.remember(("r1", field[7:]), Remembered(b"", FOR_EVER, "bench"))
    return lambda: memory.recall(("r1", field[7:]))  # a fresh text, so that its hash is paid for


def _router(routes: int) -> tuple[Router, str]:
    router, places = Router(), prefixes(routes)
    for number, place in enumerate(places):
        router.add(plan.Route(f"r{number}", UPSTREAM), f"{place}/*", methods=(), hosts=())
    return router, f"{places[routes // 2]}/1"


def _decision(token: str, key_set: KeySet) -> Callable[[], object]:
    issuer = requirements.Issuer("bench", ISSUER, frozenset({"RS256"}), frozenset({AUDIENCE}))
    sources = (requirements.Source(requirements.Place.AUTHORIZATION),)
    scope = requirements.ScopeNeed(all_of=frozenset({"orders:read"}))
    slot = requirements.Slot("access", required=True, sources=sources, issuers={ISSUER: issuer}, scope=scope)
    own = provisions.Issue(
        "token", "access", "default", "https://gate.example", ("https://orders.internal",), copy_all=True
    )
    caller = provisions.IdentityField(
        b"X-Caller", provisions.Value(provisions.Origin.CLAIM, slot="access", path=("sub",))
    )
    route = plan.Route("orders", UPSTREAM, slots=(slot,), issue=(own,), identity=(caller,))
    router = Router()
    router.add(route, "/orders/*", methods=(), hosts=())
    whole = plan.Plan(router, (route,), {issuer.name: issuer}, {}, ())
    field = (b"authorization", f"Bearer {token}".encode())
    request = RequestView("GET", "http", "a.example", "/orders/1", "", (field,))
    facts, now = _KnownKeys(key_set), int(time.time())
    signed = IssuedToken(token, now + 300)

    def walk() -> Outcome:
        moves = decide(whole, request, facts, now)
        next(moves)  # it asks for the issued token, nothing else
        try:
            moves.send(signed)
        except StopIteration as end:
            return cast(Outcome, end.value)
        raise RuntimeError("the decision asked for more than one thing")

    if type(walk()) is not Allowed:
        raise RuntimeError(f"not allowed: {walk()}")
    return walk


def main() -> None:
    """Print a line for each step."""
    for name, step in steps():
        timer = timeit.Timer(step)
        calls = max(1, int(ROUND_SECONDS / max(timer.timeit(10) / 10, 1e-7)))
        best = min(timer.repeat(ROUNDS, calls)) / calls
        print(f"{best * 1e6:10.2f} µs  {name}")


if __name__ == "__main__":
    main()
