"""What we answer ourselves, and what we keep to ourselves while doing so."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.unit.gateway.messages import head_of
from tests.unit.gateway.parts import a_generation, a_plan

from jwtgate.errors import (
    CATALOGUE,
    AccessRefused,
    CredentialMissing,
    DependencyFault,
    Fault,
    KeyRefused,
    RateRefused,
    Refusal,
    RequestRefused,
    ScopeRefused,
    TokenRefused,
    UpstreamFault,
)
from jwtgate.gateway.generation import HEALTHZ, LIVEZ, METRICS, OWN_KEYS, OWN_METADATA, READYZ, Generation
from jwtgate.gateway.observe import (
    ConsumerCount,
    Counters,
    IntrospectionReport,
    IssuerReport,
    Report,
    SecretStoreReport,
    metrics_text,
)
from jwtgate.gateway.respond import OwnAnswer, limit_fields, own_answer, refusal_body, refusal_fields, response
from jwtgate.gateway.upstreams.counts import TargetCount, UpstreamCount
from jwtgate.policy.facts import Allowance
from jwtgate.policy.provisions import CredentialsOffered, Mint, QueryNames
from jwtgate.policy.rate_limits import RateLimit

ROUTE = a_plan().routes[0]
SECRET = "eyJ-a-secret"


def challenge_of(error: Refusal | Fault) -> str | None:
    return dict(refusal_fields(error, ROUTE)).get("WWW-Authenticate")


def test_sec_141_no_token_is_a_challenge_without_an_error() -> None:
    assert challenge_of(CredentialMissing("credential_missing")) == 'Bearer realm="jwtgate"'


def test_sec_141_bad_tokens_look_the_same_whatever_was_wrong_with_them() -> None:
    errors = [TokenRefused(reason, kid=SECRET) for reason in ("signature_wrong", "key_unknown", "issuer_unknown")]
    seen = {(error.status, str(refusal_fields(error, ROUTE)), refusal_body(error, "1")) for error in errors}
    assert len(seen) == 1
    assert 'error="invalid_token"' in str(challenge_of(errors[0]))


def test_sec_142_too_little_scope_is_told_with_what_would_be_enough() -> None:
    error = ScopeRefused("scope_insufficient", scope=("orders:read",))
    assert error.status == 403
    assert 'error="insufficient_scope"' in str(challenge_of(error))
    assert 'scope="orders:read"' in str(challenge_of(error))


@pytest.mark.parametrize(
    "error",
    [
        RequestRefused("request_malformed"),
        RequestRefused("request_too_large"),
        RequestRefused("origin_refused"),
        DependencyFault("overloaded"),
        UpstreamFault("upstream_slow"),
    ],
)
def test_only_a_token_can_be_asked_for(error: Refusal | Fault) -> None:
    assert challenge_of(error) is None


def test_the_realm_is_that_of_the_route() -> None:
    plan = a_plan(routes={"orders": {"path": "/o", "auth": "none", "upstream": "echo", "realm": "the orders"}})
    fields = dict(refusal_fields(CredentialMissing("credential_missing"), plan.routes[0]))
    assert fields["WWW-Authenticate"] == 'Bearer realm="the orders"'
    assert dict(refusal_fields(CredentialMissing("credential_missing"), None))["WWW-Authenticate"] == (
        'Bearer realm="jwtgate"'
    )


def test_a_route_is_challenged_with_each_scheme_it_takes() -> None:
    bound = {"issuers": ["main"], "dpop": {"algorithms": ["RS256", "ES256"]}}
    plain = {"issuers": ["main"]}

    def challenges(error: Refusal, slots: dict[str, object]) -> list[str]:
        usual = {"path": "/o", "auth": "required", "upstream": "echo"}
        plan = a_plan(routes={"orders": {**usual, "slots": slots, "enough": "one_slot"}})
        return [value for name, value in refusal_fields(error, plan.routes[0]) if name == "WWW-Authenticate"]

    missing = CredentialMissing("credential_missing")
    assert challenges(missing, {"bound": bound}) == ['DPoP algs="RS256 ES256"']
    assert challenges(missing, {"plain": plain, "bound": bound}) == [
        'DPoP algs="RS256 ES256"',
        'Bearer realm="jwtgate"',
    ]
    (told,) = challenges(TokenRefused("proof_wrong", cause="htu"), {"bound": bound})
    assert told.startswith('DPoP algs="RS256 ES256", error="invalid_dpop_proof", error_description="')


def test_whoever_needs_a_nonce_is_given_one() -> None:
    error = TokenRefused("proof_nonce_needed", nonce="eyJ7S_zG")
    assert ("DPoP-Nonce", "eyJ7S_zG") in refusal_fields(error, ROUTE)
    assert error.oauth_error == "use_dpop_nonce"


def test_sec_143_who_cannot_be_judged_is_told_when_to_come_back() -> None:
    fields = dict(refusal_fields(DependencyFault("issuer_unreachable", retry_after_seconds=7), ROUTE))
    assert fields["Retry-After"] == "7"
    assert "Retry-After" not in dict(refusal_fields(UpstreamFault("upstream_unreachable"), ROUTE))
    busy = UpstreamFault("upstream_busy", retry_after_seconds=1)
    assert dict(refusal_fields(busy, ROUTE))["Retry-After"] == "1"


def test_who_asked_too_often_is_told_when_to_come_back_and_is_not_challenged() -> None:
    fields = dict(refusal_fields(RateRefused("rate_limit_exceeded", retry_after_seconds=9), ROUTE))
    assert fields["Retry-After"] == "9"
    assert "WWW-Authenticate" not in fields


def test_what_a_limit_leaves_is_told_unless_it_is_not_to_be_shown() -> None:
    limit = RateLimit(3, 30)
    assert limit_fields(limit, Allowance(True, 2, 12)) == (
        ("X-RateLimit-Limit", "3"),
        ("X-RateLimit-Remaining", "2"),
        ("X-RateLimit-Reset", "12"),
    )
    assert limit_fields(replace(limit, shown=False), Allowance(True, 2, 12)) == ()


@pytest.mark.parametrize(("names", "method"), [(None, "POST"), (QueryNames("key", None), "GET")])
def test_who_asks_for_a_token_by_another_method_is_told_the_right_one(names: QueryNames | None, method: str) -> None:
    route = replace(ROUTE, mint=Mint(credentials=CredentialsOffered.ANY, by_query=names))
    fields = dict(refusal_fields(AccessRefused("method_not_permitted"), route))
    assert fields["Allow"] == method


@pytest.mark.parametrize("reason", [name for name, entry in CATALOGUE.items() if entry.raised_as is not KeyRefused])
def test_sec_140_no_answer_holds_anything_that_varies(reason: str) -> None:
    error = CATALOGUE[reason].raised_as(reason, target=SECRET, cause=SECRET)
    assert isinstance(error, Refusal | Fault)
    fields = refusal_fields(error, ROUTE)
    body = json.loads(refusal_body(error, "id-1"))
    assert SECRET not in str(fields) + str(body)
    assert body["message"] == error.sentence
    assert body["request_id"] == "id-1"
    assert ("Cache-Control", "no-store") in fields


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RequestRefused("request_slow"), "invalid_request"),
        (TokenRefused("token_expired"), "invalid_token"),
        (CredentialMissing("credential_missing"), "credential_missing"),
        (UpstreamFault("upstream_malformed"), "upstream_malformed"),
    ],
)
def test_a_body_names_the_code_of_the_rfc_where_there_is_one(error: Refusal | Fault, code: str) -> None:
    assert json.loads(refusal_body(error, "1"))["error"] == code


def test_a_response_of_ours_is_whole() -> None:
    whole = response(418, [("X-One", "1")], b"tea", close=False, head_only=False)
    first, fields = head_of(whole)
    assert first == b"HTTP/1.1 418 I'm a Teapot\r\n".strip()
    assert (fields[b"content-length"], fields[b"x-one"]) == (b"3", b"1")
    assert fields[b"date"].endswith(b" GMT")
    assert b"connection" not in fields
    assert whole.endswith(b"\r\n\r\ntea")


def test_an_answer_to_head_tells_the_length_and_the_end_says_close() -> None:
    whole = response(200, [], b"tea", close=True, head_only=True)
    assert head_of(whole)[1][b"content-length"] == b"3"
    assert head_of(whole)[1][b"connection"] == b"close"
    assert whole.endswith(b"\r\n\r\n")


ISSUERS = (
    IssuerReport(
        "main", keys=2, age_seconds=1.26, stale=False, fetches=3, failures={"timeout": 1}, last_failure="timeout"
    ),
    IssuerReport("new", keys=0, age_seconds=None, stale=True, fetches=0),
)


def own(name: str, generation: Generation | None = None, *, ready: bool = True) -> OwnAnswer:
    async def report() -> Report:
        return Report(
            Counters(upstreams=(UpstreamCount("echo"), TargetCount("echo", "a:1", up=1, resting=3, failures=9))),
            3,
            ready,
            issuers=ISSUERS,
            introspections=(IntrospectionReport("main", True, 7, {"timeout": 5}, 3, 11, 2, "timeout"),),
            secret_stores=(SecretStoreReport("vault", 2, 1, 8.55, True, "slow"),),
            consumers=(ConsumerCount("document", 4), ConsumerCount("store", 9)),
        )

    return asyncio.run(own_answer(name, generation or a_generation(), report))


@pytest.mark.parametrize(
    ("name", "media_type", "body"),
    [
        (OWN_KEYS, "application/jwk-set+json", b'{"keys":[]}'),
        (OWN_METADATA, "application/json", b'{"issuer":"https://gate.example"}'),
    ],
)
def test_sec_155_our_documents_are_cached_no_longer_than_is_said(name: str, media_type: str, body: bytes) -> None:
    generation = a_generation(a_plan(own={"keys_max_age_seconds": 60}))
    fields = [("Content-Type", media_type), ("Cache-Control", "public, max-age=60")]
    assert own(name, generation) == (200, fields, body)


def test_who_is_alive_says_so() -> None:
    status, fields, body = own(LIVEZ, ready=False)
    assert (status, body) == (200, b"alive\n")
    assert ("Cache-Control", "no-store") in fields


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_rel_38_readiness_is_a_status_and_names_each_dependency(ready: bool, status: int) -> None:
    answered, fields, body = own(READYZ, ready=ready)
    assert answered == status
    assert ("Cache-Control", "no-store") in fields
    state = json.loads(body)
    assert (state["ready"], state["generation"], state["workers"]) == (ready, 3, 1)
    assert state["issuers"][0] == {
        "issuer": "main",
        "keys": 2,
        "age_seconds": 1.3,
        "stale": False,
        "last_failure": "timeout",
    }
    assert state["issuers"][1]["age_seconds"] is None
    assert state["introspection"] == [{"issuer": "main", "left_alone": True, "last_failure": "timeout"}]
    assert state["secret_stores"] == [
        {"store": "vault", "values": 2, "missing": 1, "age_seconds": 8.6, "stale": True, "last_failure": "slow"}
    ]
    assert state["consumers"] == {"document": 4, "store": 9}
    assert state["targets"] == [{"upstream": "echo", "target": "a:1", "up": 1, "down": 0, "resting": 3, "ejected": 0}]


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_rel_38_health_tells_all_there_is_of_each_dependency(ready: bool, status: int) -> None:
    answered, fields, body = own(HEALTHZ, ready=ready)
    assert answered == status
    assert ("Cache-Control", "no-store") in fields
    state = json.loads(body)
    assert {name: state[name] for name in ("ready", "degraded", "generation", "reload_failures")} == {
        "ready": ready,
        "degraded": False,
        "generation": 3,
        "reload_failures": 0,
    }
    assert state["issuers"][0] == {
        "issuer": "main",
        "keys": 2,
        "age_seconds": 1.3,
        "stale": False,
        "fetches": 3,
        "failures": {"timeout": 1},
        "skipped_keys": 0,
        "last_failure": "timeout",
    }
    assert state["introspections"][0]["failures"] == {"timeout": 5}
    assert state["secret_stores"][0]["age_seconds"] == 8.6
    assert state["consumers"] == [{"origin": "document", "count": 4}, {"origin": "store", "count": 9}]
    assert [each["target"] for each in state["targets"]] == ["a:1"]
    assert "counters" not in state


def test_metrics_are_text_for_prometheus() -> None:
    status, fields, body = own(METRICS)
    assert status == 200
    assert dict(fields)["Content-Type"].startswith("text/plain; version=0.0.4")
    assert {family.name for family in text_string_to_metric_families(body.decode())} >= {"jwtgate_generation"}


def test_rel_21_long_metrics_are_written_on_a_thread_and_say_the_same() -> None:
    counters = Counters()
    for number in range(200):
        counters.count(f"r{number}", 200, "", seconds=0.1)
    text, written = metrics_text(Report(counters, 1, ready=True)), []

    async def report() -> Report:
        written.append(asyncio.get_running_loop())
        return Report(counters, 1, ready=True)

    assert asyncio.run(own_answer(METRICS, a_generation(), report))[2] == text
    assert len(written) == 1


def test_metadata_of_nobody_is_empty() -> None:
    generation = a_generation()
    generation.metadata_document = None
    assert own(OWN_METADATA, generation)[2] == b"{}"


def test_who_uses_another_method_is_told_those_that_are_permitted() -> None:
    error = AccessRefused("method_not_permitted", permitted=("GET", "POST"))
    assert dict(refusal_fields(error, ROUTE))["Allow"] == "GET, POST"
    assert dict(refusal_fields(AccessRefused("method_not_permitted"), ROUTE))["Allow"] == ""


@pytest.mark.parametrize(("status", "length"), [(204, None), (304, None), (205, "0")])
def test_a_status_without_a_body_has_none(status: int, length: str | None) -> None:
    raw = response(status, [("Content-Type", "a/b"), ("X-A", "1")], b"body", close=False, head_only=False)
    assert raw.endswith(b"\r\n\r\n")
    assert (b"content-type" in raw.lower(), b"X-A: 1\r\n" in raw) == (False, True)
    assert (b"Content-Length: 0\r\n" in raw, b"content-length" in raw.lower()) == (length == "0", length is not None)
