"""The credential a slot accepts, or its absence (RFC 6750 section 2); and what its claims have to equal.

The order of sources never depends on the order of fields: every source is looked at, and a second candidate
anywhere refuses the request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from urllib.parse import unquote_plus

from jwtgate.errors import CredentialMissing, DependencyFault, RequestRefused
from jwtgate.jose.encoding import JSON, json_bytes
from jwtgate.oauth import dpop
from jwtgate.oauth.bearer import after_scheme, is_bearer, parse_authorization
from jwtgate.policy.provisions import Value
from jwtgate.policy.request import RequestView, cookie_values, query_holds_bare, query_values
from jwtgate.policy.requirements import Place, Slot, Source
from jwtgate.policy.value import Known, value_of

_Found = list[str]
_NOT_IN_FIELDS = frozenset({Place.COOKIE, Place.QUERY, Place.VALUE})


def extract(slot: Slot, request: RequestView, *, known: Known | None = None) -> str | None:
    """What the request presents for this slot; None when nothing is presented and the slot allows that.

    Refuses `credential_missing`, `credential_repeated`, `credential_malformed`; raises `Asks`, and fails, as values do.
    Without `known` values have nothing to present.
    """
    found: Collection[str]
    if slot.first_source_wins:
        found = next(filter(None, (_first(source, request, known=known) for source in slot.sources)), ())
    elif slot.equal_tokens_count_once:
        found = {text for source in slot.sources for text in _all(source, request, known=known) if text}
    else:
        found = [text for source in slot.sources for text in _candidates(source, request, known=known)]
    presented = [text for text in found if text] if slot.empty_is_absent else found
    if len(presented) > 1:
        raise RequestRefused("credential_repeated", slot=slot.name)
    for text in presented:
        if slot.dpop is not None and len(request.field_values(dpop.FIELD)) != 1:
            raise CredentialMissing("credential_missing", slot=slot.name, cause="proof")
        return text
    if slot.required:
        raise CredentialMissing("credential_missing", slot=slot.name, cause="empty" if found else _why(slot, request))
    return None


def _why(slot: Slot, request: RequestView) -> str:
    """Why there is nothing in this slot, for the log: a field it looks at may be there without what it looks for."""
    names = {source.name.encode() for source in slot.sources if source.place not in _NOT_IN_FIELDS}
    return "scheme_differs" if any(request.field_values(name) for name in names) else "absent"


def expected_claims(slot: Slot, known: Known) -> Mapping[str, JSON] | None:
    """What the token's claims have to equal, None where the slot does not say. Fails with `expected_claims_malformed`.

    Raises `Asks`, and fails, as values do.
    """
    if slot.claims_equal is None:
        return None
    expected = value_of(slot.claims_equal, known)
    if not isinstance(expected, Mapping):
        raise DependencyFault("expected_claims_malformed", slot=slot.name, cause="no object")
    for name in ("iss", "aud"):
        if not isinstance(expected.get(name, ""), str):
            raise DependencyFault("expected_claims_malformed", slot=slot.name, claim=name, cause="no text")
    return expected


def _candidates(source: Source, request: RequestView, *, known: Known | None) -> _Found:
    """What stands at this place, an empty credential included: only one that is not there is absent."""
    if source.value is not None:
        return _in_value(source.value, known)
    if source.place is Place.QUERY:
        return _in_query(source, request)
    if source.place is Place.COOKIE:
        return _in_cookies(source, request)
    values = request.field_values(source.name.encode())
    if len(values) > 1:
        raise RequestRefused("credential_repeated", field=source.name)
    return _in_field(source, values)


def _first(source: Source, request: RequestView, *, known: Known | None) -> _Found:
    """As `_candidates`, of the first line of a field and the first cookie of a name alone."""
    if source.value is not None:
        return _in_value(source.value, known)
    if source.place is Place.QUERY:
        return _in_query(source, request)
    if source.place is Place.COOKIE:
        return _in_cookies(source, request)[:1]
    return _in_field(source, request.field_values(source.name.encode())[:1])


def _all(source: Source, request: RequestView, *, known: Known | None) -> _Found:
    """As `_candidates`, of every line of a field. A parameter that is only a name holds nothing that can be read."""
    if source.value is not None:
        return _in_value(source.value, known)
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


def _in_value(value: Value, known: Known | None) -> _Found:
    """Text as it is, and a number as its digits; what is blank, or anything else, is nothing."""
    found = None if known is None else value_of(value, known)
    if isinstance(found, str):
        return [_text(found.encode("utf-8", "surrogatepass"))] if found.strip() else []
    if isinstance(found, bool) or not isinstance(found, int | float):
        return []
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    try:
        return [json_bytes(found).decode()]
    except ValueError:  # a number without digits, or with far too many
        return []


def _in_query(source: Source, request: RequestView) -> _Found:
    values = query_values(request.query, source.name)
    return [unquote_plus(value) for value in values] if source.decoded else list(values)


def _in_cookies(source: Source, request: RequestView) -> _Found:
    name = source.name.encode()
    return [_text(value) for field in request.field_values(b"cookie") for value in cookie_values(field, name)]


def _in_field(source: Source, values: Iterable[bytes]) -> _Found:
    if source.scheme is not None:
        return [_text(rest) for value in values if (rest := after_scheme(value, source.scheme)) is not None]
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
