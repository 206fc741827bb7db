"""Where a bearer token stands in an Authorization field, and the text of a challenge (RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jwtgate.errors import Refusal, RequestRefused, ScopeRefused

# The b64token of RFC 6750 section 2.1: at least one of these, and then equals signs. Nothing may follow it.
_B64TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/-"
_BEARER = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] +(?=[A-Za-z0-9._~+/-])").match
_SCHEME = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr](?![A-Za-z0-9!#$%&'*+.^_`|~-])").match


def parse_authorization(value: bytes) -> str | None:
    """The token of a `Bearer` credential, or None where the field value is of another scheme.

    `RequestRefused`: `credential_repeated` for values joined by a comma, `credential_malformed` for a
    `Bearer` without a token, or with anything but one token after it (SEC-18, SEC-19).
    """
    match = _BEARER(value)
    if match is not None:
        token = value[match.end() :]
        if not token.rstrip(b"=").translate(None, _B64TOKEN):
            return token.decode("ascii")
    if _SCHEME(value) is None:
        return None
    raise RequestRefused("credential_repeated" if b"," in value else "credential_malformed")


def after_scheme(value: bytes, scheme: bytes) -> bytes | None:
    """What follows this scheme (lower case) in a field value, without the blanks around it; None for another scheme."""
    rest = value[len(scheme) :]
    if value[: len(scheme)].lower() != scheme or (rest and rest[:1] not in b" \t"):
        return None
    return rest.strip(b" \t")


def is_bearer(value: bytes) -> bool:
    """Whether this field value is of the scheme `Bearer`, in whatever case (RFC 9110 section 11.1)."""
    return _SCHEME(value) is not None


def challenge(realm: str, refusal: Refusal | None) -> str:
    """The value of a WWW-Authenticate field: the realm, and the error where RFC 6750 section 3 wants one."""
    return ", ".join((f"Bearer realm={quoted(realm)}", *error_parameters(refusal)))


def error_parameters(refusal: Refusal | None) -> Iterator[str]:
    """What a challenge says of a refusal, whatever its scheme."""
    if refusal is not None and refusal.oauth_error is not None:
        yield f"error={quoted(refusal.oauth_error)}"
        yield f"error_description={quoted(refusal.sentence)}"
    if isinstance(refusal, ScopeRefused) and refusal.scope:
        yield f"scope={quoted(' '.join(refusal.scope))}"


def quoted(text: str) -> str:
    """`text` as a quoted-string (RFC 9110 section 5.6.4); what is not printable ASCII becomes `?`."""
    printable = "".join(character if " " <= character <= "~" else "?" for character in text)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
