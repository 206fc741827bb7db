"""Where a token may stand: scenarios 1 to 20 of the published examples."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from itertools import combinations
from pathlib import Path

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.seen import allowed, refused
from tests.dialects.couper.tokens import T1, T2, T4, token, unsigned
from tests.dialects.dialect_process import Answer
from tests.integration.background_server import BackgroundServer, QuietHandler

BEARERS = {
    "J": "",
    "true": "bearer = true",
    "false": "bearer = false",
    "header": 'header = "Authorization"',
    "any-case": 'header = "aUtHoRiZaTiOn"',
}
OTHERS = {
    "raw": 'header = "x-token"',
    "cookie": 'cookie = "tok"',
    "query": "token_value = request.query.tok[0]",
    "json": "token_value = request.json_body.token",
    "form": "token_value = request.form_body.token[0]",
    "body": "token_value = request.body",
}
UNCACHED = ("open", "disable_private_caching = true")


class _Echo(QuietHandler, BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    public = 'response { headers = { cache-control = "public" } }'
    with BackgroundServer(_Echo) as upstream:
        text = file(
            *(endpoint(f"/{label}", label) for label in (*BEARERS, *OTHERS)),
            endpoint("/public", answer=public),
            endpoint("/open", "open", answer="response {}"),
            endpoint("/open/public", "open", answer=public),
            endpoint("/echo", "json", answer=f'proxy {{ backend {{ origin = "{upstream.url}" }} }}'),
            definitions=tuple(jwt(label, line) for label, line in (*BEARERS.items(), *OTHERS.items(), UNCACHED)),
        )
        with CouperProcess(tmp_path_factory.mktemp("couper"), text) as running:
            yield running


@pytest.mark.parametrize("level", ["server", "api", "endpoint"])
def test_1_a_block_is_referenced_at_any_level(tmp_path: Path, level: str) -> None:
    here = {each: 'access_control = ["J"]' if each == level else "" for each in ("server", "api", "endpoint")}
    answer = "response { headers = { x-sub = request.context.J.sub } }"
    inner = f'endpoint "/p" {{ {here["endpoint"]}\n {answer} }}'
    text = f"server {{\n{here['server']}\napi {{\n{here['api']}\n{inner}\n}}\n}}\ndefinitions {{\n{jwt()}\n}}\n"
    with CouperProcess(tmp_path, text) as couper:
        answer_without = couper.ask()
        assert (answer_without.status, couper.line(answer_without)["error_type"]) == (401, "jwt_token_missing")
        error = answer_without.value["error"]
        assert (error["status"], error["message"], error["path"]) == (401, "access control error", "/p")
        allowed(couper.ask(bearer=T1))


def test_2_a_block_without_a_label_does_not_start(tmp_path: Path) -> None:
    assert "missing label" in mistakes(tmp_path, file(endpoint(), definitions=("jwt {}", jwt())))


def test_3_an_unknown_label_does_not_start(tmp_path: Path) -> None:
    assert 'referenced access control "nope" is not defined' in mistakes(tmp_path, file(endpoint("/p", "nope")))


def cache_control(answer: Answer) -> list[str]:
    """The values of `Cache-Control`."""
    return sorted(each.strip() for name, value in answer.fields if name == "cache-control" for each in value.split(","))


def test_4_answers_to_callers_are_private(couper: CouperProcess) -> None:
    assert cache_control(couper.ask("/J")) == ["private"]
    assert cache_control(couper.ask("/J", bearer=T1)) == ["private"]


def test_5_what_an_endpoint_says_itself_stays(couper: CouperProcess) -> None:
    assert cache_control(couper.ask("/public", bearer=T1)) == ["private", "public"]
    assert cache_control(couper.ask("/public")) == ["private"]


def test_6_private_caching_can_be_left_out(couper: CouperProcess) -> None:
    assert cache_control(couper.ask("/open", bearer=T1)) == []
    assert cache_control(couper.ask("/open/public", bearer=T1)) == ["public"]
    assert cache_control(couper.ask("/open")) == []


@pytest.mark.parametrize("label", BEARERS)
def test_7_8_9_10_a_bearer_token_is_looked_for_in_authorization(couper: CouperProcess, label: str) -> None:
    for scheme in ("Bearer ", "bEaReR ", "Bearer   "):
        allowed(couper.ask(f"/{label}", "--header", f"Authorization: {scheme}{T1}"))
    basic = couper.ask(f"/{label}", "--header", "Authorization: Basic abc")
    line = refused(couper, basic, "jwt_token_missing")
    assert line["message"].endswith('auth scheme "Bearer" required in authorization header')
    nothing = couper.ask(f"/{label}", "--header", "Authorization: Bearer")
    assert refused(couper, nothing, "jwt_token_missing")["message"].endswith("token required")


def test_10_a_header_that_means_bearer_is_told_of(couper: CouperProcess) -> None:
    told = [line for line in couper.journal().splitlines() if "deprecated" in line]
    assert any('jwt \\"header\\"' in line for line in told)
    assert any('jwt \\"any-case\\"' in line for line in told)


def test_11_another_header_is_taken_as_it_stands(couper: CouperProcess) -> None:
    allowed(couper.ask("/raw", "--header", f"X-Token: {T1}"))
    with_scheme = couper.ask("/raw", "--header", f"X-Token: Bearer {T1}")
    refused(couper, with_scheme, "jwt_token_invalid")
    absent = couper.ask("/raw")
    refused(couper, absent, "jwt_token_missing")
    assert [with_scheme.field("www-authenticate"), absent.field("www-authenticate")] == [None, None]


def test_12_a_cookie_is_found_by_its_exact_name(couper: CouperProcess) -> None:
    allowed(couper.ask("/cookie", "--header", f"Cookie: a=b; tok={T1}"))
    other = couper.ask("/cookie", "--header", f"Cookie: TOK={T1}")
    refused(couper, other, "jwt_token_missing")
    assert other.field("www-authenticate") is None


def test_13_a_token_may_stand_in_the_query(couper: CouperProcess) -> None:
    allowed(couper.ask(f"/query?tok={T1}"))
    line = refused(couper, couper.ask("/query"), "jwt_token_missing")
    assert line["message"] == "access control error: query: token required"


def test_14_a_token_may_stand_in_a_body_of_json(couper: CouperProcess) -> None:
    as_json = ("--header", "Content-Type: application/json", "--data")
    allowed(couper.ask("/json", *as_json, f'{{"token":"{T1}"}}'))
    refused(couper, couper.ask("/json", *as_json, '{"token":""}'), "jwt_token_missing")
    body = f'{{ "token" : "{T1}",  "x":1}}'
    assert couper.ask("/echo", *as_json, body).body == body


def test_15_a_token_may_stand_in_a_form_or_be_the_body(couper: CouperProcess) -> None:
    allowed(couper.ask("/form", "--data", f"token={T1}"))
    refused(couper, couper.ask("/form", "--data", "token="), "jwt_token_missing")
    allowed(couper.ask("/body", "--header", "Content-Type: text/plain", "--data", T1))


@pytest.mark.parametrize(
    "pair",
    list(combinations(("bearer = true", 'cookie = "c"', 'header = "h"', "token_value = request.query.t[0]"), 2)),
)
def test_16_two_sources_do_not_start(tmp_path: Path, pair: tuple[str, str]) -> None:
    said = mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", *pair),)))
    assert "configuration error: J: only one of bearer, cookie, header or token_value attributes is allowed" in said


def test_17_18_19_a_bearer_is_told_what_to_bring(couper: CouperProcess) -> None:
    missing = couper.ask("/J")
    refused(couper, missing, "jwt_token_missing")
    assert missing.field("www-authenticate") == "Bearer"
    expired = couper.ask("/J", bearer=T2)
    refused(couper, expired, "jwt_token_expired")
    assert expired.field("www-authenticate") == (
        'Bearer error="invalid_token", error_description="The access token expired"'
    )
    broken = couper.ask("/J", bearer=T4)
    refused(couper, broken, "jwt_token_invalid")
    assert broken.field("www-authenticate") == 'Bearer error="invalid_token"'


def test_20_nobody_may_leave_out_the_signature(couper: CouperProcess) -> None:
    line = refused(couper, couper.ask("/J", bearer=unsigned({"sub": "john.doe"})), "jwt_token_invalid")
    assert "signing method none is invalid" in line["message"]


def test_a_secret_of_somebody_else_is_no_good(couper: CouperProcess) -> None:
    line = refused(couper, couper.ask("/J", bearer=token({"sub": "x"}, secret="asdf")), "jwt_token_invalid")
    assert "token signature is invalid: signature is invalid" in line["message"]
    assert "asdf" not in couper.journal()
