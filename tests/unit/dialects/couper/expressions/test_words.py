from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import ISSUER, known, principal, proven, request

from jwtgate.dialects.couper.expressions.words import kind_of, message_of, status_of, synopsis_of, warnings_of
from jwtgate.errors import (
    AccessRefused,
    CredentialMissing,
    DependencyFault,
    Fault,
    Refusal,
    RequestRefused,
    RouteUnknown,
    TokenRefused,
    UpstreamFault,
)
from jwtgate.policy.requirements import Grants

GIVEN = {"slots": {"J": "j", "B": "b"}, "sources": {"j": "bearer", "b": "basic"}}
KEYS = "token is unverifiable: error while executing keyfunc"
INVALID = "jwt_token_invalid"


def message(error: Refusal | Fault, slot: str = "", **sources: str) -> str | None:
    here = replace(known(view=request(path="/p", method="DELETE")), error=error, slot=slot)
    return message_of(here, {**GIVEN, "sources": {**GIVEN["sources"], **sources}})


@pytest.mark.parametrize(
    ("error", "slot", "kind", "status", "synopsis"),
    [
        (CredentialMissing("credential_missing"), "j", "jwt_token_missing", 401, "access control error"),
        (RequestRefused("credential_repeated"), "j", "jwt_token_missing", 401, "access control error"),
        (RequestRefused("credential_malformed"), "j", INVALID, 401, "access control error"),
        (TokenRefused("token_expired"), "j", "jwt_token_expired", 401, "access control error"),
        (TokenRefused("token_inactive"), "j", "jwt_token_inactive", 401, "access control error"),
        (TokenRefused("signature_wrong"), "j", INVALID, 401, "access control error"),
        (TokenRefused("proof_wrong", cause="jti"), "j", INVALID, 401, "access control error"),
        (DependencyFault("issuer_unreachable"), "j", INVALID, 401, "access control error"),
        (DependencyFault("introspection_unreachable"), "j", "jwt", 403, "access control error"),
        (DependencyFault("expected_claims_malformed"), "j", "configuration", 500, "configuration error"),
        (DependencyFault("expression_failed", cause="x"), "j", "evaluation", 500, "expression evaluation error"),
        (DependencyFault("expression_failed", kind="configuration"), "", "configuration", 500, "configuration error"),
        (AccessRefused("permission_missing"), "", "insufficient_permissions", 403, "access control error"),
        (AccessRefused("method_not_permitted"), "", None, 405, "method not allowed error"),
        (RouteUnknown("route_unknown"), "", None, 404, "route not found error"),
        (RequestRefused("request_too_large"), "", None, 413, "client request error"),
        (UpstreamFault("upstream_slow"), "", "backend_timeout", 504, "backend timeout error"),
        (UpstreamFault("upstream_unreachable"), "", "backend", 502, "backend error"),
        (UpstreamFault("upstream_unexpected"), "", "unexpected_status", 502, "backend error"),
        (DependencyFault("internal"), "", None, 500, "internal server error"),
        (DependencyFault("overloaded"), "j", None, 503, "internal server error"),
    ],
)
def test_an_error_has_couper_s_kind_status_and_synopsis(
    error: Refusal | Fault, slot: str, kind: str | None, status: int, synopsis: str
) -> None:
    assert (kind_of(error, slot), status_of(error, slot), synopsis_of(error, slot)) == (kind, status, synopsis)


def test_the_kinds_of_basic_auth_are_its_own() -> None:
    assert kind_of(CredentialMissing("credential_missing"), "b", "basic") == "basic_auth_credentials_missing"
    assert kind_of(TokenRefused("credential_unknown"), "b", "basic") == "basic_auth"
    assert message(CredentialMissing("credential_missing"), "b") == "access control error: B: credentials required"
    assert message(TokenRefused("credential_unknown"), "b") == "access control error: B: credential mismatch"


@pytest.mark.parametrize(
    ("source", "cause", "told"),
    [
        ("bearer", "absent", "missing authorization header"),
        ("bearer", "scheme_differs", 'auth scheme "Bearer" required in authorization header'),
        ("bearer", "empty", "token required"),
        ("dpop", "scheme_differs", 'auth scheme "DPoP" required in authorization header'),
        ("dpop", "proof", "exactly one DPoP request header field required"),
        ("cookie", "absent", "token required"),
        ("header", "absent", "token required"),
        ("value", "empty", "token required"),
    ],
)
def test_a_missing_token_is_told_by_its_source(source: str, cause: str, told: str) -> None:
    error = CredentialMissing("credential_missing", slot="j", cause=cause)
    assert message(error, "j", j=source) == f"access control error: J: {told}"


