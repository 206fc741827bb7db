"""Issuers and what is asked of their tokens, and where their keys and their answers come from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from jwtgate.config.patterns import Pattern
from jwtgate.config.sections.callers.grants import GrantsSection
from jwtgate.config.sections.callers.introspection import ClientAssertionSection, IntrospectionSection
from jwtgate.config.sections.claims import ClaimRuleSection
from jwtgate.config.sections.issuers import IssuerSection, KeysSection
from jwtgate.policy.requirements import (
    ClaimPath,
    ClaimRule,
    Comparison,
    CredentialLookup,
    Grants,
    Introspection,
    Issuer,
    TimeClaims,
    Times,
)
from jwtgate.policy.sources import ClientAssertion, ClientAuth, Fetching, IntrospectionSource, KeySource, KeyText

_CLIENT_AUTH = {
    "none": ClientAuth.NONE,
    "basic": ClientAuth.BASIC,
    "post": ClientAuth.POST,
    "client_secret_jwt": ClientAuth.SECRET_JWT,
    "private_key_jwt": ClientAuth.PRIVATE_KEY_JWT,
    "authorization": ClientAuth.AUTHORIZATION,
}


def compile_issuer(name: str, section: IssuerSection) -> Issuer:
    """What every token of this issuer must satisfy."""
    return Issuer(
        name=name,
        iss=section.issuer,
        algorithms=frozenset(section.algorithms or ()),
        audiences=None if section.audience is None else frozenset(section.audience),
        types=frozenset(section.type or ()),
        type_optional=section.type_optional,
        times=_times(section),
        rules=compile_rules(section.claims),
        keys_tried_without_kid=section.keys_tried_without_kid,
        local_keys=_holds_keys(section.keys),
        refuse_header_addresses=section.refuse_header_addresses,
        signature_unverified=section.signature_not_verified_for_legacy_issuer,
        keys_again=section.keys_fetched_again_after_wrong_signature,
        keys_by_kid_alone=section.keys_by_kid_alone,
        malformed_is_absent=section.malformed_claims_count_as_absent_for_legacy_tokens,
        credentials=_lookup(section),
        introspection=_answers(section, section.introspection) if section.introspection else None,
        grants=_grants(section.permissions) if section.permissions else None,
    )


def _times(section: IssuerSection) -> Times:
    unread = section.exp_not_looked_at_for_legacy_tokens
    # An API key that says no end is good as long as it is there.
    endless = section.exp_optional_for_legacy_tokens or section.takes_api_keys
    return Times(
        leeway_seconds=section.leeway_seconds,
        exp_required=not (endless or unread),
        max_age_seconds=section.max_age_seconds,
        max_lifetime_seconds=section.max_lifetime_seconds,
        max_remaining_seconds=section.max_remaining_seconds,
        held_in=_held_in(
            None if unread else section.exp_claim,
            None if section.nbf_not_looked_at_for_legacy_tokens else section.nbf_claim,
            None if section.iat_not_looked_at_for_legacy_tokens else _USUAL.iat,
            nbf_required=section.nbf_required,
        ),
        exp_zero_is_none=section.exp_zero_counts_as_none_for_legacy_tokens,
    )


_USUAL = TimeClaims()


def _held_in(
    exp: ClaimPath | None, nbf: ClaimPath | None, iat: ClaimPath | None, *, nbf_required: bool = False
) -> TimeClaims | None:
    found = TimeClaims(exp, nbf, iat, nbf_required)
    return None if found == _USUAL else found


def compile_rules(sections: Iterable[ClaimRuleSection]) -> tuple[ClaimRule, ...]:
    """Rules about claims."""
    return tuple(map(_rule, sections))


def _rule(section: ClaimRuleSection) -> ClaimRule:
    path, if_present = section.claim, section.if_present
    match section.asked:
        case "required":
            return ClaimRule(path, Comparison.PRESENT)
        case "equals":
            return ClaimRule(path, Comparison.EQUALS, (section.equals,), if_present=if_present)
        case "one_of":
            return ClaimRule(path, Comparison.ONE_OF, section.one_of, if_present=if_present)
        case "contains":
            return ClaimRule(path, Comparison.CONTAINS, (section.contains,), if_present=if_present)
        case "any_of":
            return ClaimRule(path, Comparison.ANY_OF, section.any_of, if_present=if_present)
    return ClaimRule(path, Comparison.MATCHES, pattern=Pattern(section.matches or ""), if_present=if_present)


def _lookup(section: IssuerSection) -> CredentialLookup | None:
    named = section.consumers
    if named is None:
        return None
    is_key, base64 = named.api_key is not None, named.base64_for_legacy_credentials
    return CredentialLookup(named.claim, named.header, api_key=is_key, base64=base64)


def _answers(issuer: IssuerSection, section: IntrospectionSection) -> Introspection:
    leeway = issuer.leeway_seconds if section.leeway_seconds is None else section.leeway_seconds
    audiences = section.audience or issuer.audience
    return Introspection(
        times=Times(
            leeway,
            section.exp_required,
            section.max_age_seconds,
            section.max_lifetime_seconds,
            held_in=_held_in(
                None if section.exp_not_looked_at_for_legacy_issuer else _USUAL.exp,
                None if section.nbf_not_looked_at_for_legacy_issuer else _USUAL.nbf,
                None if section.iat_not_looked_at_for_legacy_issuer else _USUAL.iat,
            ),
        ),
        audiences=None if audiences is None else frozenset(audiences),
        moved=tuple(section.claims.items()),
        jwt_claim=section.jwt_claim,
        rules=compile_rules(section.rules),
        hint=section.hint,
        active_kept=section.active_kept_for_legacy_upstream,
        inner_unchecked=section.inner_claims_not_checked_for_legacy_issuer,
    )


def _grants(section: GrantsSection) -> Grants:
    return Grants(section.claim, section.roles_claim, section.of_role, section.of_permission)


def compile_key_source(name: str, section: IssuerSection) -> KeySource:
    """Where the keys of an issuer that signs its tokens come from."""
    keys = section.keys
    algorithms = section.algorithms or ()
    return KeySource(
        issuer=name,
        iss=section.issuer or "",
        algorithms=frozenset(algorithms),
        local=(_key_text(section, keys),) if keys and _holds_keys(keys) else (),
        url=keys.url if keys else None,
        discovery=_discovery(keys),
        refresh_seconds=section.refresh_seconds,
        max_stale_seconds=section.refresh_seconds + section.max_stale_seconds,
        fetching=_fetching(section),
        empty_set_allowed=section.empty_key_set_allowed,
        fetched_for_unknown_kid=section.keys_fetched_for_unknown_kid,
        use_required=section.keys_must_say_use,
        serves_every_algorithm=section.keys_without_alg_serve_every_algorithm,
        first_of_a_kid=section.keys_by_kid_alone,
        unusable_skipped=keys.unusable_skipped if keys else False,
        certificates_first=keys.certificates_first if keys else False,
        any_media_type=keys.any_media_type if keys else False,
        refreshed_early=section.key_set_refreshed_early,
        saved=section.key_set_saved,
        required_at_start=section.key_set_required_at_start,
        fields=tuple(keys.headers.items()) if keys else (),
        username=keys.username if keys else None,
        password=keys.password if keys else None,
        client_certificate_file=keys.client_certificate if keys else None,
        client_key_file=keys.client_key if keys else None,
    )


def _fetching(section: IssuerSection) -> Fetching:
    return Fetching(
        ca_file=section.ca_file,
        allowed_hosts=frozenset(section.allowed_hosts or ()),
        insecure_http=section.insecure_http,
        private_addresses_refused=section.private_addresses_refused,
    )


def _discovery(keys: KeysSection | None) -> str | None:
    # Empty: both usual addresses of the issuer are tried.
    return keys.discovery if keys else ""


def _holds_keys(keys: KeysSection | None) -> bool:
    return keys is not None and keys.kind in ("file", "jwks", "pem", "secret")


def _key_text(section: IssuerSection, keys: KeysSection) -> KeyText:
    if keys.kind == "file":
        return KeyText(file=keys.file)
    if keys.kind == "jwks":
        return KeyText(text=jwks_text(keys.jwks))
    if keys.kind == "pem":
        return KeyText(text=keys.pem)
    return KeyText(
        text=keys.secret,
        alg=(section.algorithms or ("",))[0],
        base64url=keys.base64url,
        short_secret_allowed_for_legacy_credential=section.short_secret_allowed_for_legacy_credential,
        guessable_secret_allowed_for_legacy_credential=section.guessable_secret_allowed_for_legacy_credential,
    )


def jwks_text(jwks: object) -> str:
    """A JWK Set, a JWK or a list of JWKs as the text of one of the first two."""
    return json.dumps({"keys": jwks} if isinstance(jwks, list) else jwks)


def _assertion(section: ClientAssertionSection) -> ClientAssertion:
    return ClientAssertion(
        section.lifetime_seconds,
        section.claims,
        section.header,
        jti_prefix=section.jti_prefix,
        aud_left_out=section.aud_left_out_for_legacy_issuer,
        weak_secret=section.weak_secret_allowed_for_legacy_issuer,
    )


def compile_introspection(name: str, issuer: IssuerSection, section: IntrospectionSection) -> IntrospectionSource:
    """Where and how an issuer is asked about tokens."""
    key = section.client_key
    named = issuer.keys.discovery if issuer.keys else None
    return IntrospectionSource(
        issuer=name,
        iss=issuer.issuer,
        endpoint=section.endpoint,
        discovery=(named or "") if section.discovered else None,
        auth=_CLIENT_AUTH[section.authenticates_by],
        client_id=section.client_id,
        client_secret=section.client_secret,
        client_key=KeyText(file=key.file, text=key.pem) if key else None,
        client_assertion_alg=section.client_assertion_alg,
        client_assertion=_assertion(section.client_assertion) if section.client_assertion else ClientAssertion(),
        authorization=section.authorization,
        hint_parameter=section.hint_parameter,
        body=tuple(section.body.items()),
        signed=section.signed,
        signed_algorithms=frozenset(issuer.algorithms or ()) if section.signed else frozenset(),
        cache_seconds=section.cache_seconds,
        negative_cache_seconds=section.negative_cache_seconds,
        stale_if_error_seconds=section.stale_if_error_seconds,
        attempts=section.attempts,
        most_in_flight=section.most_in_flight,
        unknown_fails=section.unknown_answers_are_failures,
        cache_control_unread=section.cache_control_not_looked_at_for_legacy_issuer,
        fetching=replace(
            _fetching(issuer),
            connect_seconds=min(2, section.timeout_seconds),
            total_seconds=section.timeout_seconds,
        ),
    )
