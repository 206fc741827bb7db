"""What the commands of `jwtgate ctl` do."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from jwtgate.cli.answer import Answer, green, json_text
from jwtgate.cli.ctl.client import AdminClient, named
from jwtgate.cli.ctl.showing import done, rows, value
from jwtgate.cli.ctl.values import read_text
from jwtgate.cli.timetable import timetable
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import base64url_encode

MERGE, PATCH = "application/merge-patch+json", "application/json-patch+json"


def over(version: int | None) -> Mapping[str, str]:
    """The fields that say which version may be changed."""
    return {} if version is None else {"If-None-Match": "*"} if version == 0 else {"If-Match": f'"{version}"'}


def listed(client: AdminClient, kind: str, *, contains: str | None, most: int | None) -> Answer:
    """The resources of a kind."""
    found = client.every(kind, query={"contains": contains} if contains else None, most=most)
    return rows(("name", "version", "origin", "changed_at"), found, instants=("changed_at",))


def shown(client: AdminClient, kind: str, name: str) -> Answer:
    """One resource."""
    resource = client.ask("GET", named(kind, name)).value
    return value(resource["value"], resource)


def put(client: AdminClient, kind: str, name: str, *, content: Any, version: int | None) -> Answer:
    """Make or replace a resource."""
    reply = client.ask("PUT", named(kind, name), content, fields=over(version))
    return done(f"{kind} {name} is version {reply.version}", reply.value)


def patched(client: AdminClient, kind: str, name: str, *, patch: Any, version: int | None) -> Answer:
    """Change a resource: a list is a JSON Patch, a mapping a merge patch."""
    media_type = PATCH if isinstance(patch, list) else MERGE
    reply = client.ask("PATCH", named(kind, name), patch, media_type=media_type, fields=over(version))
    return done(f"{kind} {name} is version {reply.version}", reply.value)


def deleted(client: AdminClient, kind: str, name: str, *, version: int | None) -> Answer:
    """Delete a resource."""
    client.ask("DELETE", named(kind, name), fields=over(version))
    return done(f"{kind} {name} is gone", {"good": True})


def applied(client: AdminClient, document: Any, *, version: int | None) -> Answer:
    """Serve this document; `version` is the one it may replace."""
    reply = client.ask("PUT", "document", document, fields={"If-Match": "*"} if version is None else over(version))
    return done(f"the document is version {reply.version}", {"good": True, "version": reply.value["version"]})


def checked(client: AdminClient, document: Any) -> Answer:
    """Whether this document could be applied."""
    reply = client.ask("POST", "document/check", document)
    return Answer(f"{green('good:')} the document can be applied", reply.value)


def compared(client: AdminClient, document: Any) -> Answer:
    """What this document would change."""
    patch = client.ask("POST", "document/diff", document).value["patch"]
    lines = [f"{each['op']:<8} {each['path']} {json_text(each['value']) if 'value' in each else ''}" for each in patch]
    return Answer("\n".join(line.rstrip() for line in lines) or "no difference", patch)


def rolled_back(client: AdminClient, back_to: int, *, version: int | None) -> Answer:
    """Serve the document of an earlier version again."""
    fields = {"If-Match": "*"} if version is None else over(version)
    reply = client.ask("POST", named("document", "history", str(back_to), "roll-back"), fields=fields)
    return done(f"the document is version {reply.version}", {"good": True, "version": reply.value["version"]})


def rotated(client: AdminClient, name: str, *, plan: bool) -> Answer:
    """When everything happens, after a rotation began; with `plan`, what would happen."""
    query = {"plan": "true"} if plan else None
    told = client.ask("POST", named("signing-keys", name, "rotate"), query=query).value
    head = f"A rotation of {name!r} now would go like this." if plan else f"The signing keys {name!r} have a new key."
    return timetable(head, told)


_NAMING = {"jti": "jti", "token": "token", "subject": "subject", "client_id": "client"} | {
    name: name for name in ("session", "consumer")
}


def revoked(client: AdminClient, options: Mapping[str, str | int | None]) -> Answer:
    """Revoke the tokens these options name."""
    entry = client.ask("POST", "revocations", asked_revocation(options)).value
    return done(f"revoked; to take it back: jwtgate ctl withdraw {entry['id']}", entry)


def asked_revocation(options: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """The revocation these options ask for. A token itself stays here: it is revoked by its digest."""
    given = {_NAMING[name]: text for name, text in options.items() if name in _NAMING and text is not None}
    before = options.get("issued_before")
    if len(given) > 1 or (not given and before is None):
        names = ", ".join(f"--{name}" for name in _NAMING.values())
        raise ConfigError(f"name tokens by one of {names}, or by --issued-before alone")
    by, value = next(iter(given.items()), ("everything", None))
    asked = {
        "by": by,
        "value": _digest(read_text(str(value))) if by == "token" else value,
        "issuer": options.get("issuer"),
        "issued_before": None if before is None else instant(str(before)),
        "expires_in_seconds": options.get("expires_in"),
        "note": options.get("note"),
    }
    return {name: each for name, each in asked.items() if each is not None}


def _digest(token: str) -> str:
    if not token or token.split() != [token]:
        raise ConfigError("--token: the file must hold the token alone, without `Bearer` before it")
    return base64url_encode(hashlib.sha256(token.encode()).digest())


def instant(text: str, now: float | None = None) -> int:
    """The NumericDate of `now`, or of a whole number. `ConfigError` for anything else."""
    if text == "now":
        return int(time.time() if now is None else now)
    if not (text.isascii() and text.isdecimal()):
        raise ConfigError("--issued-before: must be now, or seconds since 1970")
    return int(text)
