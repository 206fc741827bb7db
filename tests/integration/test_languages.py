"""Expressions of a language that another package brings, wherever a document may have a value."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.unit.policy.plans import principal, proven

from jwtgate.jose.key import Key
from jwtgate.jose.token import UnverifiedToken
from jwtgate.policy.expression import ExpressionFailed
from jwtgate.policy.plan import NO_ROUTE
from jwtgate.policy.request import RequestView
from jwtgate.policy.value import Known

from .gateway_process import GatewayProcess
from .rig import Upstream, document, token

SECRET = "a-secret-of-the-tests-that-nobody-has-guessed-0123456789"
ROOT = Path(__file__).parents[2]


def says(expression: str, **given: Any) -> dict[str, Any]:
    return {"language": "words", "expression": expression, "given": given}


LOGIN = {
    "status": says("given status", status=303),
    "headers": {"Location": says("path"), "Cache-Control": None, "X-Slot": says("slot"), "X-None": says("nothing")},
    "body": says("tokens"),
    "log": {"why": says("reason"), "who": says("tokens")},
}
TWO = {
    "first": {"issuers": ["main"]},
    "second": {"issuers": ["main"], "from": [{"value": says("field x-second")}], "answers": {"refusal": LOGIN}},
}
ROUTES = {
    "two": {"path": "/two/*", "auth": "required", "slots": TWO, "log": {"path": says("path")}, "upstream": "echo"},
    "signed": {"respond": {"body": says("signed any"), "headers": {"X-Again": says("signed any")}}},
    "signed-no": {
        "permission": "admin",
        "respond": {"body": "in"},
        "answers": {"*": {"body": says("signed any"), "headers": {"X-Again": says("signed any")}}},
    },
    "failing": {"respond": {"body": says("fail no such thing")}},
    "given": {
        "respond": {"json": says("given made", made={"of": "${env:MADE_OF}"}), "status": says("given code", code=201)}
    },
    "text": {"respond": {"body": says("${text}"), "content_type": says("given type", type="text/html")}},
    "empty": {"respond": {"status": 204, "body": "no"}},
    "closed": {"respond": {"refusal": "route_unknown"}},
    "moved": {
        "headers": {"X-Path": says("path"), "X-None": says("nothing"), "X-Null": says("given null", null=None)},
        "rewrite": {"path": says("given to", to="/new place"), "query": says("given query", query={"a": ["b", "c"]})},
        "response_headers": {"set": {"Server": says("claim sub")}, "add": {"X-More": says("claim sub")}},
        "upstream": "echo",
    },
    "named": {"permission": says("given name", name="admin"), "respond": {"body": "in"}},
}


def whole(upstream: str) -> str:
    made = document(upstream)
    made["signing"]["keys"] = {
        "default": {"alg": "ES256"},
        "any": {"alg": "HS256", "secret": SECRET, "signs_any_claims_for_legacy_readers": True},
    }
    usual = {"auth": "required", "issuers": ["main"]}
    made["routes"] = {
        name: route if name == "two" else {"path": f"/{name}/*", **usual, **route} for name, route in ROUTES.items()
    }
    made["issuers"]["main"]["permissions"] = {"claim": "may"}
    return json.dumps(made)


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the language is installed: what a package's metadata say of it."""
    folder = tmp_path_factory.mktemp("installed")
    metadata = folder / "small_language-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: small-language\nVersion: 1.0\n")
    point = "words = tests.integration.small_language:compiled"
    (metadata / "entry_points.txt").write_text(f"[jwtgate.expressions]\n{point}\n")
    return {"PYTHONPATH": f"{ROOT}:{folder}", "PYTHONDONTWRITEBYTECODE": "1", "MADE_OF": "paper"}


@pytest.fixture(scope="module")
def gateway(
    upstream: Upstream, environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path_factory.mktemp("gate"), whole(upstream.url), environ=environ) as gateway:
        yield gateway


@dataclass(frozen=True)
class Answer:
    """What a client was told."""

    status: int
    fields: list[tuple[str, str]]
    body: str

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field.lower() == name.lower()]


def ask(gateway: GatewayProcess, path: str, *, bearer: str | None = None, **fields: str) -> Answer:
    connection: http.client.HTTPConnection = gateway.connect()
    try:
        shown = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        connection.request("GET", path, headers={**shown, **{name.replace("_", "-"): fields[name] for name in fields}})
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read().decode())
    finally:
        connection.close()


def line(gateway: GatewayProcess, answer: Answer) -> dict[str, Any]:
    (name,) = answer.values("X-Request-Id")
    found: list[dict[str, Any]] = []
    gateway.until(lambda: found.extend(each for each in gateway.log() if each["id"] == name) or found)
    return found[0]


def test_a_slot_is_answered_in_its_own_words(gateway: GatewayProcess) -> None:
    answer = ask(gateway, "/two/a%20b", bearer=token())
    assert (answer.status, answer.body) == (303, '["first"]')
    assert answer.values("Location") == ["/two/a%20b"]
    assert answer.values("X-Slot") == ["second"]
    assert answer.values("Cache-Control") == answer.values("X-None") == []
    told = line(gateway, answer)
    assert told["log"] == {"path": "/two/a%20b", "why": "credential_missing", "who": ["first"]}


