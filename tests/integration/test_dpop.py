"""Tokens bound to a key: a proof for every request, seen once by all workers, and never passed on (RFC 9449)."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.rig import Client, Document, Gateway, Message, Upstream, document, request, token
from tests.unit.oauth.proofs import BOUND, THIEFS_KEY, a_proof

from .gateway_process import GatewayProcess
from .loopback_server import LoopbackServer

HOST = "gate.example"
CLIENTS, PROOFS = 4, 25


def whole(upstream: str) -> Document:
    made = document(upstream, trusted_proxies=["127.0.0.1/32"])
    bound = {"path": "/bound/*", "auth": "required", "issuers": ["main"], "dpop": {}, "upstream": "echo"}
    slots = {"bound": {"issuers": ["main"], "dpop": {"algorithms": ["ES256"]}}, "plain": {"issuers": ["main"]}}
    made["routes"] |= {
        "bound": {**bound, "headers": {"X-User-Id": {"claim": "sub"}}, "forward_cors_preflight": True},
        "fresh": {**bound, "path": "/fresh/*", "dpop": {"nonce_seconds": 3600}},
        "either": {"path": "/either/*", "auth": "required", "slots": slots, "enough": "one_slot", "upstream": "echo"},
    }
    return made


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def gateway(upstream: Upstream) -> Iterator[Gateway]:
    with Gateway(whole(upstream.url)) as gateway:
        yield gateway


numbers = iter(range(10**9))


def made_for(bound: str, path: str = "/bound/a", **changes: Any) -> str:
    """A proof nobody has seen, for a request to this path."""
    said = {"htu": f"http://{HOST}{path}", "iat": int(time.time()), "jti": f"jti-{next(numbers)}"}
    return a_proof(bound, **{**said, **changes})


def ask(gateway: Gateway, bound: str, *fields: str, path: str = "/bound/a", scheme: str = "DPoP") -> Message:
    with Client(gateway.port) as client:
        return client.ask(request(path, f"Authorization: {scheme} {bound}", *fields, host=HOST))


def test_a_token_comes_with_a_new_proof_each_time_and_neither_goes_on(gateway: Gateway, upstream: Upstream) -> None:
    bound = token(cnf=BOUND)
    upstream.forget()
    for _ in range(3):
        assert ask(gateway, bound, f"DPoP: {made_for(bound)}").status == 200
    assert len(upstream.requests) == 3
    for seen in upstream.requests:
        assert (seen.value("X-User-Id"), seen.value("Authorization"), seen.value("DPoP")) == ("alice", None, None)


def test_sec_79_a_proof_is_taken_once(gateway: Gateway, upstream: Upstream) -> None:
    bound = token(cnf=BOUND)
    proof = made_for(bound)
    upstream.forget()
    answers = [ask(gateway, bound, f"DPoP: {proof}") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 401, 401]
    assert len(upstream.requests) == 1
    assert gateway.line_of(answers[1])["reason"] == "proof_wrong"


@pytest.mark.parametrize(
    "change",
    [
        {"htm": "POST"},
        {"htu": f"https://{HOST}/bound/a"},
        {"htu": f"http://{HOST}/bound/b"},
        {"htu": f"http://{HOST}:8080/bound/a"},
        {"iat": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"ath": "AA"},
        {"key": THIEFS_KEY},
        {"typ": "JWT"},
    ],
)
def test_sec_77_a_proof_for_anything_else_is_refused(gateway: Gateway, upstream: Upstream, change: Any) -> None:
    bound = token(cnf=BOUND)
    upstream.forget()
    answer = ask(gateway, bound, f"DPoP: {made_for(bound, **change)}")
    assert (answer.status, json.loads(answer.body)["error"]) == (401, "invalid_dpop_proof")
    assert (answer.value("WWW-Authenticate") or "").startswith('DPoP algs="ES256 ')
    assert 'error="invalid_dpop_proof"' in (answer.value("WWW-Authenticate") or "")
    assert upstream.requests == []


def test_a_token_without_one_proof_is_missing(gateway: Gateway) -> None:
    bound = token(cnf=BOUND)
    proof = f"DPoP: {made_for(bound)}"
    for fields in ((), (proof, proof), (proof, "dpop: x")):
        answer = ask(gateway, bound, *fields)
        assert (answer.status, gateway.line_of(answer)["reason"]) == (401, "credential_missing")
        assert "error" not in (answer.value("WWW-Authenticate") or "error")
    # The proof that was refused beside another was not used up.
    assert ask(gateway, bound, proof).status == 200


def test_sec_78_a_bound_token_is_no_bearer_token_anywhere(gateway: Gateway) -> None:
    bound = token(cnf=BOUND)
    for path, reason in (
        ("/bound/a", "credential_missing"),
        ("/orders/a", "proof_missing"),
        ("/either/a", "proof_missing"),
    ):
        answer = ask(gateway, bound, f"DPoP: {made_for(bound, path)}", path=path, scheme="Bearer")
        assert (answer.status, gateway.line_of(answer)["reason"]) == (401, reason)
    unbound = token()
    answer = ask(gateway, unbound, f"DPoP: {made_for(unbound)}")
    assert (answer.status, gateway.line_of(answer)["reason"]) == (401, "proof_wrong")


def test_a_route_may_take_both_kinds_and_names_both(gateway: Gateway) -> None:
    bound, path = token(cnf=BOUND), "/either/a"
    assert ask(gateway, bound, f"DPoP: {made_for(bound, path)}", path=path).status == 200
    assert ask(gateway, token(), path=path, scheme="Bearer").status == 200
    with Client(gateway.port) as client:
        answer = client.ask(request(path, host=HOST))
    assert answer.values("WWW-Authenticate") == ['DPoP algs="ES256"', 'Bearer realm="jwtgate"']


def test_sec_77_a_client_is_told_of_the_nonce_it_needs(gateway: Gateway) -> None:
    bound, path = token(cnf=BOUND), "/fresh/a"
    refused = ask(gateway, bound, f"DPoP: {made_for(bound, path)}", path=path)
    assert (refused.status, json.loads(refused.body)["error"]) == (401, "use_dpop_nonce")
    assert 'error="use_dpop_nonce"' in (refused.value("WWW-Authenticate") or "")
    nonce = refused.value("DPoP-Nonce")
    assert ask(gateway, bound, f"DPoP: {made_for(bound, path, nonce=nonce)}", path=path).status == 200
    assert ask(gateway, bound, f"DPoP: {made_for(bound, path, nonce='made up')}", path=path).status == 401


def test_what_is_good_once_is_good_once_also_in_memory(gateway: Gateway, upstream: Upstream) -> None:
    # The same bytes twice on one connection: the head is known by heart, the decision is not.
    bound = token(cnf=BOUND)
    whole = request("/bound/a", f"Authorization: DPoP {bound}", f"DPoP: {made_for(bound)}", host=HOST)
    upstream.forget()
    with Client(gateway.port) as client:
        assert [client.ask(whole).status for _ in range(3)] == [200, 401, 401]
    assert len(upstream.requests) == 1


def test_a_preflight_has_no_proof_to_show(gateway: Gateway) -> None:
    asks = ("Origin: https://a.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: dpop")
    with Client(gateway.port) as client:
        assert client.ask(request("/bound/a", *asks, method="OPTIONS", host=HOST)).status == 200
    assert ask(gateway, token(cnf=BOUND)).status == 401


def test_a_trusted_proxy_says_where_the_client_sent_its_request(gateway: Gateway) -> None:
    bound = token(cnf=BOUND)
    proof = made_for(bound, htu="https://shop.example/bound/a?x=1")
    told = ("X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example")
    assert ask(gateway, bound, f"DPoP: {proof}", *told, path="/bound/a?x=2").status == 200


def test_sec_79_two_workers_take_each_proof_once(tmp_path: Path) -> None:
    bound = token(cnf=BOUND)
    found: list[int] = []
    with LoopbackServer() as server, GatewayProcess(tmp_path, json.dumps(whole(server.url)), workers=2) as node:
        proofs = [made_for(bound, htu=f"http://127.0.0.1:{node.ports[0]}/bound/a") for _ in range(PROOFS)]

        def ask_all() -> None:
            found.extend(status_of(node.connect(), bound, proof) for proof in proofs)

        threads = [threading.Thread(target=ask_all) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Counter(found) == {200: PROOFS, 401: (CLIENTS - 1) * PROOFS}
        assert node.reload()["event"] == "reloaded"
        assert status_of(node.connect(), bound, proofs[0]) == 401


def status_of(connection: http.client.HTTPConnection, bound: str, proof: str) -> int:
    try:
        connection.request("GET", "/bound/a", headers={"Authorization": f"DPoP {bound}", "DPoP": proof})
        return connection.getresponse().status
    finally:
        connection.close()
