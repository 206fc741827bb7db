"""The plugin `jwt-signer`: a slot and its issuers for each of the two tokens, and Kong's answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.kong.signer_fields import TOKENS, header_and_scheme
from jwtgate.dialects.kong.translation.answers import (
    UNEXPECTED,
    Answers,
    bearer,
    bearer_of_host,
    challenged,
    says,
)
from jwtgate.dialects.kong.translation.draft import Draft
from jwtgate.dialects.kong.translation.part import IDENTITY, Part
from jwtgate.dialects.kong.translation.signer_issuers import issuers_of
from jwtgate.dialects.kong.translation.signer_output import issued

_SCHEMES = {"bearer": ("Bearer ", "bearer "), "basic": ("Basic ", "basic ")}


def part_of(draft: Draft, plugin: Mapping[str, Any]) -> Part:
    """What the plugin asks of a request, and what the upstream receives."""
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    _note(draft, config, place)
    slots, issue, headers, broken = {}, [], {}, False
    for token in TOKENS:
        sources = list(_sources(config[f"{token}_request_header"]))
        if not sources:
            broken = broken or not config[f"{token}_optional"]
            continue
        slot = token.removesuffix("_token")
        slots[slot] = _slot(draft, plugin, token, sources)
        issue.extend(issued(draft, plugin, token, slot=slot))
        headers.update(_claims_to_headers(config, token, slot))
    if any(config[f"{token}{kind}_consumer_claim"] for token in TOKENS for kind in ("", "_introspection")):
        headers.update(IDENTITY)
    return Part(slots, answers=_answers(config, broken=broken), headers=headers, issue=tuple(issue), broken=broken)


def _note(draft: Draft, config: Mapping[str, Any], place: str) -> None:
    if config["enable_hs_signatures"]:
        draft.notes.changed(
            f"{place}/enable_hs_signatures",
            "Tokens signed with a shared secret stay refused: a secret is never fetched.",
        )
    if config["enable_instrumentation"]:
        draft.notes.changed(f"{place}/enable_instrumentation", "The access log and `jwtgate explain` say it instead.")
    for token in TOKENS:
        if not config[f"{token}_request_header"] and not config[f"{token}_optional"]:
            draft.notes.changed(
                f"{place}/{token}_optional",
                f"Every request fails with 500: {token}_request_header does not say where the token is.",
            )


def _sources(text: str | None) -> Iterator[dict[str, Any]]:
    """Where the token stands: a field, with one scheme, or for `Authorization` with either."""
    name, scheme = header_and_scheme(text)
    if not name:
        return
    if scheme is None and name.lower() != "authorization":
        yield {"header": name}
        return
    given = (scheme.lower(),) if scheme else tuple(_SCHEMES)
    prefixes = [prefix for each in given for prefix in _SCHEMES.get(each, (f"{scheme} ",))]
    yield {"header": name, "prefix": prefixes, "blanks_after_prefix": True}


def _slot(draft: Draft, plugin: Mapping[str, Any], token: str, sources: list[dict[str, Any]]) -> dict[str, Any]:
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    slot: dict[str, Any] = {
        "auth": "optional" if config[f"{token}_optional"] else "required",
        "from": sources,
        "issuers": issuers_of(draft, plugin, token),
        **_asked(config, token),
    }
    if config[f"{token}_introspection_endpoint"] and config[f"enable_{token}_introspection"]:
        slot["introspected"] = _asked(config, f"{token}_introspection")
    original, scheme = header_and_scheme(config[f"original_{token}_upstream_header"])
    if original:
        slot["original_header"] = original
        draft.notes.dangerous(
            f"{place}/original_{token}_upstream_header", "The upstream can use the caller's own token."
        )
    if scheme:
        draft.notes.changed(f"{place}/original_{token}_upstream_header", "The token stands there without a scheme.")
    return slot


def _asked(config: Mapping[str, Any], own: str) -> dict[str, Any]:
    """The scope and the consumer that are asked of a token."""
    asked: dict[str, Any] = {}
    scopes = [" ".join(entry.split()) for entry in config[f"{own}_scopes_required"] or () if entry.split()]
    if config[f"verify_{own}_scopes"] and scopes:
        asked["scope"] = {"any": scopes, "claim": list(config[f"{own}_scopes_claim"])}
    if config[f"{own}_consumer_claim"]:
        by = [_BY[each] for each in config[f"{own}_consumer_by"]]
        asked["consumer"] = {"claim": [list(config[f"{own}_consumer_claim"])], "by": list(dict.fromkeys(by))}
    return asked


_BY = {"id": "id", "username": "name", "custom_id": "external_id"}


def _claims_to_headers(config: Mapping[str, Any], token: str, slot: str) -> dict[str, Any]:
    named = config.get(f"{token}_claims_to_headers") or {}
    return {name: {"claim": list(path), "slot": slot} for name, path in named.items()}


def _answers(config: Mapping[str, Any], *, broken: bool) -> Answers:
    def challenge(error: str | None) -> Any:
        return bearer(config["realm"], error) if config["realm"] else bearer_of_host(error)

    unauthorized = challenged(says(401, "Unauthorized"), challenge("invalid_token"))
    failed = challenged(says(500, UNEXPECTED), challenge(None))
    forbidden = challenged(says(403, "Forbidden"), challenge("insufficient_scope"))
    answers = {
        "credential_missing": challenged(says(401, "Unauthorized"), challenge(None)),
        "credential_repeated": unauthorized,
        "credential_malformed": unauthorized,
        "token_refused": unauthorized,
        "scope_refused": forbidden,
        "consumer_unknown": forbidden,
        "introspection_unreachable": {**unauthorized, "fault_may_answer_401_for_legacy_clients": True},
        "dependency_fault": failed,
        # What is let in although a token can stand nowhere; see `Part.broken`.
        **({"condition_not_met": failed} if broken else {}),
    }
    told = config.get("reason_header")
    if not told:
        return answers
    return {
        reason: {**answer, "headers": {**answer["headers"], told: {"refusal": "reason"}}}
        for reason, answer in answers.items()
    }
