"""The table of every field of `jwt-signer` on the page about Kong, made from the fields themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.kong.fields import Field
from jwtgate.dialects.kong.signer_fields import COMMON, CONFIG, EXTRA, TOKENS

_SAME = "as in Kong"
_UNFIT = "a `username` with blanks, quotes or other letters than ASCII is not found"
_MEANT: Mapping[str, str] = {
    "realm": "as in Kong; the host of the request without it",
    "enable_hs_signatures": "taken, and without effect: tokens signed with a shared secret stay refused",
    "enable_instrumentation": "taken, and without effect: see the access log and `jwtgate explain`",
    "add_claims": "as in Kong; JSON text becomes its value",
    "set_claims": "as in Kong; JSON text becomes its value; not `iss` and `exp`",
    "{t}_request_header": "as in Kong, with `:bearer` and `:basic`; `Authorization` alone takes both",
    "verify_{t}_signature": "as in Kong; off, anybody can make the tokens: dangerous",
    "{t}_jwks_uri_rotate_period": "as in Kong; 0: every five minutes. What is not known is fetched at once, though no "
    "more often than every 30 seconds",
    "{t}_endpoints_ssl_verify": "taken, and without effect: certificates are always verified, also against "
    "`lua_ssl_trusted_certificate`",
    "{t}_leeway": "as in Kong, in whole seconds",
    "verify_{t}_expiry": "as in Kong; off, tokens are good for ever: dangerous",
    "{t}_audiences_allowed": "as in Kong; one value in common is enough",
    "{t}_scopes_required": "as in Kong: words of an entry together, entries as alternatives",
    "{t}_introspection_body_args": "as in Kong; an argument without a value is not sent",
    "{t}_introspection_hint": "as in Kong, sent as `token_type_hint`",
    "{t}_introspection_timeout": "as in Kong, for each of the two attempts; 5 seconds without it, at most 60",
    "{t}_introspection_leeway": "as in Kong, in whole seconds",
    "cache_{t}_introspection": "as in Kong; an answer is used for a minute, and never beyond the token's end",
    "{t}_consumer_by": f"as in Kong; {_UNFIT}",
    "{t}_introspection_consumer_by": f"as in Kong; {_UNFIT}",
    "{t}_signing_algorithm": "as in Kong, and `RS384`",
    "{t}_upstream_header": "as in Kong; in `Authorization` the token always stands behind a scheme",
    "{t}_upstream_leeway": "as in Kong, in whole seconds, at most a day",
    "original_{t}_upstream_header": "as in Kong, without a scheme",
    "set_{t}_claims": "as in Kong, before `set_claims`; not `iss` and `exp`",
    "add_{t}_claims": "as in Kong, before `add_claims`",
    "remove_{t}_claims": "as in Kong; `iss` and `exp` stay",
}
_EXTRA: Mapping[str, str] = {
    "reason_header": "a header of every refusal with its reason, such as `token_expired`",
    "{t}_issuers": "several issuers: their `iss`, and where the keys of each are",
    "{t}_claims_to_headers": "header fields for the upstream, and the path of the claim each holds",
    "{t}_keyset_seamless_rotate_period": "the gateway makes the keys, shows each on the proxy at "
    "`/.well-known/jwks.json` before it is used, and changes it after so many seconds",
    "{t}_introspection_hint_parameter": "`hint`, for an endpoint that reads it under that name",
}


def signer_table() -> str:
    """The fields of Kong's, those of both tokens first, and after them ours. `{t}` stands for either token."""
    lines = ["| field | type | default | here |", "| --- | --- | --- | --- |", *_rows(CONFIG, _MEANT)]
    ours = ["| field | type | here |", "| --- | --- | --- |"]
    for name, sentence in _EXTRA.items():
        ours.append(f"| `{name}` | {_kind(EXTRA[name.replace('{t}', TOKENS[0])])} | {sentence} |")
    return "\n".join((*lines, "", "Ours beside Kong's:", "", *ours))


def _rows(fields: Mapping[str, Field], meant: Mapping[str, str]) -> Iterator[str]:
    for name, field in fields.items():
        if TOKENS[1] in name:
            continue
        template = name if name in COMMON else name.replace(TOKENS[0], "{t}")
        others = fields[name.replace(*TOKENS)].default
        default = _shown(field.default)
        if others != field.default:
            default = f"{default}; channel: {_shown(others) or 'none'}"
        yield f"| `{template}` | {_kind(field)} | {default} | {meant.get(template, _SAME)} |"


def _shown(default: Any) -> str:
    if default is None:
        return ""
    return f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def _kind(field: Field) -> str:
    if field.elements is not None:
        return f"{field.kind} of {_kind(field.elements)}"
    return "certificate" if field.kind == "foreign" else field.kind
