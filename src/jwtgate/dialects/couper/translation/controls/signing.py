"""What `jwt_sign` of an expression signs with: profiles, and access controls that sign as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.couper.reading.configuration import Jwt, Secret
from jwtgate.dialects.couper.translation.controls.keys import key_of, secret_of
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.dialect import as_name
from jwtgate.dialects.secrets import leniencies


def know_signers(draft: Draft) -> None:
    """Know every label of `jwt_sign`, and the keys they sign with."""
    for label, profile in draft.configuration.profiles.items():
        texts = (("claims", profile.claims), ("headers", profile.headers))
        more = {name: text.source for name, text in texts if text is not None}
        _signs(draft, label, profile.key, alg=profile.signature_algorithm, ttl=profile.ttl, more=more)
    for label, control in draft.configuration.access_controls.items():
        if isinstance(control, Jwt) and control.signing_ttl is not None and control.signing_key is not None:
            more = {} if control.claims is None else {"claims": control.claims.source}
            alg = control.signature_algorithm or ""
            _signs(draft, label, control.signing_key, alg=alg, ttl=control.signing_ttl, more=more)


def _signs(draft: Draft, label: str, key: Secret, *, alg: str, ttl: float, more: Mapping[str, Any]) -> None:
    name = as_name(label)
    section: Section = {"alg": alg, "signs_any_claims_for_legacy_readers": True}
    if alg.startswith("HS"):
        lenient = leniencies(key.value, alg)
        section |= secret_of(key)
        section |= {name.replace("credential", "readers"): told for name, told in lenient.items()}
    else:
        section |= {**key_of(key), "published": False}
    draft.signing_keys[name] = section
    draft.profiles[label] = {"key": name, "ttl_seconds": int(ttl), **more}
