import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jwtgate.cli.answer import Answer, token_name
from jwtgate.cli.checking import open_document
from jwtgate.cli.explaining import explain
from jwtgate.cli.outcome_report import Shown, report
from jwtgate.cli.request_text import parse_http

from ..oauth.proofs import BOUND, a_proof
from .conftest import NOON

Told = Callable[..., tuple[Answer, Any]]


@pytest.fixture
def told(document: Path) -> Told:
    """Explains a request and gives the answer and its value."""

    def tell(target: str, *fields: str, **shown: bool) -> tuple[Answer, Any]:
        asked = parse_http("\r\n".join([f"GET {target} HTTP/1.1", "Host: h", *fields]).encode())
        answer = report(
            explain(open_document(document), asked, client="127.0.0.1", now=NOON, offline=True), Shown(**shown)
        )
        return answer, answer.value

    return tell


def _bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


def test_an_allowed_request_is_told_room_by_room(told: Told, token: Callable[..., str]) -> None:
    text = token()
    answer, value = told("/orders/1", _bearer(text))
    assert answer.good
    assert (value["outcome"], value["route"], value["upstream"]) == ("allowed", "orders", "echo")
    (slot,) = value["slots"]
    assert slot["found_in"] == ["Authorization: Bearer"]
    assert slot["token"] == token_name(text)
    assert slot["header"] == {"alg": "ES256", "kid": "k1", "typ": "at+jwt"}
    assert (slot["issuer"], slot["key"], slot["good_until"]) == ("main", "k1", NOON + 90)
    assert slot["checks"][-2:] == ["tenant equals", "scope orders:read"]
    assert [entry["field"] for entry in value["sets"]] == ["X-JWT-Assertion", "X-Caller"]
    assert value["removes"] == ["authorization"]


def test_sec_148_names_of_claims_are_shown_and_no_value(told: Told, token: Callable[..., str]) -> None:
    answer, value = told("/orders/1", _bearer(token()))
    assert value["slots"][0]["claims"] == ["aud", "exp", "iss", "scope", "sub", "tenant"]
    assert value["sets"][0]["claims"] == ["aud", "exp", "iat", "iss", "jti", "sub"]
    assert "alice" not in answer.text + json.dumps(value)


def test_sec_35_no_token_is_shown(told: Told, token: Callable[..., str]) -> None:
    answer, value = told("/orders/1", _bearer(token()))
    assert "eyJ" not in answer.text + json.dumps(value)


def test_values_and_tokens_are_shown_to_those_who_ask(told: Told, token: Callable[..., str]) -> None:
    text = token()
    answer, value = told("/orders/1", _bearer(text), claims=True, tokens=True)
    assert value["slots"][0]["claims"]["sub"] == "alice"
    assert value["sets"][1]["value"] == "alice"
    assert value["slots"][0]["token"] == text
    assert value["sets"][0]["token"].startswith("eyJ")
    assert '"sub": "alice"' in answer.text


def test_a_refusal_tells_room_reason_sentence_and_detail(told: Told, token: Callable[..., str]) -> None:
    answer, value = told("/orders/1", _bearer(token(exp=NOON - 100)))
    assert not answer.good
    assert (value["outcome"], value["room"], value["slot"]) == ("refused", "claims", "access")
    assert (value["status"], value["reason"], value["sentence"]) == (401, "token_expired", "The token has expired.")
    assert value["detail"] == {"exp": NOON - 100}
    assert "token_expired in room claims, slot access" in answer.text
    assert "(not verified)" in answer.text


def test_a_scope_that_is_not_enough_tells_what_would_be(told: Told, token: Callable[..., str]) -> None:
    bad = _bearer(token(scope="secret:scope"))
    _, value = told("/orders/1", bad)
    assert value["detail"] == {"wanted": "orders:read", "granted": "(--show-claims)"}
    assert "scope orders:read" not in value["slots"][0]["checks"]
    assert told("/orders/1", bad, claims=True)[1]["detail"]["granted"] == ["secret:scope"]


def test_a_fault_is_told_as_one(told: Told, token: Callable[..., str]) -> None:
    answer, value = told("/orders/1", _bearer(token(iss="https://remote.example")))
    assert not answer.good
    assert (value["outcome"], value["status"], value["reason"]) == ("failed", 503, "issuer_unreachable")


def test_what_is_no_token_has_an_unreadable_header(told: Told) -> None:
    answer, value = told("/orders/1", _bearer("abc"))
    assert value["slots"][0]["header"] == {}
    assert "unreadable" in answer.text


