"""What a token has to say: scenarios 32 to 35 of the published examples, and the order and the words of all checks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.seen import allowed, refused
from tests.dialects.couper.tokens import SECRET, T1, T2, compact, token

HEADER = {"alg": "HS256", "typ": "JWT"}
FAR = 9_999_999_999
BLOCKS: dict[str, tuple[str, ...]] = {
    "J": (),
    "sub": ('claims = { sub = "john.doe" }',),
    "path": ("claims = { pid = request.path_params.p }",),
    "registered": ('claims = { iss = "I", aud = "A" }',),
    "iss-number": ("claims = { iss = 1 }",),
    "aud-list": ('claims = { aud = ["A"] }',),
    "aud-header": ("claims = { aud = request.headers.x-aud }",),
    "required": ('required_claims = ["exp", "role"]',),
    "required-any": ('required_claims = ["x", "a.b"]',),
    "both": ('required_claims = ["r"]', 'claims = { iss = "I", s = "x", t = "y" }'),
    "number": ("claims = { n = 42 }",),
    "fraction": ("claims = { n = 1.5 }",),
    "truth": ("claims = { n = true }",),
    "deep": ('claims = { n = { a = [1, { b = "x" }], c = null } }',),
    "list": ("claims = { n = [1, 2] }",),
    "empty": ("claims = { n = [] }",),
    "empty-object": ("claims = { n = {} }",),
    "null": ("claims = { n = null }",),
    "undefined": ("claims = { n = request.headers.x-wanted }",),
    "merged": ('claims = merge({ n = request.method }, { "${"m"}" = to_lower("X") })',),
    "failing": ("claims = { n = to_number(request.headers.x-wanted) }",),
    "no-object": ("claims = request.path",),
    "nothing": ("claims = {}",),
    "earlier": ("claims = { n = request.context.J.n }", 'header = "x-second"'),
}
TOLD = """response {
      headers = { x-claims = json_encode(request.context.J) }
    }"""
SECOND = 'endpoint "/second" {\n    access_control = ["J", "earlier"]\n    response {}\n  }'


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    paths = {label: "/{p}/x" if label == "path" else f"/{label}" for label in BLOCKS}
    text = file(
        *(endpoint(path, label) for label, path in paths.items()),
        endpoint("/told", answer=TOLD),
        SECOND,
        definitions=tuple(jwt(label, *lines) for label, lines in BLOCKS.items()),
    )
    with CouperProcess(tmp_path_factory.mktemp("couper"), text) as running:
        yield running


def of(**claims: Any) -> str:
    """A token of the caller of the examples with these claims besides."""
    return token({"sub": "john.doe", **claims})


def invalid(couper: CouperProcess, label: str, text: str, *arguments: str, kind: str = "jwt_token_invalid") -> str:
    """What the log tells of this token behind the label."""
    answer = couper.ask(f"/{label}", *arguments, bearer=text)
    line = refused(couper, answer, kind)
    before, found, told = str(line["message"]).partition(f"access control error: {label}: ")
    assert (before, bool(found)) == ("", True), line
    return told


def test_32_a_claim_must_equal_what_is_wanted(couper: CouperProcess) -> None:
    allowed(couper.ask("/sub", bearer=T1))
    jane = invalid(couper, "sub", token({"sub": "jane"}))
    assert jane == 'unexpected value for claim sub, got "jane", expected "john.doe"'
    assert invalid(couper, "sub", token({"sbu": "john.doe"})) == "required claim is missing: sub"
    assert invalid(couper, "sub", token({"sub": "John.doe"})).startswith("unexpected value for claim sub")


def test_33_what_is_wanted_may_be_another_thing_for_each_request(couper: CouperProcess) -> None:
    mine = of(pid="a")
    for _ in range(2):
        allowed(couper.ask("/a/x", bearer=mine))
        line = refused(couper, couper.ask("/b/x", bearer=mine), "jwt_token_invalid")
        assert line["message"].endswith(': unexpected value for claim pid, got "a", expected "b"')
    allowed(couper.ask("/b/x", bearer=of(pid="b")))


@pytest.mark.parametrize("aud", ["A", ["A"], ["Z", "A"]])
def test_34_the_audience_is_one_of_those_named(couper: CouperProcess, aud: object) -> None:
    allowed(couper.ask("/registered", bearer=of(iss="I", aud=aud)))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "I", "aud": "Z"},
        {"iss": "I", "aud": ["Z"]},
        {"iss": "I", "aud": []},
        {"iss": "I", "aud": "a"},
        {"iss": "I", "aud": ["Z", "A", 1]},
        {"iss": "I"},
        {"iss": "i", "aud": "A"},
        {"iss": ["I"], "aud": "A"},
        {"aud": "A"},
    ],
)
def test_34_else_it_is_refused(couper: CouperProcess, claims: dict[str, Any]) -> None:
    assert invalid(couper, "registered", of(**claims)).startswith("token has invalid claims: ")


@pytest.mark.parametrize(("label", "claim"), [("iss-number", "iss"), ("aud-list", "aud")])
def test_34_issuer_and_audience_are_texts(couper: CouperProcess, label: str, claim: str) -> None:
    said = f"configuration error: {label}: invalid value type, string expected (claims / {claim})"
    for text in (of(iss=1, aud=["A"]), T2, "no.token"):
        answer = couper.ask(f"/{label}", bearer=text)
        assert refused(couper, answer, "configuration", status=500)["message"] == said
        assert answer.field("www-authenticate") is None
    assert refused(couper, couper.ask(f"/{label}"), "jwt_token_missing")


def test_34_an_audience_may_come_from_the_request(couper: CouperProcess) -> None:
    allowed(couper.ask("/aud-header", "--header", "X-Aud: B", bearer=of(aud=["B", "C"])))
    refused(couper, couper.ask("/aud-header", "--header", "X-Aud: D", bearer=of(aud=["B", "C"])), "jwt_token_invalid")


def test_35_required_claims_must_be_there(couper: CouperProcess) -> None:
    assert invalid(couper, "required", T1) == "required claim is missing: exp"
    assert invalid(couper, "required", of(role="x")) == "required claim is missing: exp"
    assert invalid(couper, "required", of(exp=FAR)) == "required claim is missing: role"
    allowed(couper.ask("/required", bearer=of(exp=FAR, role="x")))


def test_35_with_any_value(couper: CouperProcess) -> None:
    for value in (None, "", 0, False, [], {}, "x"):
        allowed(couper.ask("/required-any", bearer=of(**{"x": value, "a.b": value})))
    assert invalid(couper, "required-any", of(x=1, a={"b": 1})) == "required claim is missing: a.b"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("number", "42"),
        ("number", "42.0"),
        ("number", "4.2e1"),
        ("fraction", "1.5"),
        ("truth", "true"),
        ("deep", '{"c":null,"a":[1.0,{"b":"x"}]}'),
        ("list", "[1,2]"),
        ("empty", "[]"),
        ("empty-object", "{}"),
        ("null", "null"),
        ("undefined", "null"),
    ],
)
def test_values_are_equal_deeply(couper: CouperProcess, label: str, text: str) -> None:
    allowed(couper.ask(f"/{label}", bearer=compact(HEADER, f'{{"sub":"john.doe","n":{text}}}')))


@pytest.mark.parametrize(
    ("label", "value", "wanted"),
    [
        ("number", 41, "42"),
        ("number", "42", "42"),
        ("number", 42.5, "42"),
        ("number", True, "42"),
        ("number", None, "42"),
        ("fraction", 2, "1.5"),
        ("truth", 1, "true"),
        ("truth", "true", "true"),
        ("truth", False, "true"),
        ("deep", {"a": [1, {"b": "x"}]}, None),
        ("deep", {"a": [1, {"b": "x"}], "c": None, "d": 1}, None),
        ("deep", {"a": [1, {"b": "y"}], "c": None}, None),
        ("list", [2, 1], "[1,2]"),
        ("list", [1, 2, 3], "[1,2]"),
        ("list", [1], "[1,2]"),
        ("list", 1, "[1,2]"),
        ("empty", None, "[]"),
        ("empty", {}, "[]"),
        ("empty", [1], "[]"),
        ("empty-object", [], "{}"),
        ("null", "", "null"),
        ("null", False, "null"),
        ("undefined", "x", "null"),
    ],
)
def test_else_they_differ(couper: CouperProcess, label: str, value: object, wanted: str | None) -> None:
    told = invalid(couper, label, of(n=value))
    assert told.startswith(f"unexpected value for claim n, got {json.dumps(value, separators=(',', ':'))[:5]}"), told
    assert wanted is None or told.endswith(f", expected {wanted}")


@pytest.mark.parametrize("label", ["number", "null", "undefined", "empty"])
def test_null_is_not_nothing(couper: CouperProcess, label: str) -> None:
    assert invalid(couper, label, T1) == "required claim is missing: n"


def test_what_is_wanted_is_any_expression(couper: CouperProcess) -> None:
    allowed(couper.ask("/merged", bearer=of(n="GET", m="x")))
    assert invalid(couper, "merged", of(n="GET", m="X")).startswith("unexpected value for claim m")
    assert invalid(couper, "merged", of(n="GET", m="x"), "--request", "POST").startswith("unexpected value for claim n")
    allowed(couper.ask("/undefined", "--header", "X-Wanted: a", bearer=of(n="a")))
    allowed(couper.ask("/nothing", bearer=T1))


def test_an_access_control_may_look_at_the_one_before(couper: CouperProcess) -> None:
    mine, header = of(n=1), "X-Second: %s"
    assert couper.ask("/second", "--header", header % of(n=1), bearer=mine).status == 200
    answer = couper.ask("/second", "--header", header % of(n=2), bearer=mine)
    told = refused(couper, answer, "jwt_token_invalid")["message"]
    assert told == "access control error: earlier: unexpected value for claim n, got 2, expected 1"


def test_an_expression_that_fails_is_no_fault_of_the_caller(couper: CouperProcess) -> None:
    for text in (of(n=1), "no.token"):
        answer = couper.ask("/failing", "--header", "X-Wanted: x", bearer=text)
        line = refused(couper, answer, "evaluation", status=500)
        assert line["message"].startswith("expression evaluation error: couper.hcl:")
    allowed(couper.ask("/failing", "--header", "X-Wanted: 1", bearer=of(n=1)))
    refused(couper, couper.ask("/no-object", bearer=T1), "configuration", status=500)
    refused(couper, couper.ask("/failing"), "jwt_token_missing")


def test_the_first_check_that_fails_is_told_and_expiry_before_its_like(couper: CouperProcess) -> None:
    expired = "token has invalid claims: token is expired"
    assert invalid(couper, "both", of(exp=1, iss="X"), kind="jwt_token_expired") == expired
    assert invalid(couper, "both", of(exp=1, nbf=FAR, iss="I"), kind="jwt_token_expired").startswith(expired)
    assert invalid(couper, "both", of(iss="X")) == "token has invalid claims: token has invalid issuer"
    assert invalid(couper, "both", of(iss="I")) == "required claim is missing: r"
    assert invalid(couper, "both", of(iss="I", r=None)) == "required claim is missing: s"
    assert invalid(couper, "both", of(iss="I", r=1, s="x")) == "required claim is missing: t"
    assert invalid(couper, "both", of(iss="I", r=1, s="z")).startswith("unexpected value for claim s")
    allowed(couper.ask("/both", bearer=of(iss="I", r=1, s="x", t="y")))
    unsigned = compact(HEADER, {"exp": 1}, lambda _: b"\x00" * 32)
    assert invalid(couper, "both", unsigned) == "token signature is invalid: signature is invalid"


@pytest.mark.parametrize("exp", [0, 0.0, FAR, FAR + 0.5, 1e10])
def test_a_token_may_have_an_end_or_none(couper: CouperProcess, exp: float) -> None:
    allowed(couper.ask("/J", bearer=of(exp=exp)))


@pytest.mark.parametrize("exp", [1, 1.5, 1_700_000_000])
def test_a_token_whose_end_has_come_is_expired(couper: CouperProcess, exp: float) -> None:
    told = invalid(couper, "J", of(exp=exp), kind="jwt_token_expired")
    assert told == "token has invalid claims: token is expired"
    assert invalid(couper, "J", of(exp=int(time.time()) - 3), kind="jwt_token_expired")


@pytest.mark.parametrize("name", ["exp", "nbf"])
@pytest.mark.parametrize("value", ["9999999999", None, True, [], {}])
def test_a_time_is_a_number(couper: CouperProcess, name: str, value: object) -> None:
    assert invalid(couper, "J", of(**{name: value})).startswith("token has invalid claims: ")


def test_a_token_begins_a_second_early(couper: CouperProcess) -> None:
    allowed(couper.ask("/J", bearer=of(nbf=int(time.time()) + 1)))
    told = invalid(couper, "J", of(nbf=int(time.time()) + 60))
    assert told == "token has invalid claims: token is not valid yet"
    allowed(couper.ask("/J", bearer=of(nbf=1.5)))


@pytest.mark.parametrize("iat", [FAR, "yesterday", None, -1])
def test_when_it_was_issued_is_not_looked_at(couper: CouperProcess, iat: object) -> None:
    allowed(couper.ask("/J", bearer=of(iat=iat)))


@pytest.mark.parametrize(
    "more", [{"typ": "at+jwt"}, {"typ": "anything"}, {"cty": "x"}, {"kid": "any"}, {"b64": True}, {"x": {"y": [1]}}]
)
def test_the_rest_of_a_header_is_not_looked_at(couper: CouperProcess, more: dict[str, Any]) -> None:
    allowed(couper.ask("/J", bearer=compact({"alg": "HS256", **more}, {"sub": "john.doe"})))


@pytest.mark.parametrize("crit", [["unknown"], ["exp"], ["b64"], [], "exp", None])
def test_a_header_that_must_be_understood_is_refused(couper: CouperProcess, crit: object) -> None:
    text = compact({**HEADER, "crit": crit, "exp": 1, "unknown": 1}, {"sub": "john.doe"})
    assert invalid(couper, "J", text).startswith("token is malformed: ")


SEGMENTS = "token is malformed: token contains an invalid number of segments"
H, C, S = T1.split(".")


@pytest.mark.parametrize("text", ["x", "a.b", f"{T1}.", f"{T1}.x", f"{H}.{C}", f"{T1}.a.b", "..."])
def test_a_token_has_three_segments(couper: CouperProcess, text: str) -> None:
    assert invalid(couper, "J", text) == SEGMENTS


@pytest.mark.parametrize(
    "text",
    [
        "..",
        f"{H}=.{C}.{S}",
        f"{H}.{C}==.{S}",
        f"{H}.{C[:-1]}!.{S}",
        f"!{H}.{C}.{S}",
        compact("no json", {}),
        compact("[]", {}),
        compact('{"alg":"HS256"', {}),
        compact(HEADER, "no json"),
        compact(HEADER, "[]"),
        compact(HEADER, "null"),
        compact(HEADER, '{"sub":"john.doe","sub":"john.doe"}'),
    ],
)
def test_segments_are_base64url_of_objects(couper: CouperProcess, text: str) -> None:
    assert invalid(couper, "J", text).startswith("token is malformed: ")


def test_nothing_of_a_bad_token_is_written_anywhere(couper: CouperProcess) -> None:
    answer = couper.ask("/J", bearer=f"{T1}TAIL")
    line = refused(couper, answer, "jwt_token_invalid")
    assert S not in json.dumps(line)
    assert not {"signature", "segments"} & set(answer.body.split())
    assert "token" not in answer.body
    assert SECRET not in couper.journal()


def test_claims_are_published_as_they_are(couper: CouperProcess) -> None:
    claims = {"sub": 1234567890, "aud": [1], "iss": {"a": 1}, "jti": 7, "n": 1.5, "t": True, "x": None, "o": {"b": [2]}}
    answer = couper.ask("/told", bearer=token(claims))
    assert answer.status == 200, couper.line(answer)
    assert json.loads(answer.field("x-claims") or "") == claims
    shown = couper.ask("/J", bearer=token({"sub": 1234567890}))
    assert (shown.status, shown.field("x-sub")) == (200, "1234567890")


def test_the_first_of_several_tokens_is_meant(couper: CouperProcess) -> None:
    first, second = f"Authorization: Bearer {T1}", f"Authorization: Bearer {T2}"
    allowed(couper.ask("/J", "--header", first, "--header", second))
    refused(couper, couper.ask("/J", "--header", second, "--header", first), "jwt_token_expired")


def test_claims_of_a_block_are_expressions_that_can_be_read(tmp_path: Path) -> None:
    def said(line: str) -> str:
        return mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", line),)))

    assert said("claims = { a = }").startswith("couper.hcl:")
    assert said("claims = { a = nobody(1) }").startswith("couper.hcl:16,20-21: ")
    assert said('required_claims = "exp"').startswith("couper.hcl:16,")
    assert said("required_claims = [request.path]").startswith("couper.hcl:16,")
    assert said("required_claims = null") == ""
    assert said("required_claims = []") == ""
