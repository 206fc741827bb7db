"""Where we are administered and where secrets are kept, as the plan has it."""

from __future__ import annotations

from jwtgate.config.sections.administration import AdminSection
from jwtgate.config.sections.secret_stores import SecretStoreSection
from jwtgate.config.sections.section import parse_address
from jwtgate.policy.sources import Administration, Operator, SecretStore


def compile_administration(section: AdminSection) -> Administration:
    """Where the Admin API listens and who may use it."""
    host, port = parse_address(section.listen)
    operators = (
        Operator(name, operator.token_sha256, operator.certificate, operator.may_write)
        for name, operator in section.operators.items()
    )
    tls = section.tls
    return Administration(
        host=host,
        port=port,
        operators=tuple(operators),
        certificate_file=tls.certificate if tls else None,
        private_key_file=tls.private_key if tls else None,
        client_ca_file=tls.client_ca if tls else None,
        page=section.page,
    )


def compile_secret_store(name: str, section: SecretStoreSection) -> SecretStore:
    """One place secrets are kept. Its settings are those of the document, defaults filled in."""
    settings = getattr(section, section.kind).model_dump(exclude_none=True)
    return SecretStore(
        name, section.kind, settings, section.refresh_seconds, section.max_stale_seconds, section.may_be_away
    )
