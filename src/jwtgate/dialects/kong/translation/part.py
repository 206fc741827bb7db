"""What one plugin brings to a route, and what several make of it together.

Plugins that say who the caller is must all be content. One that names an anonymous consumer lets others decide: with
such alone, one of them is enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jwtgate.dialects.kong.translation.answers import UNEXPECTED, Answers, says

IDENTITY: Mapping[str, Any] = {
    "X-Consumer-ID": {"consumer": "id"},
    "X-Consumer-Custom-ID": {"consumer": "external_id"},
    "X-Consumer-Username": {"consumer": ["labels", "username"]},
}
OF_CREDENTIAL: Mapping[str, Any] = {
    **IDENTITY,
    "X-Credential-Identifier": {"consumer": "credential"},
    "X-Anonymous-Consumer": {"cel": "null"},
}
_ANONYMOUS = {"X-Anonymous-Consumer": {"cel": "size(token) == 0 ? 'true' : null"}}


@dataclass(frozen=True, slots=True)
class Part:
    """What a plugin asks and does.

    `anonymous`: the consumer that callers it refuses count as. `skips_preflight`: `OPTIONS` passes without it.
    `forwards`: its tokens go on to the upstream. `broken`: whoever it lets pass is answered 500.
    """

    slots: Mapping[str, dict[str, Any]] = field(repr=False)
    answers: Answers = field(default_factory=dict, repr=False)
    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    issue: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    anonymous: str | None = None
    skips_preflight: bool = False
    forwards: bool = False
    broken: bool = False


def route_keys(parts: Sequence[Part]) -> dict[str, Any]:
    """What these plugins, the first to run first, make of a route: its keys, but for what it does with requests."""
    asking = [part for part in parts if part.anonymous is None] or list(parts)
    anonymous = asking[0].anonymous if asking else None
    # The consumer is that of the first slot which knows one. Of plugins that must all be content the last to run says
    # who the caller is, of others the first.
    telling = asking if anonymous is not None else reversed(asking)
    slots = {name: slot for part in telling for name, slot in part.slots.items()}
    answers: Answers = {}
    for part in asking:
        for reason, answer in part.answers.items():
            answers.setdefault(reason, answer)
    keys: dict[str, Any] = {"answers": answers} if answers else {}
    if not slots:
        return {"auth": "none", **keys}
    required = any(slot.get("auth") == "required" for slot in slots.values())
    keys |= {"auth": "required" if required else "optional", "slots": slots}
    headers = {name: value for part in asking for name, value in part.headers.items()}
    issue = [each for part in asking for each in part.issue]
    keys |= {name: value for name, value in (("headers", headers), ("issue", issue)) if value}
    if any(part.forwards for part in asking):
        keys["forward_token"] = True
    if anonymous is not None:
        keys |= _with_anonymous(anonymous, keys, len(slots))
    return keys


def _with_anonymous(anonymous: str, keys: Mapping[str, Any], slots: int) -> dict[str, Any]:
    """What lets a caller in whom no plugin knows."""
    found: dict[str, Any] = {
        "auth": "optional",
        "slots": {name: {**slot, "auth": "optional"} for name, slot in keys["slots"].items()},
        "anonymous_consumer": anonymous,
        "anonymous_consumer_also_for_refused_tokens": True,
        "headers": {**keys["headers"], **_ANONYMOUS},
        # Whoever is known is let in, so that only an anonymous consumer can be missing.
        "answers": {**keys["answers"], "consumer_unknown": says(500, UNEXPECTED)},
    }
    return found | ({"enough": "one_slot"} if slots > 1 else {})