def test_a_repeated_credential_is_told_without_one(told: Told) -> None:
    _, value = told("/orders/1", _bearer("a"), _bearer("b"))
    assert value["reason"] == "credential_repeated"
    assert "token" not in value["slots"][0]


def test_a_slot_that_may_be_empty_is_told_so(told: Told) -> None:
    answer, value = told("/shop")
    assert value["slots"] == [{"slot": "access", "required": False}]
    assert "access (optional): no credential" in answer.text


def test_a_cookie_is_told_as_the_place(told: Told, token: Callable[..., str]) -> None:
    _, value = told("/shop", f"Cookie: sid={token()}")
    assert value["slots"][0]["found_in"] == ["cookie sid"]


def test_an_unread_request_has_no_route(told: Told) -> None:
    answer, value = told("/orders/%2f")
    assert (value["room"], value["reason"]) == ("request", "path_not_canonical")
    assert "route" not in value
    assert not answer.good


def test_an_address_of_our_own_is_answered_by_us(told: Told) -> None:
    answer, value = told("/livez")
    assert answer.good
    assert value["outcome"] == "answered by the gateway"
    assert "livez" in answer.text


def test_sec_144_a_kid_cannot_move_the_cursor(told: Told) -> None:
    header = "eyJhbGciOiJFUzI1NiIsImtpZCI6IlxuXHUwMDFiWzJKIn0"  # {"alg":"ES256","kid":"\n\x1b[2J"}
    answer, _ = told("/orders/1", _bearer(f"{header}.e30.c2ln"))
    assert "\x1b[2J" not in answer.text
    assert "\\x1b[2J" in answer.text


def test_what_the_upstream_is_asked_for_instead_is_told(document: Path, told: Told) -> None:
    whole = json.loads(document.read_text())
    whole["routes"]["health"]["rewrite"] = {"strip_matched_prefix": True, "add_prefix": "/base", "method": "POST"}
    document.write_text(json.dumps(whole))
    answer, value = told("/health")
    assert (value["sends"], value["upstream"]) == ("POST /base", "echo")
    assert "POST /base" in answer.text


@pytest.mark.parametrize(
    ("rewrite", "sends"),
    [
        ({"path": {"cel": "'/users/' + token.access.sub"}, "query": {"request": "query"}}, "GET /users/alice?t=eyJ.x"),
        ({"query": {"constant": {"who": "alice"}}}, "GET /orders/1?who=alice"),
    ],
)
def test_sec_148_where_values_lead_is_told_to_those_who_ask(
    told: Told, document: Path, token: Callable[..., str], rewrite: dict[str, Any], sends: str
) -> None:
    _changed(document, rewrite=rewrite)
    answer, value = told("/orders/1?t=eyJ.x", _bearer(token()))
    assert value["sends"] == "GET (--show-claims)"
    assert "eyJ" not in answer.text + json.dumps(value)
    assert told("/orders/1?t=eyJ.x", _bearer(token()), claims=True)[1]["sends"] == sends


def test_a_route_that_answers_by_itself_is_told_so(document: Path, told: Told) -> None:
    whole = json.loads(document.read_text())
    whole["routes"]["gone"] = {"path": "/gone", "auth": "none", "respond": {"status": 410}}
    document.write_text(json.dumps(whole))
    answer, value = told("/gone")
    assert (value["outcome"], value["responds"]) == ("allowed", 410)
    assert "answered 410 by the route itself" in answer.text


def test_what_nobody_proved_is_told_so(document: Path, told: Told, token: Callable[..., str]) -> None:
    whole = json.loads(document.read_text())
    main = whole["issuers"]["main"]
    whole["issuers"]["unsigned"] = {
        "issuer": main["issuer"],
        "audience": "any",
        "signature_not_verified_for_legacy_issuer": True,
    }
    whole["routes"]["shop"]["issuers"] = ["unsigned"]
    document.write_text(json.dumps(whole))
    _, value = told("/shop", f"Cookie: sid={token()[:-6]}AAAAAA")
    assert (value["outcome"], value["slots"][0]["proof"]) == ("allowed", "its signature is not looked at")
    _, value = told("/orders/1", _bearer(f"{token()[:-6]}AAAAAA"))
    assert (value["outcome"], value["reason"]) == ("refused", "signature_wrong")


