"""The credential a slot accepts, or its absence (RFC 6750 section 2).

The order of sources never depends on the order of fields: every source is looked at, and a second candidate
anywhere refuses the request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import unquote_plus

from jwtgate.errors import CredentialMissing, RequestRefused
from jwtgate.oauth import dpop
from jwtgate.oauth.bearer import is_bearer, parse_authorization
from jwtgate.policy.request import RequestView, cookie_values, query_holds_bare, query_values
from jwtgate.policy.requirements import Place, Slot, Source


def extract(slot: Slot, request: RequestView) -> str | None:
    """What the request presents for this slot; None when nothing is presented and the slot allows that.

    Refuses `credential_missing`, `credential_repeated`, `credential_malformed`.
    """
    found: Collection[str]
    if slot.first_source_wins:
        found = next(filter(None, (_first(source, request) for source in slot.sources)), ())
    elif slot.equal_tokens_count_once:
        found = {text for source in slot.sources for text in _all(source, request) if text}
    else:
        found = [text for source in slot.sources for text in _candidates(source, request)]
    if len(found) > 1:
        raise RequestRefused("credential_repeated", slot=slot.name)
    for text in found:
        if slot.dpop is not None and len(request.field_values(dpop.FIELD)) != 1:
            raise CredentialMissing("credential_missing", slot=slot.name, cause="proof")
        return text
    if slot.required:
        raise CredentialMissing("credential_missing", slot=slot.name)
    return None


def _candidates(source: Source, request: RequestView) -> list[str]:
    """What stands at this place, an empty credential included: only one that is not there is absent."""
    if source.place is Place.QUERY:
        return _in_query(source, request)
    if source.place is Place.COOKIE:
        return _in_cookies(source, request)
    values = request.field_values(source.name.encode())
    if len(values) > 1:
        raise RequestRefused("credential_repeated", field=source.name)
    return _in_field(source, values)


def _first(source: Source, request: RequestView) -> list[str]:
    """As `_candidates`, of the first line of a field and the first cookie of a name alone."""
    if source.place is Place.QUERY:
        return _in_query(source, request)
    if source.place is Place.COOKIE:
        return _in_cookies(source, request)[:1]
    return _in_field(source, request.field_values(source.name.encode())[:1])


def _all(source: Source, request: RequestView) -> list[str]:
    """As `_candidates`, of every line of a field. A parameter that is only a name holds nothing that can be read."""
    if source.place is Place.QUERY:
        if query_holds_bare(request.query, source.name):
            raise RequestRefused("credential_malformed", parameter=source.name)
        return _in_query(source, request)
    if source.place is Place.COOKIE:
        return _in_cookies(source, request)
    values = request.field_values(source.name.encode())
    # A token we do not take for one may be what the upstream reads.
    untaken = [value for value in values if _prefix(source, value) is None]
    if len(values) > 1 and source.name == "authorization" and any(map(is_bearer, untaken)):
        raise RequestRefused("credential_repeated", field=source.name)
    return _in_field(source, values)


def _in_query(source: Source, request: RequestView) -> list[str]:
    values = query_values(request.query, source.name)
    return [unquote_plus(value) for value in values] if source.decoded else list(values)


def _in_cookies(source: Source, request: RequestView) -> list[str]:
    name = source.name.encode()
    return [_text(value) for field in request.field_values(b"cookie") for value in cookie_values(field, name)]


def _in_field(source: Source, values: Iterable[bytes]) -> list[str]:
    if source.place is Place.AUTHORIZATION:
        return [token for value in values if (token := parse_authorization(value)) is not None]
    if source.place is Place.DPOP:
        return [token for value in values if (token := dpop.parse_authorization(value)) is not None]
    found = [value[len(prefix) :] for value in values if (prefix := _prefix(source, value)) is not None]
    return [_text(text.lstrip(b" \t") if source.blanks_after_prefix else text) for text in found]


def _prefix(source: Source, value: bytes) -> bytes | None:
    """The first prefix of the source that this value begins with."""
    prefixes = (prefix.encode() for prefix in source.prefixes)
    return next((prefix for prefix in prefixes if value.startswith(prefix)), None)


def _text(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise RequestRefused("credential_malformed", cause="not ASCII") from None
