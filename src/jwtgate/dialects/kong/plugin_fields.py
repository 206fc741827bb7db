"""The plugins that are spoken: where each may stand, and the fields of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwtgate.dialects.kong.fields import (
    ENTITY,
    FLAG_OFF,
    FLAG_ON,
    TEXT,
    Check,
    Complaint,
    Field,
)
from jwtgate.dialects.kong.signer_fields import CONFIG, EXTRA, wrong_headers

_YEAR = 31536000


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plugin. The greater its `priority`, the earlier it runs."""

    priority: int
    fields: Mapping[str, Field]
    check: Check = lambda config: {}
    of_consumer: bool = True


def _wrong_expiration(config: Mapping[str, Any]) -> Mapping[str, Complaint]:
    if (config.get("maximum_expiration") or 0) > 0 and "exp" not in (config.get("claims_to_verify") or ()):
        failed = "failed conditional validation given value of field 'maximum_expiration'"
        return {ENTITY: [failed], "claims_to_verify": "expected to contain: exp"}
    return {}


_JWT = {
    "uri_param_names": Field("set", ("jwt",), elements=TEXT),
    "cookie_names": Field("set", (), elements=TEXT),
    "key_claim_name": Field(default="iss"),
    "secret_is_base64": FLAG_OFF,
    "claims_to_verify": Field("set", elements=Field(one_of=("exp", "nbf"))),
    "anonymous": TEXT,
    "run_on_preflight": FLAG_ON,
    "maximum_expiration": Field("number", 0, between=(0, _YEAR)),
    "header_names": Field("set", ("authorization",), elements=TEXT),
    "realm": TEXT,
}
_KEY_AUTH = {
    "key_names": Field("array", ("apikey",), elements=TEXT, least=1),
    "hide_credentials": FLAG_OFF,
    "anonymous": TEXT,
    "key_in_header": FLAG_ON,
    "key_in_query": FLAG_ON,
    "key_in_body": FLAG_OFF,
    "run_on_preflight": FLAG_ON,
    "realm": TEXT,
}


def _edits(*parts: str, **more: Field) -> Field:
    pairs = Field("array", (), elements=TEXT)
    return Field("record", required=True, fields={**dict.fromkeys(parts, pairs), **more})


_OF_REQUEST = ("body", "headers", "querystring")
_REQUEST_TRANSFORMER = {
    "http_method": TEXT,
    "remove": _edits(*_OF_REQUEST),
    "rename": _edits(*_OF_REQUEST),
    "replace": _edits(*_OF_REQUEST, uri=TEXT),
    "add": _edits(*_OF_REQUEST),
    "append": _edits(*_OF_REQUEST),
}
_OF_RESPONSE = ("json", "headers")
_TYPES = Field("array", (), elements=Field(one_of=("boolean", "number", "string")))
_RESPONSE_TRANSFORMER = {
    "remove": _edits(*_OF_RESPONSE),
    "rename": _edits(*_OF_RESPONSE),
    **{part: _edits(*_OF_RESPONSE, json_types=_TYPES) for part in ("replace", "add", "append")},
}
_REQUEST_TERMINATION = {
    "status_code": Field("integer", 503, between=(100, 599)),
    "message": TEXT,
    "content_type": TEXT,
    "body": TEXT,
    "echo": FLAG_OFF,
    "trigger": TEXT,
}

PLUGINS: Mapping[str, Plugin] = {
    "jwt": Plugin(1450, _JWT, _wrong_expiration, of_consumer=False),
    "key-auth": Plugin(1250, _KEY_AUTH, of_consumer=False),
    "jwt-signer": Plugin(1020, {**CONFIG, **EXTRA}, wrong_headers, of_consumer=False),
    "request-transformer": Plugin(801, _REQUEST_TRANSFORMER),
    "response-transformer": Plugin(800, _RESPONSE_TRANSFORMER),
    "request-termination": Plugin(2, _REQUEST_TERMINATION),
}
AUTHENTICATES = ("jwt", "key-auth", "jwt-signer")
"""The plugins that say who the caller is, in the order they run."""
