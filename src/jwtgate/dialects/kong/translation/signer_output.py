"""The new token `jwt-signer` sends to the upstream, and the keys it is signed with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.dialect import as_name
from jwtgate.dialects.kong.keysets import DEFAULT, is_address
from jwtgate.dialects.kong.signer_fields import header_and_scheme, signs
from jwtgate.dialects.kong.translation.draft import Draft

_MOST_SHIFT = 86400
_MOST_PERIOD = 366 * 24 * 3600
_OURS = ("iss", "exp")


def issued(draft: Draft, plugin: Mapping[str, Any], token: str, *, slot: str) -> list[dict[str, Any]]:
    """The token that is made from this one; none if it is not signed."""
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    if not signs(config, token):
        return []
    header, scheme = _header(draft, config, token, place)
    shift = _shift(draft, config, token, place)
    entry: dict[str, Any] = {
        "slot": slot,
        "key": _key(draft, plugin, token, place),
        "issuer": config[f"{token}_issuer"] or DEFAULT,
        "header": header,
        "audience": "same_as_incoming",
        "lifetime": "incoming",
        "no_exp_when_incoming_has_none_for_legacy_upstream": True,
        "copy": "all",
        "also_copy": {"iss": "original_iss"},
        "copy_registered_for_legacy_upstream": True,
        **_edits(draft, config, token, place),
    }
    if scheme:
        entry["scheme"] = scheme
    if shift:
        entry["exp_shift_seconds"] = shift
    verified = config[f"verify_{token}_expiry"] and config[f"verify_{token}_introspection_expiry"]
    # How long an answer of introspection is kept is no end of the new token either.
    asked = config[f"enable_{token}_introspection"] and config[f"{token}_introspection_endpoint"]
    if shift > 0 or asked or not verified:
        entry["may_outlive_incoming_token"] = True
    if shift > 0:
        draft.notes.dangerous(f"{place}/{token}_upstream_leeway", "The new token outlives the one it is made from.")
    return [entry]


def _header(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> tuple[str, str | None]:
    header, scheme = header_and_scheme(config[f"{token}_upstream_header"])
    if scheme is not None:
        return header, {"bearer": "Bearer", "basic": "Basic"}.get(scheme.lower(), scheme)
    if header.lower() == "authorization":
        draft.notes.changed(f"{place}/{token}_upstream_header", "The token stands behind the scheme Bearer.")
        return header, "Bearer"
    return header, None


def _shift(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> int:
    asked = config[f"{token}_upstream_leeway"]
    shift = min(max(int(asked), -_MOST_SHIFT), _MOST_SHIFT)
    if shift != asked:
        draft.notes.changed(f"{place}/{token}_upstream_leeway", "Whole seconds, at most a day.")
    return shift


def _key(draft: Draft, plugin: Mapping[str, Any], token: str, place: str) -> str:
    """The name of the signing key, which stands in the document from now on."""
    config = plugin["config"]
    alg, keyset = config[f"{token}_signing_algorithm"], config[f"{token}_keyset"] or DEFAULT
    if is_address(keyset):
        name = f"{plugin['id']}-{token}"
        draft.signing_keys[name] = {"alg": alg, **_external(draft, config, token, place)}
        return name
    period = config.get(f"{token}_keyset_seamless_rotate_period")
    if period and not alg.startswith("HS"):
        name = as_name(f"{keyset}-{alg}-every-{period}")
        draft.signing_keys[name] = {"alg": alg, "rotate_every_seconds": period}
        return name
    if period:
        field = f"{place}/{token}_keyset_seamless_rotate_period"
        draft.notes.changed(field, "A secret is not shown to anybody, so nobody would know the next one.")
    name = as_name(f"{keyset}-{alg}")
    draft.signing_keys[name] = {"alg": alg, "published": False, **_kept(draft, keyset, alg)}
    return name


def _kept(draft: Draft, name: str, alg: str) -> dict[str, Any]:
    """The key of this set that signs so. The others would only be read and checked with every change, which is slow."""
    keyset = next((each for each in draft.held("keysets").values() if each["name"] == name), None)
    return {} if keyset is None else {"jwks": {"keys": [key for key in keyset["keys"] if key["alg"] == alg]}}


def _external(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> dict[str, Any]:
    own = f"{token}_keyset"
    url = config[own]
    section: dict[str, Any] = {"url": url, "published": False, **draft.reached(url, f"{place}/{own}")}
    name, password = config[f"{own}_client_username"], config[f"{own}_client_password"]
    if name and password:
        section |= {"username": name, "password": password}
    section |= draft.client_certificate(config[f"{own}_client_certificate"], f"{place}/{own}_client_certificate")
    if config[f"{own}_rotate_period"]:
        section["refresh_seconds"] = min(max(config[f"{own}_rotate_period"], 1), _MOST_PERIOD)
    return section


def _edits(draft: Draft, config: Mapping[str, Any], token: str, place: str) -> dict[str, Any]:
    """Claims set, added and removed. What is said of this token goes before what is said of both."""
    removed = config[f"remove_{token}_claims"] or ()
    both = {
        kind: {**(config[f"{kind}_claims"] or {}), **(config[f"{kind}_{token}_claims"] or {})}
        for kind in ("set", "add")
    }
    # Kong removes first, so what is removed and added again is set; ours is removed last.
    claims = {
        "set": {name: text for name, text in both["add"].items() if name in removed} | both["set"],
        "add": {name: text for name, text in both["add"].items() if name not in removed},
    }
    gone = [name for name in removed if name not in claims["set"]]
    for field, names in ((f"set_{token}_claims", both["set"]), (f"add_{token}_claims", both["add"])):
        for name in _OURS:
            if name in names:
                draft.notes.changed(f"{place}/{field}", f"{name} is as {token}_issuer and {token}_upstream_leeway say.")
    if not set(gone).isdisjoint(_OURS):
        draft.notes.changed(f"{place}/remove_{token}_claims", "iss and exp stay: whoever reads the token needs them.")
    found: dict[str, Any] = {
        kind: {name: _value(text) for name, text in named.items() if name not in _OURS}
        for kind, named in claims.items()
    }
    found["remove"] = [name for name in gone if name not in _OURS]
    return {name: value for name, value in found.items() if value}


def _value(text: str) -> dict[str, Any]:
    """The value of a claim: JSON where the text is JSON, else the text."""
    try:
        value = json.loads(text, parse_constant=_no_json)
    except ValueError:
        value = text
    return {"constant": value}


def _no_json(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