def test_another_slot_is_answered_as_usual(gateway: GatewayProcess) -> None:
    answer = ask(gateway, "/two/a")
    assert (answer.status, answer.values("Cache-Control")) == (401, ["no-store"])
    assert line(gateway, answer)["log"] == {"path": "/two/a"}


def test_a_credential_may_come_from_an_expression(gateway: GatewayProcess) -> None:
    assert ask(gateway, "/two/a", bearer=token(), X_Second=token()).status == 200
    assert ask(gateway, "/two/a", bearer=token(), X_Second="x").status == 303


@pytest.mark.parametrize(("path", "status"), [("signed", 200), ("signed-no", 403)])
def test_an_expression_may_have_a_token_signed(gateway: GatewayProcess, path: str, status: int) -> None:
    answer = ask(gateway, f"/{path}/a", bearer=token(sub="bob"))
    assert answer.status == status
    key = Key.secret(SECRET.encode(), alg="HS256")
    verified = UnverifiedToken.parse(answer.body).verify([key], {"HS256"})
    assert dict(verified.claims) == {"sub": "bob"}
    assert answer.values("X-Again") == [answer.body]


def test_an_expression_that_fails_is_our_fault(gateway: GatewayProcess) -> None:
    answer = ask(gateway, "/failing/a", bearer=token())
    assert answer.status == 500
    assert "no such thing" not in answer.body
    told = line(gateway, answer)
    assert told["reason"] == "expression_failed"
    assert (told["detail"]["cause"], told["detail"]["kind"]) == ("no such thing", "on_purpose")


def test_what_an_expression_is_given_may_refer_to_the_environment_and_its_text_never_does(
    gateway: GatewayProcess,
) -> None:
    answer = ask(gateway, "/given/a", bearer=token())
    assert (answer.status, answer.body) == (201, '{"of":"paper"}')
    answer = ask(gateway, "/text/a", bearer=token())
    assert (answer.values("Content-Type"), answer.body) == (["text/html"], "a text of its own")


def test_an_answer_without_a_body_says_nothing_of_one(gateway: GatewayProcess) -> None:
    answer = ask(gateway, "/empty/a", bearer=token())
    assert (answer.status, answer.body) == (204, "")
    assert answer.values("Content-Length") == answer.values("Content-Type") == []


def test_a_route_may_be_closed_to_whoever_may_use_it(gateway: GatewayProcess) -> None:
    assert ask(gateway, "/closed/a").status == 401
    answer = ask(gateway, "/closed/a", bearer=token())
    assert (answer.status, line(gateway, answer)["reason"]) == (404, "route_unknown")


def test_what_is_sent_on_may_be_worked_out(gateway: GatewayProcess, upstream: Upstream) -> None:
    for sub in ("alice", "bob"):
        upstream.forget()
        answer = ask(gateway, f"/moved/{sub}?old=1", bearer=token(sub=sub))
        (seen,) = upstream.requests
        assert seen.start == b"GET /new%20place?a=b&a=c HTTP/1.1"
        assert (seen.value("X-Path"), seen.value("X-None"), seen.value("X-Null")) == (f"/moved/{sub}", None, None)
        assert (answer.values("Server"), answer.values("X-More")) == ([sub], [sub])


def test_a_permission_may_be_worked_out(gateway: GatewayProcess) -> None:
    assert ask(gateway, "/named/a", bearer=token(may=["admin"])).body == "in"
    assert ask(gateway, "/named/a", bearer=token(may=["other"])).status == 403


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"language": "tongue", "expression": "path"}, "names the language 'tongue', which is not installed"),
        ({"language": "words", "expression": "?"}, "begins with a question"),
    ],
)
def test_a_document_with_what_is_no_expression_is_not_served(
    gateway: GatewayProcess, upstream: Upstream, value: dict[str, Any], sentence: str
) -> None:
    broken = json.loads(whole(upstream.url))
    broken["routes"]["text"]["respond"] = {"body": value}
    told = gateway.reload(json.dumps(broken))
    assert told["event"] == "reload_refused"
    assert sentence in json.dumps(told)
    assert ask(gateway, "/text/a", bearer=token()).status == 200


def test_the_language_of_the_page_says_what_the_page_has_it_say() -> None:
    page = (ROOT / "docs/how-to/expression-languages.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(code, "polite.py", "exec"), found)
    greeting = found["compiled"]("Dear {sub} of {house}", {"house": "York"})
    known = Known(NO_ROUTE, RequestView("GET", "", "", "/", "", ()), principal(access=proven()), 0)
    assert (greeting(known), greeting.of_request) == ("Dear alice of York", False)
    with pytest.raises(ExpressionFailed, match="there is no 'nobody'"):
        found["compiled"]("{nobody}", {})(known)
    with pytest.raises(ValueError, match="is no polite text"):
        found["compiled"]("\x00", {})
