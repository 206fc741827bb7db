from __future__ import annotations

import re

import pytest

from jwtgate import errors
from jwtgate.errors import (
    CATALOGUE,
    ConfigError,
    CredentialMissing,
    DependencyFault,
    Fault,
    KeyRefused,
    Reason,
    Refusal,
    RequestRefused,
    RouteUnknown,
    ScopeRefused,
    TokenRefused,
    UpstreamFault,
)

EVERY = pytest.mark.parametrize(("name", "entry"), CATALOGUE.items(), ids=list(CATALOGUE))


@pytest.mark.parametrize(
    ("kind", "reason", "status", "oauth_error"),
    [
        (CredentialMissing, "credential_missing", 401, None),
        (RequestRefused, "credential_repeated", 400, "invalid_request"),
        (TokenRefused, "signature_wrong", 401, "invalid_token"),
        (ScopeRefused, "scope_insufficient", 403, "insufficient_scope"),
        (RouteUnknown, "route_unknown", 404, None),
    ],
)
def test_sec_142_a_class_says_how_to_react(
    kind: type[Refusal], reason: str, status: int, oauth_error: str | None
) -> None:
    refusal = kind(reason)
    assert (refusal.reason, refusal.status, refusal.oauth_error) == (reason, status, oauth_error)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (DependencyFault("issuer_unreachable"), 503),
        (DependencyFault("internal"), 500),
        (UpstreamFault("upstream_unreachable"), 502),
        (UpstreamFault("upstream_slow"), 504),
        (RequestRefused("request_too_large"), 413),
    ],
)
def test_a_reason_may_have_a_status_of_its_own(fault: Fault | Refusal, status: int) -> None:
    assert fault.status == status


def test_sec_140_what_a_client_reads_is_fixed_and_what_varies_is_for_the_log() -> None:
    refusal = TokenRefused("audience_wrong", wanted=["orders"], slot="access")
    assert refusal.sentence == CATALOGUE["audience_wrong"].sentence
    assert refusal.detail == {"wanted": ["orders"], "slot": "access"}
    assert str(refusal) == ("audience_wrong: The token is meant for somebody else. (wanted=['orders'], slot='access')")
    assert str(TokenRefused("audience_wrong")) == "audience_wrong: The token is meant for somebody else."


@pytest.mark.parametrize("reason", ["signature_wrong", "key_unknown", "issuer_unknown", "alg_not_allowed"])
def test_sec_141_a_client_cannot_tell_why_a_signature_was_not_believed(reason: str) -> None:
    said = TokenRefused(reason, kid="k1")
    assert (said.sentence, said.status) == ("The token is not valid.", 401)


def test_a_scope_refusal_names_the_scope_that_would_be_enough() -> None:
    refusal = ScopeRefused("scope_insufficient", scope=iter(["a", "b"]), granted=["c"])
    assert (refusal.scope, refusal.detail) == (("a", "b"), {"granted": ["c"]})


def test_sec_143_a_dependency_fault_says_when_to_come_back() -> None:
    fault = DependencyFault("issuer_unreachable", retry_after_seconds=7, issuer="main")
    assert (fault.retry_after_seconds, fault.detail) == (7, {"issuer": "main"})
    assert DependencyFault("overloaded").retry_after_seconds == 5


def test_a_configuration_error_holds_every_problem_in_order() -> None:
    error = ConfigError("first", "second")
    assert error.problems == ("first", "second")
    assert str(error) == "first\nsecond"


@EVERY
def test_a_reason_is_a_slug_with_one_public_sentence(name: str, entry: Reason) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert re.fullmatch(r"[A-Z][A-Za-z' ]+\.", entry.sentence)


@EVERY
def test_a_fault_is_never_a_refusal_nor_the_reverse(name: str, entry: Reason) -> None:
    status = entry.status or entry.raised_as.usual_status
    if issubclass(entry.raised_as, Fault):
        assert not issubclass(entry.raised_as, Refusal)
        assert 500 <= status <= 504
    elif issubclass(entry.raised_as, Refusal):
        # A method nobody implements is the one refusal RFC 9110 puts among the server's answers.
        assert 400 <= status <= 431 or name == "method_refused"
    else:
        assert entry.raised_as is KeyRefused


def test_every_class_has_a_reason() -> None:
    abstract = {Refusal, Fault}
    classes = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, (Refusal, Fault, KeyRefused)) and kind not in abstract
    }
    assert {entry.raised_as for entry in CATALOGUE.values()} == classes


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CATALOGUE["new"] = CATALOGUE["internal"]  # type: ignore[index]
