import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jwtgate.cli.checking import open_document
from jwtgate.cli.explaining import Explained, explain
from jwtgate.cli.request_text import parse_http
from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key
from jwtgate.policy.facts import Allowance
from jwtgate.policy.outcome import Allowed, Failed, Outcome, Refused
from jwtgate.verifier import sign

from ..oauth.proofs import BOUND, a_proof
from .conftest import NOON


def _explain(document: Path, target: str, *fields: str, client: str = "127.0.0.1") -> Explained:
    asked = parse_http("\r\n".join([f"GET {target} HTTP/1.1", "Host: h", *fields]).encode())
    return explain(open_document(document), asked, client=client, now=NOON, offline=True)


def _reason(explained: Explained) -> str:
    assert isinstance(explained.outcome, Refused)
    return explained.outcome.refusal.reason


def test_a_good_request_is_allowed_with_a_signed_token(document: Path, token: Callable[..., str]) -> None:
    outcome = _explain(document, "/orders/1", f"Authorization: Bearer {token()}").outcome
    assert isinstance(outcome, Allowed)
    assert [name for name, _ in outcome.rewrite.fields] == [b"X-JWT-Assertion", b"X-Caller"]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOON - 31}, "token_expired"),
        ({"scope": "other"}, "scope_insufficient"),
        ({"tenant": "evil"}, "claim_wrong"),
        ({"iss": "https://nobody.example"}, "issuer_unknown"),
    ],
)
def test_a_bad_token_is_refused(claims: dict[str, str], reason: str, document: Path, token: Callable[..., str]) -> None:
    assert _reason(_explain(document, "/orders/1", f"Authorization: Bearer {token(**claims)}")) == reason


@pytest.mark.parametrize(
    ("target", "field", "reason"),
    [
        ("/orders/a%2fb", "", "path_not_canonical"),
        ("/orders/1", "X_Odd: 1", "field_name_unusual"),
        ("/orders/1", "Host: h2", "request_malformed"),
        ("/nowhere", "", "route_unknown"),
        ("/orders/1", "", "credential_missing"),
    ],
)
def test_a_request_the_gateway_would_not_take_is_refused(target: str, field: str, reason: str, document: Path) -> None:
    assert _reason(_explain(document, target, *filter(None, [field]))) == reason


def test_what_cannot_be_read_is_refused_before_any_room(document: Path) -> None:
    explained = _explain(document, "/orders/a%2fb?access_token=secret")
    assert explained.outcome.trail.room == "request"
    assert explained.outcome.trail.request.path == "/orders/a%2fb"


def test_offline_a_key_set_that_is_needed_is_a_fault_and_never_a_refusal(
    document: Path, token: Callable[..., str]
) -> None:
    outcome = _explain(document, "/orders/1", f"Authorization: Bearer {token(iss='https://remote.example')}").outcome
    assert isinstance(outcome, Failed)
    assert outcome.fault.reason == "issuer_unreachable"


def test_addresses_of_our_own_are_told(document: Path) -> None:
    assert _explain(document, "/livez").own == "livez"
    assert _explain(document, "/health").own is None


def test_a_client_that_is_no_address_is_a_mistake_where_it_matters(document: Path) -> None:
    document.write_text(document.read_text().replace('{"listen"', '{"trusted_proxies": ["10.0.0.0/8"], "listen"', 1))
    assert isinstance(_explain(document, "/health", client="10.0.0.1").outcome, Allowed)
    with pytest.raises(ConfigError, match="--client me"):
        _explain(document, "/health", client="me")


SECRET = "a secret of a consumer of the tests"


@pytest.fixture
def callers(document: Path) -> Path:
    """The document with consumers, two of them in files, an issuer that is asked, and routes for both."""
    text = json.loads(document.read_text())
    key = {"alg": "HS256", "secret": SECRET}
    text["consumers"] = {"ann": {"external_id": "alice", "credentials": {"key-1": key}}}
    text["consumer_files"] = ["more.jsonl"]
    (document.parent / "more.jsonl").write_text(json.dumps({"name": "bob", "credentials": {"key-2": key}}) + "\n")
    text["issuers"]["own"] = {"consumers": {"claim": "key"}, "audience": "any"}
    text["issuers"]["opaque"] = {
        "issuer": "https://opaque.example",
        "audience": "orders",
        "introspection": {"endpoint": "https://opaque.example/introspect", "auth": "none"},
    }
    names = {"headers": {"X-Consumer": {"consumer": "name"}}, "upstream": "echo", "auth": "required"}
    mapping = {"consumer": {"claim": "sub", "by": "external_id"}}
    text["routes"]["own"] = {"path": "/own", "issuers": ["own"], **names}
    text["routes"]["mapped"] = {"path": "/mapped", "issuers": ["main"], **mapping, **names}
    text["routes"]["opaque"] = {"path": "/opaque", "issuers": ["opaque"], "upstream": "echo", "auth": "required"}
    document.write_text(json.dumps(text))
    return document


def own_token(key: str) -> str:
    return sign({"key": key, "aud": "any", "exp": NOON + 60}, Key.secret(SECRET.encode(), alg="HS256"))


@pytest.mark.parametrize(("credential", "name"), [("key-1", b"ann"), ("key-2", b"bob")])
def test_consumers_are_known_by_their_keys(callers: Path, credential: str, name: bytes) -> None:
    outcome = _explain(callers, "/own", f"Authorization: Bearer {own_token(credential)}").outcome
    assert isinstance(outcome, Allowed)
    assert dict(outcome.rewrite.fields)[b"X-Consumer"] == name


def test_a_key_no_consumer_has_is_refused(callers: Path) -> None:
    assert _reason(_explain(callers, "/own", f"Authorization: Bearer {own_token('key-9')}")) == "credential_unknown"


