"""The keys of tenants: what signs, the certificate that names it, and what of it is published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jwtgate.dialects.certificate import self_signed_rsa, subject_and_serial
from jwtgate.dialects.dialect import Objects, Settings, as_name
from jwtgate.dialects.wso2.tokens.given import SUPER_TENANT
from jwtgate.dialects.wso2.translation.draft import Draft, is_pem, pem_file
from jwtgate.errors import ConfigError, KeyRefused
from jwtgate.jose.encoding import base64url_encode
from jwtgate.jose.key import Key

MADE = "tenant_keys"
DEFAULT_KEY = "default"
_DAYS = 3650


def completed(objects: Objects) -> Objects:
    """The objects with a key for the super tenant, if they bring none: made once, with a certificate of its own."""
    has_own = any(tenant["domain"] == SUPER_TENANT and "signing_key" in tenant for tenant in objects.get("tenants", ()))
    if has_own or SUPER_TENANT in objects.get(MADE, {}):
        return objects
    certificate, key = self_signed_rsa("localhost", now=datetime.now(UTC), days=_DAYS)
    made = {"signing_key": key.decode(), "certificate": certificate.decode()}
    return {**objects, MADE: {**objects.get(MADE, {}), SUPER_TENANT: made}}


def pem_files(objects: Objects, settings: Settings) -> Iterator[Path]:
    """The files with keys and certificates that these objects name."""
    for each in (*objects.get("tenants", ()), *objects.get("issuers", ())):
        named = (each.get(name) or "" for name in ("signing_key", "certificate"))
        yield from (pem_file(name, each["_file"], settings) for name in named if name and not is_pem(name))


class TenantKeys:
    """The keys of a document, by tenant."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._sections: dict[str, dict[str, Any]] = {}
        self._published: dict[str, Mapping[str, Any]] = {}
        domains = [tenant["domain"] for tenant in draft.objects["tenants"]]
        if len({*domains}) < len(domains):
            raise ConfigError("tenants: two have the same domain.")
        for domain, signing_key, certificate in self._given():
            self._add(domain, signing_key, certificate)
        if DEFAULT_KEY not in self._sections:
            draft.changed("tenants/carbon.super", "It has no signing_key: one is made here, without a certificate.")
            self._sections[DEFAULT_KEY] = {"alg": "RS256"}

    @property
    def sections(self) -> dict[str, dict[str, Any]]:
        """What stands in the document, by the name of each key."""
        return self._sections

    @property
    def are_certified(self) -> bool:
        """Whether what signs has a certificate that can be named."""
        return SUPER_TENANT in self._published

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants with a key of their own."""
        return tuple(self._published)

    def published(self, domain: str) -> dict[str, Any]:
        """The JWK Set of a tenant."""
        return {"keys": [self._published[domain]]}

    def _given(self) -> Iterator[tuple[str, str, str]]:
        draft = self._draft
        made = draft.objects.get(MADE, {}).get(SUPER_TENANT)
        if made is not None:
            yield SUPER_TENANT, made["signing_key"], made["certificate"]
        for tenant in draft.objects["tenants"]:
            place = f"tenants/{tenant['domain']}"
            if "signing_key" not in tenant:
                if tenant["domain"] != SUPER_TENANT and draft.configuration.tenant_signing:
                    draft.refused(place, "It has no signing_key, which tokens of its users are to be signed with.")
                continue
            if "certificate" not in tenant:
                raise ConfigError(f"{tenant['_file']}: {place}: needs certificate beside signing_key.")
            draft.exact(f"{place}/signing_key")
            key, certificate = (
                draft.pem(tenant[name], tenant["_file"], f"{place}/{name}") for name in ("signing_key", "certificate")
            )
            yield tenant["domain"], key, certificate

    def _add(self, domain: str, signing_key: str, certificate: str) -> None:
        try:
            subject, serial = subject_and_serial(certificate.encode())
            kid = base64url_encode(f"{subject}#{serial}".encode())
            jwk = {**Key.from_pem(signing_key.encode()).to_private_jwk(), "kid": kid, "alg": "RS256", "use": "sig"}
        except (KeyRefused, ValueError):
            raise ConfigError(f"tenants/{domain}: the signing_key or its certificate cannot be read.") from None
        if jwk["kty"] != "RSA":
            raise ConfigError(f"tenants/{domain}: SHA256withRSA signs with a key for RSA.")
        shown = {name: jwk[name] for name in ("kty", "e", "use", "kid", "alg", "n")}
        self._published[domain] = shown
        self._sections[key_name(domain)] = {
            "alg": "RS256",
            "file": self._draft.file(json.dumps(jwk), "jwk"),
            "certificate_file": self._draft.file(certificate, "crt"),
            "published": domain == SUPER_TENANT,
        }


def key_name(domain: str) -> str:
    """What the signing key of a tenant is called in the document."""
    return DEFAULT_KEY if domain == SUPER_TENANT else as_name(domain)
