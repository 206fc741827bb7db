from __future__ import annotations

import pytest

from jwtgate.dialects.couper.expressions.static import Needed, check, evaluated_statically, given_needed, needed_by
from jwtgate.dialects.couper.expressions.tree import read

ENV = {"A": "x", "N": "5"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"plain"', "plain"),
        ('"${env.A}-${env.N + 1}"', "x-6"),
        ("env.NONE", None),
        ('["a", to_upper(env.A)]', ["a", "X"]),
        ("{for k in [env.A] : k => [1]}", {"x": [1]}),
        ("couper.environment", "test"),
        ("[for request in [1] : request]", [1]),
        ("<<-E\n  a\n  E", "a\n"),
        ("300", 300),
    ],
)
def test_what_needs_no_request_has_a_value_at_once(text: str, value: object) -> None:
    assert evaluated_statically(text, ENV, environment="test") == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("request.method", "line 1, column 1: this cannot be known before there is a request"),
        ("{a = [\nrequest.context.J.sub]}", "line 2, column 1: this cannot be known"),
        ("unixtime()", "cannot be known"),
        ('jwt_sign("a", {})', "cannot be known"),
        ("backend_responses.a.status", "cannot be known"),
        ("a.b", "there is no variable a"),
        ("1 / 0", "the result is no number"),
        ("a +", "not an expression of HCL"),
    ],
)
def test_what_needs_one_or_fails_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        evaluated_statically(text, ENV)


def test_an_expression_is_checked_before_anything_is_known() -> None:
    check("merge(request.context.J, {a = unixtime() / 0})")
    for text in ("a.b", "none()", "saml_sso_url()", "a +", "to_lower()"):
        with pytest.raises(ValueError, match=r"line 1, column [14]"):
            check(text)


def names(*each: str) -> frozenset[str]:
    return frozenset(each)


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ('"a"', Needed()),
        ('"${env.A}${env["B"]}"', Needed(env=names("A", "B"))),
        ("env[env.A]", Needed(env=None)),
        ("request.context.J.sub", Needed(slots=names("J"))),
        ('request.context["a-b"].c', Needed(slots=names("a-b"))),
        (
            "request.context[env.A]",
            Needed(
                slots=None,
                env=names("A"),
                of_request=True,
                required_permission=True,
                granted_permissions=True,
            ),
        ),
        ("request.context.granted_permissions", Needed(granted_permissions=True)),
        ("request.context.required_permission", Needed(required_permission=True, of_request=True)),
        ("request.path", Needed(of_request=True)),
        ("request.json_body.a", Needed(body=True, of_request=True)),
        ("unixtime()", Needed(of_request=True)),
        ('jwt_sign("P", {a = request.context.J.b})', Needed(profiles=names("P"), slots=names("J"), of_request=True)),
        ("jwt_sign(env.A, {})", Needed(profiles=None, env=names("A"), of_request=True)),
        ("backend_responses.a.status", Needed(calls=names("a"), of_request=True)),
        ("backend_response.status", Needed(calls=names("default"), of_request=True)),
        ("backend_responses", Needed(calls=None, of_request=True)),
        ("couper.environment", Needed(environment=True)),
        ("[for request in [env.A] : request.body]", Needed(env=names("A"))),
        ("[for a in request.query.x : request.body[a]]", Needed(body=True, of_request=True)),
        ("[for a in env.A : a if a == env.B]", Needed(env=names("A", "B"))),
        ("{for a in env.A : env.B => env.C}", Needed(env=names("A", "B", "C"))),
        ("[{}][*][env.A]", Needed(env=names("A"))),
        ("{(env.A) = env.B}", Needed(env=names("A", "B"))),
    ],
)
def test_what_an_expression_looks_at_is_known(text: str, needed: Needed) -> None:
    assert given_needed(text) == needed
    assert needed_by(read(text)) == needed


def test_the_whole_request_needs_all_there_is() -> None:
    needed = given_needed("json_encode(request)")
    assert needed.slots is None
    assert needed.body
    assert needed.of_request


def test_only_what_looks_at_the_environment_alone_is_static() -> None:
    assert given_needed('"${env.A}${couper.environment}"').static
    for text in ("request.context.J.sub", "request.path", "unixtime()", "request.context.granted_permissions"):
        assert not given_needed(text).static