def test_an_api_key_is_told_by_the_name_of_its_credential_alone(document: Path, told: Told) -> None:
    whole = json.loads(document.read_text())
    whole["consumers"] = {"ann": {"credentials": {"ann-key": {"api_key": "an API key of ann, all her own"}}}}
    whole["issuers"]["keys"] = {"consumers": {"api_key": True}, "audience": "any"}
    whole["routes"]["keyed"] = {"path": "/keyed", "auth": "required", "issuers": ["keys"], "from": {"header": "apikey"}}
    whole["routes"]["keyed"]["upstream"] = "echo"
    document.write_text(json.dumps(whole))
    answer, value = told("/keyed", "apikey: an API key of ann, all her own")
    (slot,) = value["slots"]
    assert (slot["proof"], slot["checks"], value["consumer"]) == ("API key of credential ann-key", [], "ann")
    assert "all her own" not in answer.text
    assert told("/keyed", "apikey: x")[1]["reason"] == "credential_unknown"


def test_a_slot_that_stood_in_for_another_is_told_so(document: Path, told: Told, token: Callable[..., str]) -> None:
    whole = json.loads(document.read_text())
    slots = {"a": {"issuers": ["main"]}, "b": {"issuers": ["main"], "from": {"cookie": "sid"}}}
    whole["routes"]["either"] = {"path": "/either", "auth": "required", "slots": slots, "enough": "one_slot"}
    whole["routes"]["either"]["upstream"] = "echo"
    document.write_text(json.dumps(whole))
    answer, value = told("/either", _bearer(token(exp=1)), f"Cookie: sid={token()}")
    assert (value["outcome"], value["forgiven"]) == ("allowed", "token_expired")
    assert "goes on by another slot after token_expired" in answer.text


def test_a_proof_is_told_of_and_what_is_wrong_with_it(document: Path, told: Told, token: Callable[..., str]) -> None:
    text = json.loads(document.read_text())
    text["routes"]["orders"]["dpop"] = {}
    document.write_text(json.dumps(text))
    bound = token(cnf=BOUND)
    proof = a_proof(bound, htu="http://h/orders/1", iat=NOON)
    fields = (f"Authorization: DPoP {bound}", f"DPoP: {proof}")
    answer, value = told("/orders/1", *fields)
    assert answer.good
    (slot,) = value["slots"]
    assert slot["found_in"] == ["Authorization: DPoP"]
    assert "a proof for this request, made with the key the token is bound to" in slot["checks"]
    assert value["removes"] == ["authorization", "dpop"]
    answer, value = told("/orders/2", *fields)
    assert (value["room"], value["reason"], value["detail"]) == ("proof", "proof_wrong", {"cause": "htu"})
    assert proof not in answer.text


def _changed(document: Path, **route: object) -> None:
    text = json.loads(document.read_text())
    text["routes"]["orders"].update(route)
    document.write_text(json.dumps(text))


@pytest.mark.parametrize(
    ("source", "field", "place"),
    [
        ({"scheme": "bearer"}, "Authorization: BEARER  {}", "Authorization: Bearer"),
        ({"value": {"header": "X-Sent"}}, "X-Sent: {}", "a value of the document"),
    ],
)
def test_where_a_credential_of_a_scheme_or_a_value_stood_is_told(
    told: Told, document: Path, token: Callable[..., str], source: object, field: str, place: str
) -> None:
    _changed(document, **{"from": source})
    _, value = told("/orders/1", field.format(token()))
    assert (value["outcome"], value["slots"][0]["found_in"]) == ("allowed", [place])


def test_what_was_expected_is_told_and_its_values_to_those_who_ask(
    told: Told, document: Path, token: Callable[..., str]
) -> None:
    _changed(document, claims_equal={"constant": {"sub": "alice"}})
    assert "its claims equal what this request expects" in told("/orders/1", _bearer(token()))[1]["slots"][0]["checks"]
    bad = _bearer(token(sub="bob"))
    hidden = "(--show-claims)"
    assert told("/orders/1", bad)[1]["detail"] == {"claim": "sub", "got": hidden, "expected": hidden}
    assert told("/orders/1", bad, claims=True)[1]["detail"] == {"claim": "sub", "got": "bob", "expected": "alice"}


def test_a_value_that_fails_presents_nothing_to_the_report(told: Told, document: Path) -> None:
    _changed(document, **{"from": {"value": {"cel": "request.query.missing"}}})
    assert told("/orders/1")[1]["reason"] == "condition_not_met"
