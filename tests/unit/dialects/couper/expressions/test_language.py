from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from tests.unit.policy.plans import known, principal, proven, request

from jwtgate.dialects.couper.expressions.language import compiled
from jwtgate.policy.expression import Asks, ExpressionFailed

GIVEN = {
    "env": {"A": "a"},
    "slots": {"J": "access"},
    "required_permission": '{get = "read"}',
    "profiles": {"P": {"key": "k", "claims": "{sub = request.context.J.sub}"}},
    "place": "couper.hcl:12,5",
}


def test_the_language_is_found_by_its_name() -> None:
    (found,) = entry_points(group="jwtgate.expressions", name="couper")
    assert found.value == "jwtgate.dialects.couper.expressions.language:compiled"


def test_an_expression_is_compiled_once_and_asked_often() -> None:
    expression = compiled('"${request.context.J.sub}:${request.method}"', GIVEN)  # type: ignore[arg-type]
    assert expression(known(principal(access=proven(sub="alice")))) == "alice:GET"
    assert expression(known(view=request(method="PUT"))) == ":PUT"
    assert expression.text == '"${request.context.J.sub}:${request.method}"'


def test_results_are_plain_json_in_the_order_of_their_names() -> None:
    value = compiled("{b = request.context.J.n, a = [request.context.J.n]}", GIVEN)(  # type: ignore[arg-type]
        known(principal(access=proven(n=1e3)))
    )
    assert value == {"a": [1000], "b": 1000}
    assert list(value) == ["a", "b"]  # type: ignore[call-overload]
    assert isinstance(compiled("request.context.J.n", GIVEN)(known(principal(access=proven(n=2.0)))), int)  # type: ignore[arg-type]


def test_a_failure_tells_its_place_and_kind() -> None:
    with pytest.raises(ExpressionFailed, match=r"^couper\.hcl:12,5: to_lower: string required, got null$") as caught:
        compiled("to_lower(request.query.none)", GIVEN)(known())  # type: ignore[arg-type]
    assert caught.value.kind == "evaluation"


@pytest.mark.parametrize(
    ("text", "of_request"),
    [("request.context.J.sub", False), ("env.A", False), ("request.path", True), ("unixtime()", True), ("1", False)],
)
def test_it_is_known_whether_a_request_takes_part(text: str, *, of_request: bool) -> None:
    assert compiled(text, {}).of_request is of_request


@pytest.mark.parametrize("text", ["request.context.required_permission", "[for v in [env.A] : v]", "@error_type"])
def test_an_expression_travels_as_plain_data(text: str) -> None:
    expression = compiled(text, GIVEN)  # type: ignore[arg-type]
    other = pickle.loads(pickle.dumps(expression))
    assert other.text == text
    assert other(known()) == expression(known())
    assert other.of_request == expression.of_request


def test_what_is_to_be_signed_travels_too() -> None:
    expression = pickle.loads(pickle.dumps(compiled('jwt_sign("P", {})', GIVEN)))  # type: ignore[arg-type]
    with pytest.raises(Asks) as caught:
        expression(known(principal(access=proven(sub="alice"))))
    assert expression.asks
    assert not compiled("env.A", {}).asks
    assert caught.value.need.claims == {"sub": "alice"}


def test_a_worker_reads_no_hcl() -> None:
    told = pickle.dumps(compiled('"${request.method}"', {})).hex()
    loads = f"import pickle, sys; pickle.loads(bytes.fromhex('{told}'))"
    code = f"{loads}; assert not {{'lark', 'hcl2'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("a b", {}),
        ("none", {}),
        ("@none", {}),
        ("1", {"required_permission": "a b"}),
        ('jwt_sign("P", {})', {"profiles": {"P": {"key": "k", "claims": "{a = none}"}}}),
    ],
)
def test_a_text_that_is_no_expression_is_refused(text: str, given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"line 1|there is no"):
        compiled(text, given)  # type: ignore[arg-type]
