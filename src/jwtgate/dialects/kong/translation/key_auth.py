"""The plugin `key-auth`: a slot for the API keys of consumers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.kong.translation.answers import UNEXPECTED, challenged, says, says_with_id
from jwtgate.dialects.kong.translation.draft import Draft
from jwtgate.dialects.kong.translation.part import OF_CREDENTIAL, Part

SLOT = "key"


def part_of(draft: Draft, plugin: Mapping[str, Any]) -> Part:
    """What the plugin asks of a request."""
    config, place = plugin["config"], f"{draft.place('plugins', plugin)}/config"
    name = f"key-auth-{plugin['id']}"
    draft.issuers[name] = {"consumers": {"api_key": True}, "audience": "any"}
    if config["key_in_body"]:
        draft.notes.changed(f"{place}/key_in_body", "Bodies are not looked into before the caller is known.")
    names = config["key_names"] or ["apikey"]
    sources = [{"header": each} for each in names if config["key_in_header"]]
    sources += [{"query": each} for each in names if config["key_in_query"]]
    if config["key_in_query"]:
        draft.notes.dangerous(f"{place}/key_in_query", "Keys in addresses are logged on their way.")
    challenge = f'Key realm="{config["realm"]}"' if config["realm"] else "Key"
    refusals = {
        "credential_missing": "No API key found in request",
        "credential_repeated": "Duplicate API key found",
        "credential_malformed": "No API key found in request",
        "token_refused": "Unauthorized",
    }
    answers = {reason: challenged(says(401, message), challenge) for reason, message in refusals.items()}
    slot = {"auth": "required", "from": sources or [{"header": names[0]}], "issuers": [name]}
    return Part(
        {SLOT: slot},
        answers={**answers, "dependency_fault": says_with_id(500, UNEXPECTED)},
        headers=OF_CREDENTIAL,
        anonymous=draft.consumer(config["anonymous"]),
        skips_preflight=not config["run_on_preflight"],
        forwards=not config["hide_credentials"],
    )
