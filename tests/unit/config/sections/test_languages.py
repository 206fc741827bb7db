from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, cast

import pytest
from tests.unit.config.conftest import GOOD

from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.languages import Languages
from jwtgate.config.sections.languages import installed as installed_here
from jwtgate.errors import ConfigError
from jwtgate.policy.plan import Plan, Route
from jwtgate.policy.provisions import Origin
from jwtgate.policy.value import Known


@dataclass(frozen=True)
class Shout:
    """An expression of a language in which every text is its own value, as loudly as it is given."""

    text: str
    times: int = 1

    def __call__(self, known: Known) -> object:
        return self.text.upper() * self.times


@dataclass(frozen=True)
class OfCaller(Shout):
    """The same, and the request takes no part in it."""

    of_request: bool = False


@dataclass(frozen=True)
class Offered:
    """An entry point as far as it is looked at."""

    name: str
    load: Callable[[], object]
    value: str = "acme.shout:compiled"


def shout(text: str, given: Mapping[str, Any]) -> Shout:
    if not text.isalpha() and not text.startswith("$"):
        raise ValueError("shouts only letters")
    return OfCaller(text) if given.get("caller") else Shout(text, given.get("times", 1))


def languages(*offered: Offered) -> Languages:
    return Languages(lambda: cast("list[EntryPoint]", list(offered or (Offered("shout", lambda: shout),))))


def read(header: object, *, found: Languages | None = None, **more: object) -> Document:
    whole = deepcopy(GOOD)
    whole["routes"]["orders"] |= {"headers": {"X-Said": header}, **more}
    return load_document(
        json.dumps(whole).encode(),
        name="gate.json",
        folder=Path("/etc/gate"),
        resolve=lambda text: text.replace("${env:TIMES}", "3"),
        languages=found or languages(),
    )


def load(header: object, *, found: Languages | None = None) -> Plan:
    return compile_document(read(header, found=found))


def orders(plan: Plan) -> Route:
    return next(route for route in plan.routes if route.name == "orders")


def mistake(header: object, *, found: Languages | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(header, found=found)
    (problem,) = caught.value.problems
    return problem


def test_a_value_may_be_an_expression_of_an_installed_language() -> None:
    route = orders(load({"language": "shout", "expression": "hello", "given": {"times": 2}}))
    value = route.identity[0].value
    assert (value.origin, value.language) == (Origin.LANGUAGE, Shout("hello", 2))
    assert not route.remembered
    assert route.templates == ("/orders/*",)


def test_one_that_looks_at_the_caller_alone_is_remembered() -> None:
    assert orders(load({"language": "shout", "expression": "hello", "given": {"caller": True}})).remembered


def test_what_looks_like_a_reference_in_an_expression_is_its_own() -> None:
    route = orders(load({"language": "shout", "expression": "${env:TIMES}", "given": {"caller": "${env:TIMES}"}}))
    assert route.identity[0].value.language == OfCaller("${env:TIMES}")


def test_a_plan_with_expressions_travels_to_other_processes() -> None:
    value = orders(pickle.loads(pickle.dumps(load({"language": "shout", "expression": "hi"})))).identity[0].value
    assert value.language == Shout("hi")


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"language": "sing", "expression": "hello"}, "the language 'sing', which is not installed"),
        ({"language": "sing", "expression": "hello"}, "there are: shout"),
        ({"language": "shout", "expression": "a b"}, "shouts only letters"),
        ({"language": "shout"}, "a language needs an expression"),
        ({"claim": "sub", "expression": "hello"}, "expression and given stand beside language only"),
        ({"claim": "sub", "given": {}}, "expression and given stand beside language only"),
        ({"language": "shout", "expression": "hello", "claim": "sub"}, "needs exactly one of"),
    ],
)
def test_what_is_no_expression_is_a_mistake_at_its_place(header: object, sentence: str) -> None:
    problem = mistake(header)
    assert "routes.orders.headers.X-Said" in problem
    assert sentence in problem


def fails() -> object:
    raise ImportError("no parser")


@pytest.mark.parametrize(
    ("offered", "sentence"),
    [
        ((Offered("shout", lambda: shout), Offered("shout", lambda: shout, "b:c")), "which several packages offer"),
        ((Offered("shout", fails),), "cannot be loaded: ImportError('no parser')"),
        ((Offered("shout", lambda: "text"),), "which is no function"),
        ((Offered("other", lambda: shout),), "there are: other"),
    ],
)
def test_a_language_that_cannot_be_used_is_a_mistake(offered: tuple[Offered, ...], sentence: str) -> None:
    assert sentence in mistake({"language": "shout", "expression": "hello"}, found=languages(*offered))


class Unsendable(Shout):
    """An expression that no other process can be sent."""

    def __reduce__(self) -> Any:
        raise TypeError("it holds a parser")


def stumbles(text: str, given: Mapping[str, Any]) -> Shout:
    raise LookupError(text)


@pytest.mark.parametrize(
    ("compiled", "sentence"),
    [
        (lambda text, given: Unsendable(text), "gives nothing that can be sent to another process: TypeError"),
        (lambda text, given: lambda known: text, "gives no expression: function"),
        (lambda text, given: "hello", "gives no expression: str"),
        (stumbles, "failed: LookupError"),
    ],
)
def test_sec_163_a_language_that_fails_is_a_mistake_and_ends_nothing(compiled: object, sentence: str) -> None:
    assert sentence in mistake(
        {"language": "shout", "expression": "hello"}, found=languages(Offered("shout", lambda: compiled))
    )


def test_nothing_is_loaded_that_no_document_names() -> None:
    found = languages(Offered("broken", fails), Offered("shout", lambda: shout))
    assert found.compiled("shout", "hello", {}) == Shout("hello")
    load("plain", found=Languages(lambda: (_ for _ in [fails()])))


def test_an_expression_is_compiled_once_for_all_that_write_it() -> None:
    found = languages()
    assert found.compiled("shout", "a", {"times": 2}) is found.compiled("shout", "a", {"times": 2})
    assert found.compiled("shout", "a", {"times": 3}) == Shout("a", 3)


def test_expressions_that_are_kept_do_not_grow_without_end() -> None:
    found = languages()
    first = found.compiled("shout", "a", {})
    for times in range(5000):
        found.compiled("shout", "a", {"times": times})
    assert found.compiled("shout", "a", {}) is not first


def test_the_languages_of_this_environment_are_found() -> None:
    assert all(each.group == "jwtgate.expressions" for each in installed_here())


def test_an_expression_in_the_log_is_dangerous_and_elsewhere_it_is_not() -> None:
    hello = {"language": "shout", "expression": "hello"}
    answers = {"refusal": {"log": {"said": hello}, "body": hello}}
    found = dangers(read(hello, log={"said": hello}, answers=answers))
    sentence = "nobody can see whether the expression has a credential stand in the log"
    assert set(found) == {f"routes.orders.{place}: {sentence}" for place in ("log.said", "answers.refusal.log.said")}
    assert dangers(read(hello)) == ()


def test_sec_116_so_is_one_that_finds_a_credential() -> None:
    (danger,) = dangers(read("plain", **{"from": {"value": {"language": "shout", "expression": "hello"}}}))
    assert danger.startswith("routes.orders.from: nobody can see where the expression finds a token")
