"""A gateway with many consumers: their file, their own HS256 tokens, and our gateway as a contestant over them."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from .contestants import Contestant, Place
from .ours import HOT_ROUTES, document, serving
from .processes import free_port
from .tokens import AUDIENCE, b64, claims, write_requests


@dataclass(frozen=True, slots=True)
class Crowd:
    """Our gateway with so many consumers, the place with a token of one of them, and the requests of a hot set."""

    contestant: Contestant
    place: Place
    requests: Path


def crowd(place: Place, count: int, *, tokens: int, paths: list[str]) -> Crowd:
    """Files for a gateway of so many consumers, and that many tokens of consumers spread evenly over all."""
    name, made = f"jwtgate {count} consumers", list(signed_by_consumers(count, tokens))
    file = place.folder / f"consumers-{count}.jsonl"
    with file.open("w") as lines:
        lines.writelines(json.dumps(_consumer(number)) + "\n" for number in range(count))
    file.chmod(0o600)
    port = free_port()
    written = document(place.folder, port, upstream=place.upstream, routes=HOT_ROUTES, alg="ES256") | {
        "issuers": {"bench": {"audience": AUDIENCE, "consumers": {"claim": "key"}}},
        "consumer_files": [str(file)],
    }
    requests = write_requests(place.folder / f"consumers-{count}.requests", made, paths)
    return Crowd(serving(name, place.folder, port, written=written), replace(place, token=made[0]), requests)


def _consumer(number: int) -> dict[str, object]:
    return {
        "name": f"consumer-{number:07d}",
        "external_id": f"account-{number:07d}",
        "groups": ["buyers"],
        "labels": {"tier": "gold"},
        "credentials": {key_name(number): {"alg": "HS256", "secret": secret(number)}},
    }


def signed_by_consumers(consumers: int, count: int) -> Iterator[str]:
    """So many tokens of consumers spread evenly over all of them."""
    now, step = int(time.time()), max(1, consumers // count)
    head = b64(b'{"alg":"HS256","typ":"JWT"}')
    for number in range(count):
        consumer = number * step % consumers
        body = json.dumps({**claims(number, now), "key": key_name(consumer)}, separators=(",", ":"))
        text = f"{head}.{b64(body.encode())}"
        yield f"{text}.{b64(hmac.digest(secret(consumer).encode(), text.encode(), 'sha256'))}"


def key_name(number: int) -> str:
    """What the tokens of a consumer name its credential by."""
    return f"key-{number:07d}"


def secret(number: int) -> str:
    """The secret of a consumer, the same in the file and in its tokens."""
    return hashlib.sha256(f"bench secret of {number}".encode()).hexdigest()
