from __future__ import annotations

import pytest
from tests.unit.dialects.couper.expressions.evaluating import value_of
from tests.unit.policy.plans import known, principal, proven, request

from jwtgate.dialects.couper.expressions.compiling import compiled_node
from jwtgate.dialects.couper.expressions.frame import Constant
from jwtgate.dialects.couper.expressions.tree import read
from jwtgate.policy.expression import ExpressionFailed


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("(1 + 2) * 3", 9),
        ("-2 - -3", 1),
        ("2 > 1 && 1 >= 1 || false", True),
        ("!(1 == 1)", False),
        ('1 != "1"', True),
        ("[1, {a = null}] == [1.0, {a = null}]", True),
        ("null == request.query.none", True),
        ('true ? 1 : "a"', 1),
        ('request.method == "GET" ? [1] : null', [1]),
        ('"${1.0}|${true}|${null}|${"x"}"', "1|true||x"),
        ('"${request.headers.none}"', ""),
        ('"a${request.headers.none}b"', "ab"),
        ('"${[1]}"', [1]),
        ("request.headers.none", None),
        ("request.none.none[3].none", None),
        ("{a = 1}.b.c", None),
        ('{a = {b = [1]}}["a"].b[0]', 1),
        ("[1, 2][request.query.none[0] == null ? 1 : 0]", 2),
        ('{(request.method) = 1, b = request.method, "c d" = 2}', {"GET": 1, "b": "GET", "c d": 2}),
        ('{"a" = 1, "a" = 2}', {"a": 2}),
        ("default(null, request.query.none, 5)", 5),
        ('default(null, "", 5)', ""),
        ("default(null)", None),
        ("can(request.query.none.a + 1)", False),
        ("can(request.method)", True),
        ("unixtime()", 1_800_000_000),
        ("merge([{a = 1}, {b = 2}]...)", {"a": 1, "b": 2}),
        ('join(",", [["a"], ["b"]]...)', "a,b"),
        ("false && null", False),
        ("true || null", True),
        ("9007199254740993 + 0", 9007199254740993),
    ],
)
def test_an_expression_has_the_value_of_hcl(text: str, result: object) -> None:
    assert value_of(text) == result


@pytest.mark.parametrize(
    "text",
    [
        "null + 1",
        "request.query.none ? 1 : 2",
        "!null",
        "1 && true",
        '"a${[1]}"',
        "1 / 0",
        "{(null) = 1}",
        "merge(null...)",
        "to_lower([]...)",
        "to_lower(request.query.none)",
        '"${request.query}!"',
        'relative_url("//[")',
    ],
)
def test_what_cannot_be_evaluated_fails(text: str) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        value_of(text)
    assert caught.value.kind == "evaluation"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a.b", "line 1, column 1: there is no variable a"),
        ('"${\na}"', "column"),
        ("{x = [\nnone()]}", "line 2, column 1: there is no function none"),
        ("oauth2_verifier()", "oauth2_verifier is not supported here"),
        ("saml_sso_url(1)", "saml_sso_url is not supported here"),
        ("to_lower()", "to_lower is given 0 arguments"),
        ("to_lower(1, 2)", "to_lower is given 2 arguments"),
        ("unixtime(1)", "unixtime is given 1 arguments"),
        ("jwt_sign([1]...)", "must be written out"),
        ("[for v in [1] : w]", "there is no variable w"),
        ("[for v in v : v]", "there is no variable v"),
    ],
)
def test_what_does_not_exist_is_refused_when_it_is_compiled(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        value_of(text)


@pytest.mark.parametrize("text", ["1 + 1", '"a${env.A}"', "merge({a = [1]}, {b = env})", "env.A == null ? 1 : 2"])
def test_what_no_request_changes_is_worked_out_once(text: str) -> None:
    assert isinstance(compiled_node(read(text), {"env": {"A": "x"}}), Constant)


def test_what_fails_without_a_request_fails_with_one() -> None:
    run = compiled_node(read("1 / 0"), {})
    assert not isinstance(run, Constant)


def test_arguments_are_values_of_this_request() -> None:
    here = known(principal(access=proven(sub="Alice", n=1e3)), view=request(method="POST"))
    text = '"${to_upper(request.context.J.sub)} ${request.method} ${request.context.J.n}"'
    assert value_of(text, here, slots={"J": "access"}) == "ALICE POST 1000"
