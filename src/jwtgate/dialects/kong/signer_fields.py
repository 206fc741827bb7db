"""The configuration of `jwt-signer`: five fields for both tokens, and the same 74 for each of the two.

`{t}` stands for `access_token` or `channel_token`. The fields of ours beside Kong's are `EXTRA`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from jwtgate.dialects.kong.fields import (
    ENTITY,
    FLAG_OFF,
    FLAG_ON,
    TEXT,
    TEXTS,
    Complaint,
    Field,
    one_of,
)

TOKENS = ("access_token", "channel_token")
ALGORITHMS = (
    *("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"),
    *("PS256", "PS384", "PS512", "EdDSA"),
)
"""What new tokens can be signed with: Kong's twelve, and `RS384`."""


def _wrong_url(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        return "invalid url"
    if not host:
        return "missing host in url"
    return None if scheme in ("http", "https") else "scheme must be http or https"


URL = Field(check=_wrong_url)
_SECRET = Field(is_secret=True)
_NUMBER = Field("number", 0)
_YEAR = 31536000
_PERIOD = Field("number", 0, between=(0, _YEAR))
_MILLISECONDS = Field("number", between=(1, _YEAR * 1000))
_CERTIFICATE = Field("foreign")
_PATHS = Field("array", elements=TEXTS)
_FILLED_MAP = Field("map", {}, elements=TEXT)
_BY = Field("array", ("custom_id", "username"), elements=one_of(None, "id", "username", "custom_id"))


def _path(*default: str) -> Field:
    return Field("array", default or None, elements=TEXT)


COMMON: Mapping[str, Field] = {
    "realm": TEXT,
    "enable_hs_signatures": FLAG_OFF,
    "enable_instrumentation": FLAG_OFF,
    "add_claims": _FILLED_MAP,
    "set_claims": _FILLED_MAP,
}

_INPUT = {
    "{t}_request_header": TEXT,
    "{t}_optional": FLAG_OFF,
    "verify_{t}_signature": FLAG_ON,
    "{t}_jwks_uri": URL,
    "{t}_jwks_uri_client_username": TEXT,
    "{t}_jwks_uri_client_password": _SECRET,
    "{t}_jwks_uri_client_certificate": _CERTIFICATE,
    "{t}_jwks_uri_rotate_period": _PERIOD,
    "{t}_endpoints_ssl_verify": FLAG_ON,
}


def _checks(t: str) -> dict[str, Field]:
    """What is checked of claims; the same for a JWT and for an answer of introspection."""
    return {
        f"{t}_leeway": _NUMBER,
        f"verify_{t}_expiry": FLAG_ON,
        f"{t}_expiry_claim": _path("exp"),
        f"verify_{t}_notbefore": FLAG_OFF,
        f"{t}_notbefore_claim": _path("nbf"),
        f"verify_{t}_issuer": FLAG_ON,
        f"{t}_issuer_claim": _path("iss"),
        f"{t}_issuers_allowed": TEXTS,
        f"verify_{t}_subject": FLAG_ON,
        f"{t}_subject_claim": _path("sub"),
        f"{t}_subjects_allowed": TEXTS,
        f"verify_{t}_audience": FLAG_ON,
        f"{t}_audience_claim": _path("aud"),
        f"{t}_audiences_allowed": TEXTS,
        f"{t}_required_claims": _PATHS,
        f"{t}_optional_claims": _PATHS,
        f"verify_{t}_scopes": FLAG_ON,
        f"{t}_scopes_claim": _path("scope"),
        f"{t}_scopes_required": TEXTS,
    }


_INTROSPECTION = {
    "enable_{t}_introspection": FLAG_ON,
    "{t}_introspection_endpoint": URL,
    "{t}_introspection_authorization": _SECRET,
    "{t}_introspection_body_args": TEXT,
    "{t}_introspection_hint": TEXT,
    "{t}_introspection_jwt_claim": _path(),
    "{t}_introspection_timeout": _MILLISECONDS,
    "cache_{t}_introspection": FLAG_ON,
    "trust_{t}_introspection": FLAG_ON,
    "{t}_consumer_claim": _path(),
    "{t}_consumer_by": _BY,
    "{t}_introspection_consumer_claim": _path(),
    "{t}_introspection_consumer_by": _BY,
}
_OUTPUT = {
    "{t}_signing": FLAG_ON,
    "{t}_issuer": Field(default="kong"),
    "{t}_keyset": Field(default="kong"),
    "{t}_keyset_client_username": TEXT,
    "{t}_keyset_client_password": _SECRET,
    "{t}_keyset_client_certificate": _CERTIFICATE,
    "{t}_keyset_rotate_period": _PERIOD,
    "{t}_signing_algorithm": one_of("RS256", *ALGORITHMS),
    "{t}_upstream_header": Field(may_be_empty=True),
    "{t}_upstream_leeway": _NUMBER,
    "original_{t}_upstream_header": TEXT,
    "set_{t}_claims": _FILLED_MAP,
    "add_{t}_claims": _FILLED_MAP,
    "remove_{t}_claims": Field("array", (), elements=TEXT),
}
# The defaults that stand in the way of the second token, which most do not have.
_OF_ACCESS_TOKEN: Mapping[str, str] = {
    "access_token_request_header": "Authorization",
    "access_token_introspection_hint": "access_token",
    "access_token_upstream_header": "Authorization:Bearer",
}


def _of_token(t: str) -> Iterator[tuple[str, Field]]:
    for table in (_INPUT, _checks("{t}"), _INTROSPECTION, _checks("{t}_introspection"), _OUTPUT):
        for template, field in table.items():
            name = template.replace("{t}", t)
            default = _OF_ACCESS_TOKEN.get(name, field.default)
            yield name, replace(field, default=default) if name in _OF_ACCESS_TOKEN else field


CONFIG: Mapping[str, Field] = {**COMMON, **{name: each for token in TOKENS for name, each in _of_token(token)}}
"""Every field of Kong's, 153 of them."""

_ISSUER = Field(
    "record",
    fields={"issuer": Field(required=True), "jwks_uri": Field(required=True, check=_wrong_url)},
)
EXTRA: Mapping[str, Field] = {
    "reason_header": Field(is_extra=True),
    **{
        name.replace("{t}", token): field
        for token in TOKENS
        for name, field in {
            "{t}_issuers": Field("array", elements=_ISSUER, is_extra=True),
            "{t}_claims_to_headers": Field("map", elements=TEXTS, is_extra=True),
            "{t}_keyset_seamless_rotate_period": Field("integer", between=(60, _YEAR), is_extra=True),
            "{t}_introspection_hint_parameter": Field(one_of=("token_type_hint", "hint"), is_extra=True),
        }.items()
    },
}
"""Fields of ours beside Kong's. One that is not given is not shown."""


def header_and_scheme(text: str | None) -> tuple[str, str | None]:
    """The name of a field and the scheme of what it holds, of Kong's `name:scheme`. Empty: none."""
    name, _, scheme = (text or "").partition(":")
    return name.strip(), scheme.strip() or None


def signs(config: Mapping[str, Any], token: str) -> bool:
    """Whether a new token is made from this one."""
    return bool(config.get(f"{token}_signing")) and bool(header_and_scheme(config.get(f"{token}_upstream_header"))[0])


def wrong_headers(config: Mapping[str, Any]) -> Mapping[str, Complaint]:
    """What is wrong with the headers for the upstream: each may carry one token."""
    named: dict[str, str] = {}
    for field in (f"{kind}{token}_upstream_header" for token in TOKENS for kind in ("", "original_")):
        name = header_and_scheme(config.get(field))[0].lower()
        if not name or (
            not field.startswith("original_") and not signs(config, field.removesuffix("_upstream_header"))
        ):
            continue
        if name in named:
            return {ENTITY: [f"'{named[name]}' and '{field}' must be different headers"]}
        named[name] = field
    return {}