def test_consumers_are_known_by_a_claim(callers: Path, token: Callable[..., str]) -> None:
    outcome = _explain(callers, "/mapped", f"Authorization: Bearer {token()}").outcome
    assert isinstance(outcome, Allowed)
    assert dict(outcome.rewrite.fields)[b"X-Consumer"] == b"ann"
    assert _reason(_explain(callers, "/mapped", f"Authorization: Bearer {token(sub='eve')}")) == "consumer_unknown"


def test_offline_nobody_is_asked_about_a_token(callers: Path) -> None:
    outcome = _explain(callers, "/opaque", "Authorization: Bearer opaque-token").outcome
    assert isinstance(outcome, Failed)
    assert outcome.fault.reason == "introspection_unreachable"


def test_offline_keys_that_a_consumer_publishes_are_a_fault(callers: Path) -> None:
    text = json.loads(callers.read_text())
    published = {"alg": "ES256", "keys": {"url": "https://ann.example/jwks"}}
    text["consumers"]["ann"]["credentials"]["key-3"] = published
    callers.write_text(json.dumps(text))
    outcome = _explain(callers, "/own", f"Authorization: Bearer {own_token('key-3')}").outcome
    assert isinstance(outcome, Failed)
    assert (outcome.fault.reason, outcome.fault.detail["issuer"]) == ("issuer_unreachable", "https://ann.example/jwks")


def test_a_request_that_would_be_counted_is_explained_as_the_first(callers: Path) -> None:
    text = json.loads(callers.read_text())
    text["routes"]["own"]["rate_limit"] = {"requests": 1, "window_seconds": 30}
    callers.write_text(json.dumps(text))
    for _ in range(2):
        outcome = _explain(callers, "/own", f"Authorization: Bearer {own_token('key-1')}").outcome
        assert isinstance(outcome, Allowed)
        assert outcome.trail.allowance == Allowance(True, 0, 30)


def test_a_proof_is_explained_as_the_first_of_its_kind(document: Path, token: Callable[..., str]) -> None:
    text = json.loads(document.read_text())
    text["routes"]["orders"]["dpop"] = {}
    document.write_text(json.dumps(text))
    bound = token(cnf=BOUND)
    proof = a_proof(bound, htu="http://h/orders/1", iat=NOON)
    for _ in range(2):
        fields = (f"Authorization: DPoP {bound}", f"DPoP: {proof}")
        assert isinstance(_explain(document, "/orders/1", *fields).outcome, Allowed)
    assert _reason(_explain(document, "/orders/2", *fields)) == "proof_wrong"
    assert _reason(_explain(document, "/orders/1", fields[0])) == "credential_missing"


def test_a_nonce_of_the_gateway_that_runs_is_known_to_nobody_else(document: Path, token: Callable[..., str]) -> None:
    text = json.loads(document.read_text())
    text["routes"]["orders"]["dpop"] = {"nonce_seconds": 60}
    document.write_text(json.dumps(text))
    bound = token(cnf=BOUND)
    proof = a_proof(bound, htu="http://h/orders/1", iat=NOON, nonce="of another gateway")
    fields = (f"Authorization: DPoP {bound}", f"DPoP: {proof}")
    assert _reason(_explain(document, "/orders/1", *fields)) == "proof_nonce_needed"


def test_what_an_expression_has_signed_is_signed_with_a_key_that_is_forgotten(document: Path) -> None:
    signed = {
        "language": "couper",
        "expression": 'jwt_sign("p", {sub = "ann"})',
        "given": {"profiles": {"p": {"key": "default", "alg": "ES256", "ttl_seconds": 60}}},
    }
    text = json.loads(document.read_text())
    text["signing"]["keys"] = {"default": {"signs_any_claims_for_legacy_readers": True}}
    text["routes"]["health"]["request_headers"] = {"set": {"X-Signed": signed}}
    document.write_text(json.dumps(text))
    outcome = _explain(document, "/health").outcome
    assert isinstance(outcome, Allowed)
    ((name, value),) = outcome.rewrite.fields
    assert (name, value.count(b".")) == (b"X-Signed", 2)


def test_a_trusted_proxy_tells_where_the_client_sent_its_request(document: Path, token: Callable[..., str]) -> None:
    text = json.loads(document.read_text())
    text["routes"]["orders"]["dpop"] = {}
    text["trusted_proxies"] = ["10.0.0.0/8"]
    document.write_text(json.dumps(text))
    bound = token(cnf=BOUND)
    proof = a_proof(bound, htu="https://shop.example/orders/1", iat=NOON)
    told = ("X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example")
    fields = (f"Authorization: DPoP {bound}", f"DPoP: {proof}", *told)
    assert isinstance(_explain(document, "/orders/1", *fields, client="10.1.2.3").outcome, Allowed)
    assert _reason(_explain(document, "/orders/1", *fields, client="192.0.2.7")) == "proof_wrong"


@pytest.mark.parametrize(("host", "port"), [("h", 80), ("h:81", 81), ("[::1]:82", 82)])
def test_a_request_comes_to_the_port_its_host_names(host: str, port: int, tmp_path: Path) -> None:
    route = {"path": "/", "auth": "none", "respond": {"status": 204}, "match": {"ports": port}}
    path = tmp_path / "jwtgate.json"
    path.write_text(json.dumps({"listen": "127.0.0.1:0", "routing": "listed", "routes": {"one": route}}))

    def explained(named: str) -> Outcome:
        asked = parse_http(f"GET / HTTP/1.1\r\nHost: {named}\r\n".encode())
        return explain(open_document(path), asked, client="127.0.0.1", now=0, offline=True).outcome

    assert isinstance(explained(host), Allowed)
    assert isinstance(explained("h:9"), Refused)
