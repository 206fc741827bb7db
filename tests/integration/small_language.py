"""A small language for expressions, as another package would bring it: one of a few words, then an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.policy.expression import Asks, ExpressionFailed
from jwtgate.policy.facts import NeedSigned
from jwtgate.policy.rooms.claims import MISSING
from jwtgate.policy.value import Known


@dataclass(frozen=True)
class Words:
    """An expression: its text, and what it was given."""

    text: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, known: Known) -> object:
        word, _, rest = self.text.partition(" ")
        if word == "fail":
            raise ExpressionFailed(rest, kind="on_purpose")
        if word == "signed":
            return self._signed(known, rest)
        found = {
            "path": known.request.path,
            "tokens": sorted(known.principal.tokens),
            "claim": next((each.claims.get(rest) for each in known.principal.tokens.values()), MISSING),
            "slot": known.slot,
            "reason": known.error.reason if known.error is not None else MISSING,
            "given": self.given.get(rest, MISSING),
            "field": next((value.decode() for value in known.request.field_values(rest.encode())), MISSING),
            "${text}": "a text of its own",
            "body": (known.request.body or b"").decode(),
        }
        return found.get(word, MISSING)

    def _signed(self, known: Known, key: str) -> object:
        claims = {"sub": next((each.claims.get("sub") for each in known.principal.tokens.values()), None)}
        asked = (self.text, "signed")
        if asked not in known.answers:
            raise Asks(NeedSigned(key, {}, claims), asked)
        return known.answers[asked]


def compiled(text: str, given: Mapping[str, Any]) -> Words:
    """What the entry point leads to."""
    if text.startswith("?"):
        raise ValueError("begins with a question")
    return Words(text, given)
