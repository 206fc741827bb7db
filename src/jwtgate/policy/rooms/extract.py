"""The credential a slot accepts, or its absence (RFC 6750 section 2).

The order of sources never depends on the order of fields: every source is looked at, and a second candidate
anywhere refuses the request.
"""

from __future__ import annotations

from jwtgate.errors import CredentialMissing, RequestRefused
from jwtgate.oauth.bearer import parse_authorization
from jwtgate.policy.request import RequestView, cookie_values, query_values
from jwtgate.policy.requirements import Place, Slot, Source


def extract(slot: Slot, request: RequestView) -> str | None:
    """What the request presents for this slot; None when nothing is presented and the slot allows that.

    Refuses `credential_missing`, `credential_repeated`, `credential_malformed`.
    """
    found: list[str] = []
    for source in slot.sources:
        found += _candidates(source, request)
        if found and slot.first_source_wins:
            break
    if len(found) > 1:
        raise RequestRefused("credential_repeated", slot=slot.name)
    if found:
        return found[0]
    if slot.required:
        raise CredentialMissing("credential_missing", slot=slot.name)
    return None


def _candidates(source: Source, request: RequestView) -> list[str]:
    """What stands at this place, an empty credential included: only one that is not there is absent."""
    name = source.name.encode()
    if source.place is Place.QUERY:
        return list(query_values(request.query, source.name))
    if source.place is Place.COOKIE:
        return [_text(value) for field in request.field_values(b"cookie") for value in cookie_values(field, name)]
    values = request.field_values(name)
    if len(values) > 1:
        raise RequestRefused("credential_repeated", field=source.name)
    if source.place is Place.AUTHORIZATION:
        return [token for value in values if (token := parse_authorization(value)) is not None]
    return [_text(value[len(prefix) :]) for value in values if (prefix := _prefix(source, value)) is not None]


def _prefix(source: Source, value: bytes) -> bytes | None:
    """The first prefix of the source that this value begins with."""
    prefixes = (prefix.encode() for prefix in source.prefixes)
    return next((prefix for prefix in prefixes if value.startswith(prefix)), None)


def _text(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise RequestRefused("credential_malformed", cause="not ASCII") from None
