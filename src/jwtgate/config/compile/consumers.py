"""Consumers as they are kept: each with its credentials, whose keys are still text."""

from __future__ import annotations

from jwtgate.config.compile.issuers import jwks_text
from jwtgate.config.compile.rate_limits import compile_rate_limit
from jwtgate.config.sections.callers.consumers import (
    ConsumerSection,
    CredentialSection,
    PublishedKeysSection,
    as_base64url,
    derived_id,
)
from jwtgate.policy.callers import Consumer, api_key_name
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeysAddress, KeyText


def compile_consumer(name: str, section: ConsumerSection) -> ConsumerSource:
    """One consumer."""
    consumer = Consumer(
        name,
        section.id or derived_id(name),
        section.external_id,
        groups=section.groups,
        labels=section.labels,
        attributes=section.attributes,
        rate_limit=compile_rate_limit(section.rate_limit, ""),
    )
    credentials = (_credential(key, credential, name) for key, credential in section.credentials.items())
    return ConsumerSource(consumer, tuple(credentials))


def _credential(name: str, section: CredentialSection, consumer: str) -> CredentialSource:
    found_by = section.named if section.api_key is None else section.api_key
    refers = found_by is not None and "${" in found_by
    is_api_key = section.api_key is not None
    return CredentialSource(
        name=name,
        id=section.id or derived_id(consumer, name),
        consumer=consumer,
        alg=section.alg or "",
        key=None if is_api_key or section.keys is not None else _key(section),
        private_key=KeyText(text=section.private_key) if section.private_key is not None else None,
        leeway_seconds=section.leeway_seconds,
        ttl_seconds=section.ttl_seconds,
        key_claim=section.key_claim,
        labels=section.labels,
        named=None if refers or found_by is None else api_key_name(found_by) if is_api_key else found_by,
        refers=found_by if refers else None,
        is_api_key=is_api_key,
        may_wait=section.may_wait_for_its_secrets,
        claims=section.claims,
        address=None if section.keys is None else _address(section.keys),
    )


def _address(section: PublishedKeysSection) -> KeysAddress:
    return KeysAddress(
        section.url,
        section.username,
        section.password,
        client_certificate_file=section.client_certificate,
        client_key_file=section.client_key,
        refresh_seconds=section.refresh_seconds,
        ca_file=section.ca_file,
        insecure_http=section.insecure_http,
    )


def _key(section: CredentialSection) -> KeyText:
    if section.secret is None:
        text = section.public_key if section.jwks is None else jwks_text(section.jwks)
        return KeyText(file=section.file, text=text)
    written_out = section.base64 and "${" not in section.secret
    return KeyText(
        text=as_base64url(section.secret) if written_out else section.secret,
        alg=section.alg,
        base64url=section.base64,
        short_secret_allowed_for_legacy_credential=section.short_secret_allowed_for_legacy_credential,
        guessable_secret_allowed_for_legacy_credential=section.guessable_secret_allowed_for_legacy_credential,
    )