@pytest.mark.parametrize(
    ("reason", "detail", "told"),
    [
        ("token_expired", {}, "token has invalid claims: token is expired"),
        ("issuer_wrong", {}, "token has invalid claims: token has invalid issuer"),
        ("audience_missing", {}, "token has invalid claims: token has invalid audience"),
        ("token_not_yet_valid", {}, "token has invalid claims: token is not valid yet"),
        ("time_malformed", {"claim": "exp"}, "token has invalid claims: invalid type for claim: exp is invalid"),
        ("token_malformed", {"part": "shape"}, "token is malformed: token contains an invalid number of segments"),
        ("token_malformed", {"part": "header"}, "token is malformed: could not decode header"),
        (
            "token_malformed",
            {"part": "signature", "alg": "none"},
            "token signature is invalid: signing method none is invalid",
        ),
        ("token_malformed", {"part": "signature", "alg": "HS256"}, "token signature is invalid: signature is invalid"),
        ("signature_wrong", {}, "token signature is invalid: signature is invalid"),
        ("alg_not_allowed", {"alg": "HS512"}, "token signature is invalid: signing method HS512 is invalid"),
        ("alg_unreadable", {"alg": "none"}, "token signature is invalid: signing method none is invalid"),
        ("alg_unreadable", {}, f'{KEYS}: missing "alg" in JOSE header'),
        ("key_unknown", {"alg": "RS256", "kid": None}, f'{KEYS}: no matching RS256 JWK for kid ""'),
        ("key_unknown", {"alg": "RS256", "kid": "other"}, f'{KEYS}: no matching RS256 JWK for kid "other"'),
        ("claim_missing", {"claim": "exp"}, "required claim is missing: exp"),
        ("claim_missing", {"claim": ("role",)}, "required claim is missing: role"),
        (
            "claim_wrong",
            {"claim": "sub", "got": "jane", "expected": "john.doe"},
            'unexpected value for claim sub, got "jane", expected "john.doe"',
        ),
        (
            "claim_wrong",
            {"claim": "n", "got": [1.0], "expected": None},
            "unexpected value for claim n, got [1], expected null",
        ),
        ("token_inactive", {}, "token inactive"),
        ("proof_wrong", {"cause": "too_old"}, "DPoP proof too old"),
        ("proof_wrong", {"cause": "thumbprint"}, "DPoP JWK thumbprint mismatch"),
        ("proof_wrong", {"cause": "malformed"}, "DPoP proof is malformed"),
        ("crit_unknown", {}, "token is malformed: unknown critical header parameter"),
        ("token_revoked", {}, "token revoked"),
    ],
)
def test_what_is_wrong_with_a_token_is_told(reason: str, detail: dict[str, Any], told: str) -> None:
    assert message(TokenRefused(reason, **detail), "j") == f"access control error: J: {told}"


@pytest.mark.parametrize(
    ("error", "slot", "told"),
    [
        (
            DependencyFault("issuer_unreachable", issuer="j", status=404),
            "j",
            f"access control error: J: {KEYS}: received no valid JWKs data: <nil>, status code 404",
        ),
        (
            DependencyFault("expected_claims_malformed", slot="j", claim="iss", cause="no text"),
            "j",
            "configuration error: J: invalid value type, string expected (claims / iss)",
        ),
        (
            DependencyFault("expression_failed", cause="couper.hcl:1,2: no", expression="x"),
            "j",
            "expression evaluation error: couper.hcl:1,2: no",
        ),
        (
            AccessRefused("permission_missing", permission="foo", granted=["x"]),
            "",
            'access control error: required permission "foo" not granted',
        ),
        (
            AccessRefused("permission_missing", permission="foo", granted=[]),
            "",
            "access control error: no permissions granted",
        ),
        (
            AccessRefused("method_not_permitted", method="DELETE", by="permission"),
            "",
            "method not allowed error: method DELETE not allowed by required_permission",
        ),
        (
            AccessRefused("method_not_permitted", method="DELETE", by="methods"),
            "",
            "method not allowed error: method DELETE not allowed by allowed_methods",
        ),
        (RouteUnknown("route_unknown"), "", "route not found error: DELETE /p"),
        (UpstreamFault("upstream_slow", cause="5 s"), "", "backend timeout error: 5 s"),
        (DependencyFault("overloaded"), "", "internal server error: overloaded"),
    ],
)
def test_other_errors_are_told_with_what_happened(error: Refusal | Fault, slot: str, told: str) -> None:
    assert message(error, slot) == told


def test_an_access_control_nobody_named_is_called_by_its_slot() -> None:
    assert message(TokenRefused("token_expired"), "unnamed", unnamed="bearer") == (
        "access control error: unnamed: token has invalid claims: token is expired"
    )


def test_without_an_error_there_is_nothing_to_tell() -> None:
    assert message_of(known(), GIVEN) is None


@pytest.mark.parametrize(
    ("claims", "warnings"),
    [
        ({"scope": "a b", "role": ["x"]}, None),
        ({}, None),
        (
            {"scope": True, "role": [1]},
            [
                "invalid permissions claim value type, ignoring claim, value true",
                "invalid roles claim value type, ignoring claim, value [1]",
            ],
        ),
    ],
)
def test_claims_that_cannot_be_read_as_permissions_are_warned_of(
    claims: dict[str, Any], warnings: list[str] | None
) -> None:
    issuer = replace(ISSUER, grants=Grants(permissions=("scope",), roles=("role",)))
    assert warnings_of(known(principal(j=proven(issuer=issuer, **claims)))) == warnings
