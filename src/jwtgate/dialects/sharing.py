"""What the documents of all dialects are made of alike: where they listen, and answers said once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.dialect import Settings


def listeners(settings: Settings) -> list[Any]:
    """The addresses of the proxy, as a document says them."""
    tls = {"certificate": settings.certificate, "private_key": settings.private_key}
    return [*settings.listen, *({"address": address, "tls": tls} for address in settings.tls_listen)]


def take_shared_answers(routes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The answers most routes give, taken off them, if there are several such; thousands of routes stay small.

    All answers of a route or none: what a route says of a class goes before what the document says of a reason.
    """
    texts = Counter(json.dumps(route["answers"]) for route in routes.values() if "answers" in route)
    text, count = max(texts.items(), key=lambda each: each[1], default=("{}", 0))
    shared: dict[str, Any] = json.loads(text) if count > 1 else {}
    for route in routes.values():
        if route.get("answers") == shared:
            del route["answers"]
    return shared
