"""What other gateways let pass, over real connections: each only where the document says so in words, and on a second
route that does not say it the same request is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from jwtgate.jose.key import Key, generate_key

from .loopback_server import LoopbackServer
from .rig import (
    AUDIENCE,
    OTHER_KEY,
    Client,
    Document,
    Gateway,
    Message,
    Upstream,
    document,
    later,
    request,
    response,
    token,
)

SECRET = "a secret of a consumer of the tests, all their own"
SECRET_KEY = Key.secret(SECRET.encode(), alg="HS256")
API_KEY = "an API key, with blanks & more"
FIRST, ROTATED = generate_key("ES256", kid="same"), generate_key("ES256", kid="same")
PREFIXES = ["Bearer ", "bearer "]
ANYWHERE = [
    {"header": "authorization", "prefix": PREFIXES, "blanks_after_prefix": True},
    {"query": "jwt"},
    {"cookie": "jwt"},
]
FIELDS = {"X-Consumer": {"consumer": "name"}, "X-Sub": {"claim": "sub"}, "X-Credential": {"consumer": "credential"}}
ANSWERS = {
    "route_unknown": {"status": 404, "body": '{"message":"no Route matched"}\n'},
    "*": {"headers": {"X-Why": {"refusal": "reason"}}},
}


def issuers(server: LoopbackServer, asked: Upstream) -> Document:
    fetched = {"audience": "any", "algorithms": ["ES256"], "keys": {"url": f"{server.url}/jwks"}}
    return {
        "fetched": {**fetched, "issuer": "https://rotating.example"},
        "patient": {
            **fetched,
            "iss_not_looked_at_for_legacy_issuer": True,
            "keys_fetched_again_after_wrong_signature": True,
        },
        "unsigned": {
            "audience": "any",
            "iss_not_looked_at_for_legacy_issuer": True,
            "signature_not_verified_for_legacy_issuer": True,
            "exp_not_looked_at_for_legacy_tokens": True,
        },
        "timeless": {
            "issuer": "https://timeless.example",
            "audience": "any",
            "algorithms": ["ES256"],
            "keys": {"jwks": {"keys": [OTHER_KEY.public().to_jwk()]}},
            "exp_claim": ["life", "end"],
            "leeway_seconds": 0,
        },
        "callers": {"consumers": {"claim": "iss", "header": "kid"}, "audience": "any"},
        "keys": {"consumers": {"api_key": True}, "audience": "any"},
        "asked": {
            "audience": "any",
            "introspection": {"endpoint": f"{asked.url}/introspect", "auth": "none", "hint": "any text"},
        },
    }


def routes() -> Document:
    seen = {"auth": "required", "headers": FIELDS, "upstream": "echo"}
    jwt = {"issuers": ["callers"], "from": ANYWHERE}
    key = {"issuers": ["keys"], "from": [{"header": "apikey"}, {"query": "apikey"}]}
    return {
        "equal": {"path": "/equal/*", **seen, **jwt, "equal_tokens_count_once_for_legacy_clients": True},
        "first": {"path": "/first/*", **seen, **jwt, "first_source_wins_for_legacy_clients": True},
        "strict": {"path": "/strict/*", **seen, **jwt},
        "fetched": {"path": "/fetched/*", **seen, "issuers": ["fetched"]},
        "patient": {"path": "/patient/*", **seen, "issuers": ["patient"]},
        "unsigned": {"path": "/unsigned/*", **seen, "issuers": ["unsigned"]},
        "timeless": {"path": "/timeless/*", **seen, "issuers": ["timeless"]},
        "key": {"path": "/key/*", **seen, **key},
        "either": {"path": "/either/*", **seen, "slots": {"jwt": jwt, "key": key}, "enough": "one_slot"},
        "both": {"path": "/both/*", **seen, "slots": {"jwt": jwt, "key": key}},
        "asked": {
            "path": "/asked/*",
            **seen,
            "issuers": ["main", "asked"],
            "scope": {"any": ["a b", "c"]},
            "introspected": {"scope": {"any": ["x y"]}, "consumer": {"claim": "sub"}},
            "answers": {
                "fault": {"status": 401, "fault_may_answer_401_for_legacy_clients": True},
                "scope_refused": {
                    "challenge": False,
                    "headers": {"WWW-Authenticate": {"cel": "'Bearer realm=\"' + request.host + '\"'"}},
                    "body": "{}\n",
                },
            },
        },
    }


CONSUMERS = {
    "ann": {
        "external_id": "alice",
        "credentials": {"ann-token": {"alg": "HS256", "secret": SECRET}, "ann-key": {"api_key": API_KEY}},
    }
}


class Rig:
    """A gateway, its upstream, an issuer of keys, and one that is asked."""

    def __init__(self, gateway: Gateway, upstream: Upstream, server: LoopbackServer, asked: Upstream) -> None:
        self.gateway, self.upstream, self.server, self.asked = gateway, upstream, server, asked

    def ask(self, target: str, *fields: str, bearer: str | None = None) -> Message:
        with Client(self.gateway.port) as client:
            return client.ask(request(target, *fields, bearer=bearer))

    def got(self, target: str, *fields: str, bearer: str | None = None) -> Message:
        """What the upstream received."""
        self.upstream.forget()
        assert self.ask(target, *fields, bearer=bearer).status == 200
        return self.upstream.one_request()

    def why(self, target: str, *fields: str, bearer: str | None = None) -> str | None:
        """The reason it was refused for."""
        answer = self.ask(target, *fields, bearer=bearer)
        assert answer.status >= 400
        return answer.value("X-Why")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with LoopbackServer() as server, Upstream() as upstream, Upstream() as asked:
        server.jwks = {"keys": [FIRST.public().to_jwk()]}
        whole = document(upstream.url, consumers=CONSUMERS, answers=ANSWERS)
        whole["issuers"] |= issuers(server, asked)
        whole["routes"] |= routes()
        with Gateway(whole) as gateway:
            yield Rig(gateway, upstream, server, asked)


def own_token(**changes: Any) -> str:
    return token(key=SECRET_KEY, alg="HS256", **{"iss": "ann-token", "aud": None, **changes})


def test_the_same_token_in_several_places_is_one_only_where_the_route_says_so(rig: Rig) -> None:
    mine, other = own_token(), own_token(sub="x")
    twice = (f"Authorization: Bearer   {mine}", f"Cookie: jwt={mine}")
    got = rig.got(f"/equal/a?jwt={mine}&n=1", *twice)
    assert (got.value("X-Consumer"), got.value("X-Credential")) == ("ann", "ann-token")
    assert mine.encode() not in got.raw_head
    assert rig.why(f"/strict/a?jwt={mine}", *twice) == "credential_repeated"
    assert rig.why(f"/equal/a?jwt={other}", *twice) == "credential_repeated"
    assert rig.got("/equal/a?jwt=", f"Cookie: jwt={mine}").value("X-Consumer") == "ann"
    assert rig.why("/equal/a?jwt=", "Cookie: jwt=") == "credential_missing"
    assert rig.why("/equal/a?jwt") == "credential_malformed"


def test_the_first_place_decides_only_where_the_route_says_so(rig: Rig) -> None:
    mine, bad = own_token(), own_token(exp=1)
    fields = (f"Authorization: Bearer {mine}", f"Authorization: Bearer {bad}")
    assert rig.got(f"/first/a?jwt={bad}", *fields).value("X-Consumer") == "ann"
    assert rig.why(f"/first/a?jwt={mine}", *reversed(fields)) == "token_expired"
    assert rig.why(f"/strict/a?jwt={bad}", *fields) == "credential_repeated"
    assert rig.why(f"/first/a?jwt={mine}", "Authorization: Bearer x") == "token_malformed"
    assert rig.got(f"/first/a?jwt={mine}", "Authorization: Basic eDp5").value("X-Consumer") == "ann"


def test_a_credential_is_named_in_the_claims_and_else_in_the_header(rig: Rig) -> None:
    assert rig.got("/strict/a", bearer=own_token()).value("X-Consumer") == "ann"
    named = SECRET_KEY.with_kid("ann-token")
    by_header = token(key=named, alg="HS256", iss=None, aud=None)
    assert rig.got("/strict/a", bearer=by_header).value("X-Consumer") == "ann"
    for claims, reason in (
        ({"iss": None}, "credential_not_named"),
        ({"iss": ""}, "credential_name_malformed"),
        ({"iss": "nobody"}, "credential_unknown"),
        ({"iss": "ann-key"}, "credential_unknown"),
    ):
        assert rig.why("/strict/a", bearer=own_token(**claims)) == reason


def test_an_api_key_leads_to_its_consumer_and_is_told_to_nobody(rig: Rig) -> None:
    got = rig.got("/key/a", f"apikey: {API_KEY}")
    assert (got.value("X-Consumer"), got.value("X-Credential"), got.value("apikey")) == ("ann", "ann-key", None)
    got = rig.got("/key/a?apikey=an+API%20key,+with+blanks+%26+more&n=1")
    assert (got.value("X-Consumer"), got.start.split()[1]) == ("ann", b"/key/a?n=1")
    for wrong in ("an API key", "ann-key", own_token()):
        assert rig.why("/key/a", f"apikey: {wrong}") == "credential_unknown"
    assert rig.why("/key/a") == "credential_missing"
    assert API_KEY.encode() not in rig.gateway.raw_log()


def test_one_of_several_slots_is_enough_only_where_the_route_says_so(rig: Rig) -> None:
    bearer, key = own_token(), f"apikey: {API_KEY}"
    assert rig.got("/either/a", key).value("X-Credential") == "ann-key"
    assert rig.got("/either/a", key, bearer=own_token(exp=1)).value("X-Credential") == "ann-key"
    assert rig.got("/either/a", bearer=bearer).value("X-Credential") == "ann-token"
    assert rig.why("/either/a") == "credential_missing"
    assert rig.why("/either/a", "apikey: wrong") == "credential_unknown"
    assert rig.why("/both/a", key) == rig.why("/both/a", bearer=bearer) == "credential_missing"
    assert rig.got("/both/a", key, bearer=bearer).value("X-Consumer") == "ann"


def test_keys_are_fetched_again_after_a_wrong_signature_only_where_the_issuer_says_so(rig: Rig) -> None:
    old, new = (token(key=key, iss="https://rotating.example") for key in (FIRST, ROTATED))
    for route in ("patient", "fetched"):
        assert rig.got(f"/{route}/a", bearer=old).value("X-Sub") == "alice"
    fetched = rig.server.jwks_requests
    rig.server.jwks = {"keys": [ROTATED.public().to_jwk()]}
    assert rig.why("/fetched/a", bearer=new) == "signature_wrong"
    assert rig.server.jwks_requests == fetched
    assert rig.got("/patient/a", bearer=new).value("X-Sub") == "alice"
    assert rig.server.jwks_requests == fetched + 1
    for _ in range(3):
        assert rig.why("/patient/a", bearer=token(key=OTHER_KEY.with_kid("same"))) == "signature_wrong"
    assert rig.why("/patient/a", bearer=old) == "signature_wrong"
    assert rig.server.jwks_requests == fetched + 1


@pytest.mark.parametrize("iss", ["https://anybody.example", None])
def test_any_issuer_is_taken_only_where_it_is_not_looked_at(rig: Rig, iss: str | None) -> None:
    key = ROTATED if rig.server.jwks == {"keys": [ROTATED.public().to_jwk()]} else FIRST
    bearer = token(key=key, iss=iss)
    assert rig.got("/patient/a", bearer=bearer).value("X-Sub") == "alice"
    assert rig.why("/fetched/a", bearer=bearer) == "issuer_unknown"


def test_a_signature_is_not_looked_at_only_where_the_issuer_says_so(rig: Rig) -> None:
    forged = token(key=OTHER_KEY, exp=1, sub="mallory")
    assert rig.got("/unsigned/a", bearer=forged).value("X-Sub") == "mallory"
    assert rig.why("/orders/a", bearer=forged) == "signature_wrong"
    for text, reason in (
        (f"eyJhbGciOiJub25lIn0.{forged.split('.')[1]}.AA", "alg_unreadable"),
        ("opaque", "token_malformed"),
        (token(key=OTHER_KEY, nbf=int(time.time()) + 600), "token_not_yet_valid"),
        (f"{forged.rpartition('.')[0]}.A", "signature_unreadable"),
    ):
        assert rig.why("/unsigned/a", bearer=text) == reason


def test_a_token_ends_with_the_claim_the_document_names_and_is_remembered_no_longer(rig: Rig) -> None:
    brief = token(key=OTHER_KEY, iss="https://timeless.example", exp=1, life={"end": int(time.time()) + 60})
    assert rig.got("/timeless/a", bearer=brief).value("X-Sub") == "alice"
    with later(60):
        assert rig.why("/timeless/a", bearer=brief) == "token_expired"
    assert rig.why("/timeless/a", bearer=token(key=OTHER_KEY, iss="https://timeless.example")) == "time_missing"


def test_introspected_tokens_are_asked_for_something_else(rig: Rig) -> None:
    rig.asked.script = answering(scope="y x", sub="alice", aud=AUDIENCE)
    assert rig.got("/asked/a", bearer="one").value("X-Consumer") == "ann"
    assert parse_qs(rig.asked.requests[-1].body.decode())["token_type_hint"] == ["any text"]
    rig.asked.script = answering(scope="a b", sub="alice")
    refused = rig.ask("/asked/a", bearer="two")
    assert (refused.status, refused.body) == (403, b"{}\n")
    assert refused.value("WWW-Authenticate") == 'Bearer realm="gate.example"'
    for scope, status in (("b a", 200), ("c", 200), ("x y", 403), ("a", 403)):
        assert rig.ask("/asked/a", bearer=token(scope=scope)).status == status


def test_a_fault_is_answered_with_401_only_where_the_route_says_so(rig: Rig) -> None:
    rig.asked.script = lambda served, _: served.close()
    assert rig.ask("/asked/a", bearer="three").status == 401


def test_a_request_no_route_takes_is_answered_as_the_document_says(rig: Rig) -> None:
    answer = rig.ask("/nowhere")
    assert (answer.status, answer.body) == (404, b'{"message":"no Route matched"}\n')


def answering(**members: object) -> Any:
    body = json.dumps({"active": True, **members}).encode()

    def script(served: Any, _: Message) -> None:
        served.send(response(body, "Content-Type: application/json"))

    return script
