"""The access controls of an endpoint as slots: where each looks for its token, and what it asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jwtgate.dialects.couper.reading.configuration import AccessControl, BasicAuth, Jwt, Source
from jwtgate.dialects.couper.translation.answers import Surface, of_slot
from jwtgate.dialects.couper.translation.controls.issuers import PUBLIC_ALGORITHMS, has_one_basic_auth, issuer_of
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.couper.translation.notebook import place_of
from jwtgate.dialects.couper.translation.values import Around, reads_body, special, value_of
from jwtgate.dialects.dialect import as_name

_BASIC = """to_lower(substr(default(request.headers.authorization, ""), 0, 6)) == "basic "
 ? "{name} ${{trim(substr(request.headers.authorization, 6, -1))}}" : null"""


def slots_of(draft: Draft, labels: Sequence[str], surface: Surface) -> dict[str, Section]:
    """The slots of these access controls, by our names, in their order."""
    slots: dict[str, Section] = {}
    private = False
    for index, label in enumerate(labels):
        control = draft.control(label)
        private = private or is_private(control)
        around = replace(surface.around, labels=tuple(labels[: index + 1]))
        slot = _slot(draft, control, around)
        slot["answers"] = of_slot(draft, replace(surface, around=around, private=private), control)
        slots[as_name(label)] = slot
    return slots


def share_a_place(slots: dict[str, Section]) -> bool:
    """Whether several of these look for their credential at the same place."""
    places = [repr(slot.get("from", "dpop")) for slot in slots.values()]
    return len(set(places)) < len(places)


def is_private(control: AccessControl) -> bool:
    """Whether answers to who was asked this are for one caller alone."""
    return isinstance(control, Jwt) and not control.disable_private_caching


def reads_body_first(draft: Draft, labels: Sequence[str]) -> bool:
    """Whether one of these looks at the body of a request before it is known whose request it is."""
    controls = [draft.control(label) for label in labels]
    found = [control for control in controls if isinstance(control, Jwt)]
    return reads_body(text for each in found for text in (each.token_value, each.claims, each.custom_log_fields))


def _slot(draft: Draft, control: AccessControl, around: Around) -> Section:
    slot: Section = {
        "auth": "required",
        **_sources(draft, control, around),
        "issuers": [issuer_of(draft, control.label)],
        "private_responses": is_private(control),
    }
    if "dpop" not in slot:
        slot["first_source_wins_for_legacy_clients"] = True
        slot["empty_counts_as_absent_for_legacy_clients"] = True
    if not isinstance(control, Jwt):
        return slot
    if control.claims is not None:
        slot["claims_equal"] = value_of(draft, control.claims, around)
    if control.introspection is not None:
        slot["introspect"] = "jwt_additionally"
    return slot


def _sources(draft: Draft, control: AccessControl, around: Around) -> Section:
    """Where the credential stands."""
    if isinstance(control, Jwt) and control.source is Source.DPOP:
        told = {
            "algorithms": list(PUBLIC_ALGORITHMS),
            "most_age_seconds": 10,
            "replay_not_refused_for_legacy_clients": True,
            "ec_keys_may_be_called_ecdsa_for_legacy_clients": True,
        }
        return {"dpop": told}
    return {"from": [_source(draft, control, around)]}


def _source(draft: Draft, control: AccessControl, around: Around) -> Section:
    if isinstance(control, BasicAuth):
        if has_one_basic_auth(draft.configuration):
            return {"scheme": "Basic"}
        return {"value": special(_BASIC.format(name=as_name(control.label)))}
    match control.source:
        case Source.COOKIE:
            return {"cookie": control.source_name}
        case Source.HEADER:
            return {"header": control.source_name.lower()}
        case Source.VALUE if control.token_value is not None:
            if "query" in control.token_value.source:
                draft.notes.dangerous(
                    f"{place_of(control)}/token_value", "Tokens in addresses are logged on their way."
                )
            return {"value": value_of(draft, control.token_value, around)}
    return {"scheme": "Bearer"}
