"""The plugin `jwt`: a slot for tokens of consumers, and Kong's answer to everything that can be wrong with one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.kong.translation.answers import (
    UNEXPECTED,
    Answers,
    bearer,
    challenged,
    json_text,
    says,
    says_with_id,
)
from jwtgate.dialects.kong.translation.draft import Draft
from jwtgate.dialects.kong.translation.part import OF_CREDENTIAL, Part

SLOT = "jwt"
_PARAMETER = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_MESSAGES: Mapping[str, str] = {
    "credential_repeated": "Multiple tokens provided",
    "credential_malformed": "Unrecognizable token",
    "token_refused": "Unauthorized",
    "token_malformed": "Bad token; invalid JSON",
    "token_encrypted": "Bad token; invalid JSON",
    "alg_unreadable": "Bad token; invalid alg",
    "claims_unreadable": "Bad token; invalid claims",
    "signature_unreadable": "Bad token; invalid signature",
    "credential_not_named": "No mandatory '{claim}' in claims",
    "credential_name_malformed": "Invalid '{claim}' in claims",
    "credential_unknown": "No credentials found for given '{claim}'",
    "alg_not_allowed": "Invalid algorithm",
    "key_unknown": "Invalid key/secret",
    "credential_unresolved": "Invalid key/secret",
    "signature_wrong": "Invalid signature",
}
_OF_TIMES = ("token_expired", "token_not_yet_valid", "time_missing", "time_malformed", "time_in_milliseconds")
_EXP = """refusal.exp == 'token_expired' ? '"exp":"token expired"' :
 refusal.exp.startsWith('time_') ? '"exp":"must be a number"' : ''"""
_NBF = """refusal.nbf == 'token_not_yet_valid' ? '"nbf":"token not valid yet"' :
 refusal.nbf.startsWith('time_') ? '"nbf":"must be a number"' : ''"""
_BOTH = "refusal.nbf != '' && (refusal.exp == 'token_expired' || refusal.exp.startsWith('time_')) ? ',' : ''"
# Kong tells of both times at once.
_TIMES = {"cel": f"'{{' + ({_EXP}) + ({_BOTH}) + ({_NBF}) + '}}'"}


def part_of(draft: Draft, plugin: Mapping[str, Any]) -> Part:
    """What the plugin asks of a request."""
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    name = f"jwt-{plugin['id']}"
    draft.issuers[name] = _issuer(draft, config, place)
    slot = {
        "auth": "required",
        "from": _sources(draft, config, place),
        "issuers": [name],
        "equal_tokens_count_once_for_legacy_clients": True,
    }
    return Part(
        {SLOT: slot},
        answers=_answers(config),
        headers=OF_CREDENTIAL,
        anonymous=draft.consumer(config["anonymous"]),
        skips_preflight=not config["run_on_preflight"],
        forwards=True,
    )


def _issuer(draft: Draft, config: Mapping[str, Any], place: str) -> dict[str, Any]:
    claim = config["key_claim_name"] or "iss"
    verified = config["claims_to_verify"] or ()
    named: dict[str, Any] = {"claim": [claim], "header": claim}
    if config["secret_is_base64"]:
        named["base64_for_legacy_credentials"] = True
    issuer: dict[str, Any] = {
        "consumers": named,
        "audience": "any",
        "leeway_seconds": 0,
        "iat_not_looked_at_for_legacy_tokens": True,
    }
    if "exp" not in verified:
        issuer["exp_not_looked_at_for_legacy_tokens"] = True
        issuer["exp_optional_for_legacy_tokens"] = True
        draft.notes.dangerous(f"{place}/claims_to_verify", "Tokens without exp, or beyond it, are accepted.")
    if "nbf" not in verified:
        issuer["nbf_not_looked_at_for_legacy_tokens"] = True
    else:
        issuer["nbf_required"] = True
    if config["maximum_expiration"]:
        issuer["max_remaining_seconds"] = int(config["maximum_expiration"])
    return issuer


def _sources(draft: Draft, config: Mapping[str, Any], place: str) -> list[dict[str, Any]]:
    readable = [name for name in config["uri_param_names"] or () if _PARAMETER.fullmatch(name)]
    if len(readable) < len(config["uri_param_names"] or ()):
        draft.notes.changed(f"{place}/uri_param_names", "One whose name can be written in several ways is not read.")
    if readable:
        draft.notes.dangerous(f"{place}/uri_param_names", "Tokens in addresses are logged on their way.")
    fields = [
        {"header": name, "prefix": ["Bearer ", "bearer "], "blanks_after_prefix": True}
        for name in config["header_names"] or ()
    ]
    cookies = [{"cookie": name} for name in config["cookie_names"] or ()]
    return [*({"query": name} for name in readable), *cookies, *fields] or [{"header": "authorization"}]


def _answers(config: Mapping[str, Any]) -> Answers:
    realm, claim = config["realm"], config["key_claim_name"] or "iss"
    invalid = bearer(realm, "invalid_token")
    answers: Answers = {
        "credential_missing": challenged(says(401, "Unauthorized"), bearer(realm, None)),
        "dependency_fault": says_with_id(500, UNEXPECTED),
    }
    for reason, message in _MESSAGES.items():
        answers[reason] = challenged(says(401, message.replace("{claim}", claim)), invalid)
    answers["credential_unresolved"]["fault_may_answer_401_for_legacy_clients"] = True
    too_long = json_text(exp="exceeds maximum allowed expiration")
    answers["token_lives_too_long"] = challenged({**says(401, ""), "body": too_long}, invalid)
    for reason in _OF_TIMES:
        answers[reason] = challenged({**says(401, ""), "body": _TIMES}, invalid)
    return answers
