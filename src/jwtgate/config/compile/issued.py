"""Tokens of ours, the values in them, and the keys they are signed with."""

from __future__ import annotations

from jwtgate.config.checks import signing_key
from jwtgate.config.compile.issuers import jwks_text
from jwtgate.config.expressions import compiled_expression
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.issued import IssueSection, ProfileSection, TokenSection, ToldConsumerSection
from jwtgate.config.sections.signing import SigningKeySection, SigningSection
from jwtgate.config.sections.values import ValueSection
from jwtgate.jose.algorithms import is_mac
from jwtgate.policy.provisions import (
    Encoding,
    Issue,
    IssuedHeader,
    Lifetime,
    Origin,
    ToldConsumer,
    Value,
    Writing,
)
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ClaimGenerator, Fetching, KeyText, SigningKeys


def compile_signing_keys(name: str, section: SigningKeySection) -> SigningKeys:
    """One named set of our signing keys."""
    secret = section.secret
    return SigningKeys(
        name,
        section.alg,
        file=section.file,
        url=section.url,
        secret=_secret(section, secret) if secret is not None else None,
        pem=KeyText(text=section.pem) if section.pem is not None else None,
        jwks=KeyText(text=jwks_text(section.jwks)) if section.jwks is not None else None,
        certificate_file=section.certificate_file,
        rotate_seconds=section.rotate_every_seconds,
        refresh_seconds=section.refresh_seconds,
        username=section.username,
        password=section.password,
        client_certificate_file=section.client_certificate,
        client_key_file=section.client_key,
        fetching=Fetching(ca_file=section.ca_file, insecure_http=section.insecure_http),
        published=section.published and not is_mac(section.alg),
        signs_any_claims=section.signs_any_claims_for_legacy_readers,
    )


def _secret(section: SigningKeySection, text: str) -> KeyText:
    return KeyText(
        text=text,
        alg=section.alg,
        base64url=section.base64url,
        short_secret_allowed_for_legacy_credential=section.short_secret_allowed_for_legacy_readers,
        guessable_secret_allowed_for_legacy_credential=section.guessable_secret_allowed_for_legacy_readers,
    )


def compile_issue(name: str, section: IssueSection, document: Document, *, first: str) -> Issue:
    """A token the upstream receives. `first` is the slot meant where none is named."""
    slot = section.slot or first
    prefix = section.claim_prefix
    return Issue(
        name=name,
        slot=slot,
        key=signing_key(document, section) or "",
        iss=_iss(section, document),
        audiences=section.audience,
        field=section.header.encode(),
        prefix=f"{section.scheme} " if section.scheme else "",
        typ=section.type,
        header=_header(section),
        writing=_writing(section, section.unsigned_with_alg_for_legacy_upstream),
        ttl_seconds=section.ttl_seconds,
        lifetime=Lifetime(section.lifetime),
        exp_shift_seconds=section.exp_shift_seconds,
        copy_all=section.copied == "all",
        copy_registered=section.copy_registered_for_legacy_upstream,
        exp_optional=section.no_exp_when_incoming_has_none_for_legacy_upstream,
        copy=section.also_copy if section.copied == "all" else section.copied,
        add=tuple((prefix + claim, compile_value(value, slot)) for claim, value in section.add.items()),
        set=tuple((prefix + claim, compile_value(value, slot)) for claim, value in section.set.items()),
        remove=frozenset(section.remove),
        omitted=frozenset(section.omit_for_legacy_upstream),
        generator=section.generator,
        told=tuple(_told(name, each, slot) for name, each in section.generator_told.consumers.items()),
        tells_request=section.generator_told.request,
        when=compiled_expression(section.when) if section.when is not None else None,
        may_outlive_incoming_token=section.may_outlive_incoming_token,
        reuse=section.reuse,
        reuse_margin_seconds=section.reuse_margin_seconds,
    )


def compile_profile(name: str, section: ProfileSection, document: Document) -> Issue:
    """A token that is made on request."""
    return Issue(
        name=f"profiles/{name}",
        slot="",
        key=signing_key(document, section) or "",
        iss=_iss(section, document),
        audiences=section.audience,
        field=b"",
        typ=section.type,
        header=_header(section),
        writing=_writing(section),
        ttl_seconds=section.ttl_seconds,
        set=tuple((claim, Value(Origin.CONSTANT, constant=value)) for claim, value in section.claims.items()),
        omitted=frozenset(section.omit_for_legacy_upstream),
        reuse=False,
    )


def _iss(section: TokenSection, document: Document) -> str:
    return section.issuer or (document.signing.issuer if document.signing else "")


def _header(section: TokenSection) -> IssuedHeader:
    return IssuedHeader(
        kid=section.kid,
        extra=tuple(section.headers.items()),
        x5c=section.x5c,
        x5t=section.x5t,
        x5t_s256=section.x5t_s256,
        x5t_of_hex_text=section.x5t_of_hex_text_for_legacy_upstream,
        x5t_padded=section.x5t_padded_for_legacy_upstream,
    )


def _writing(section: TokenSection, unsigned_alg: str | None = None) -> Writing:
    return Writing(
        Encoding(section.encoding_unlike_rfc7515 or "base64url"),
        first=section.first_members_for_legacy_reader,
        slashes_escaped=section.slashes_escaped_for_legacy_reader,
        exp_in_milliseconds=section.exp_in_milliseconds_for_legacy_upstream,
        jti_is_uuid=section.jti_is_uuid,
        unsigned_alg=unsigned_alg,
    )


def _told(name: str, section: ToldConsumerSection, slot: str) -> ToldConsumer:
    return ToldConsumer(name, compile_value(section.value, slot), tuple(map(ConsumerName, section.by)), section.prefix)


def compile_generators(signing: SigningSection | None) -> dict[str, ClaimGenerator]:
    """The plug-ins that add claims, by the names tokens call them by."""
    named = {} if signing is None else signing.generators
    return {name: ClaimGenerator(name, each.plug_in, each.given or None) for name, each in named.items()}


def compile_value(section: ValueSection, slot: str) -> Value:
    """Where a value comes from. `slot` is the one meant where none is named."""
    match section.origin:
        case "claim":
            return Value(Origin.CLAIM, slot=section.slot or slot, path=section.claim or ())
        case "consumer":
            return Value(Origin.CONSUMER, path=section.consumer or ())
        case "permissions":
            return Value(Origin.PERMISSIONS)
        case "header":
            return Value(Origin.FIELD, field=(section.header or "").lower().encode())
        case "path_parameter":
            return Value(Origin.PARAMETER, parameter=section.path_parameter or "")
        case "request":
            return Value(Origin(section.request))
        case "cel":
            return Value(Origin.EXPRESSION, expression=compiled_expression(section.cel or ""))
        case "language":
            return Value(Origin.LANGUAGE, language=section.compiled)
    return Value(Origin.CONSTANT, constant=section.constant)
