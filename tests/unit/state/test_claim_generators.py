from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import Any, cast

import pytest

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.policy.facts import NeedClaims
from jwtgate.policy.sources import ClaimGenerator
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.claim_generators import installed as installed_here

CONTEXT: Mapping[str, Any] = MappingProxyType(
    {"claims": MappingProxyType({"sub": "ada", "roles": ["admin"]}), "consumer": None, "now": 1_800_000_000}
)


@dataclass(frozen=True)
class Offered:
    """An entry point as far as it is looked at."""

    name: str
    load: Callable[[], object]
    value: str = "acme.plugin:Claims"


class Claims:
    """A plug-in that does what it is told."""

    def __init__(self, standard: object = MappingProxyType({}), custom: object = None) -> None:
        self.standard, self.custom = standard, custom

    def standard_claims(self, context: Any) -> object:
        return self.standard(context) if callable(self.standard) else self.standard

    def custom_claims(self, context: Any) -> object:
        return self.custom(context) if callable(self.custom) else self.custom


def generators(plugin: Callable[[], object], *names: str) -> ClaimGenerators:
    offered = [Offered("acme", lambda: plugin)]
    return ClaimGenerators(names or ("acme",), installed=lambda: cast("list[EntryPoint]", offered))


def generated(standard: object = MappingProxyType({}), custom: object = None) -> Mapping[str, object]:
    return generators(lambda: Claims(standard, custom)).generate(NeedClaims("acme", CONTEXT))


def fault(standard: object = MappingProxyType({}), custom: object = None) -> DependencyFault:
    with pytest.raises(DependencyFault) as caught:
        generated(standard, custom)
    assert caught.value.reason == "claims_not_generated"
    return caught.value


def problems(plugin: Callable[[], object], *names: str) -> str:
    with pytest.raises(ConfigError) as caught:
        generators(plugin, *names)
    return str(caught.value)


def fails(error: BaseException) -> Callable[..., object]:
    def call(*_: object) -> object:
        raise error

    return call


def test_standard_claims_stand_first_and_custom_ones_fill_the_gaps() -> None:
    assert generated({"a": 1, "b": None}, {"b": 2, "c": 3}) == {"a": 1, "b": None, "c": 3}
    assert generated({"a": 1}) == {"a": 1}
    assert generated({}, {"c": [1, {"d": True}]}) == {"c": [1, {"d": True}]}


def test_a_plug_in_is_told_of_the_caller() -> None:
    assert generated(lambda context: {"who": context["claims"]["sub"], "at": context["now"]}) == {
        "who": "ada", "at": 1_800_000_000,
    }  # fmt: skip


def test_what_a_plug_in_changes_is_its_own_copy() -> None:
    def spoil(context: Any) -> object:
        context["claims"]["roles"].append("root")
        context["claims"]["sub"] = "eve"
        return {}

    assert generated(spoil, lambda context: {"seen": context["claims"]}) == {
        "seen": {"sub": "eve", "roles": ["admin", "root"]}
    }
    assert CONTEXT["claims"] == {"sub": "ada", "roles": ["admin"]}


def test_what_a_plug_in_keeps_and_changes_later_is_not_what_was_taken() -> None:
    kept: dict[str, Any] = {"list": []}
    claims = generated(kept)
    kept["list"].append("late")
    assert claims == {"list": []}


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "nbf", "jti"])
def test_sec_158_claims_of_the_gateway_are_not_taken_from_a_plug_in(name: str) -> None:
    assert generated({name: "mine", "a": 1}, {name: "mine", "b": 2}) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "given",
    [
        None, "text", ["a"], 5, {1: "a"}, {"a": object()}, {"a": {1, 2}}, {"a": b"bytes"},
        {"a": float("nan")}, {"a": "\ud800"}, {"a": "x" * 70_000},
    ],
)  # fmt: skip
def test_sec_163_a_result_that_is_no_claims_denies_the_request(given: object) -> None:
    fault(given)
    if given is not None:
        fault({}, given)


def test_a_result_that_holds_itself_denies_the_request() -> None:
    circle: dict[str, object] = {}
    circle["a"] = circle
    fault(circle)


@pytest.mark.parametrize("error", [RuntimeError("sub=ada"), KeyError("x"), SystemExit(3), RecursionError()])
def test_sec_163_a_plug_in_that_fails_denies_the_request_and_is_not_quoted(error: BaseException) -> None:
    for raised in (fault(fails(error)), fault({}, fails(error))):
        assert raised.detail == {"generator": "acme", "cause": type(error).__name__}


def test_a_plug_in_nobody_named_denies_the_request() -> None:
    with pytest.raises(DependencyFault) as caught:
        generators(Claims).generate(NeedClaims("other", CONTEXT))
    assert caught.value.reason == "claims_not_generated"


def test_a_plug_in_is_made_once() -> None:
    made: list[Claims] = []

    def make() -> Claims:
        made.append(Claims({"a": 1}))
        return made[-1]

    held = generators(make, "acme", "acme")
    for _ in range(3):
        held.generate(NeedClaims("acme", CONTEXT))
    assert len(made) == 1


def test_sec_163_what_the_document_does_not_name_is_not_loaded() -> None:
    stranger = Offered("stranger", fails(AssertionError("loaded")))
    acme = Offered("acme", lambda: Claims)
    ClaimGenerators(["acme"], installed=lambda: cast("list[EntryPoint]", [stranger, acme]))
    ClaimGenerators([], installed=fails(AssertionError("looked for")))  # type: ignore[arg-type]


def test_a_plug_in_that_is_not_installed_is_a_mistake_that_says_what_to_do() -> None:
    told = problems(Claims, "missing", "absent")
    assert "'missing' is not installed" in told
    assert "'absent' is not installed" in told
    assert "'jwtgate.claims'" in told
    assert "Installed: acme." in told


def test_a_name_that_two_packages_offer_is_a_mistake() -> None:
    offered = [Offered("acme", lambda: Claims), Offered("acme", lambda: Claims, "evil:Claims")]
    with pytest.raises(ConfigError, match=r"several packages: acme.plugin:Claims, evil:Claims"):
        ClaimGenerators(["acme"], installed=lambda: cast("list[EntryPoint]", offered))


@pytest.mark.parametrize("plugin", [fails(ValueError("no licence")), fails(SystemExit(3)), None])
def test_a_plug_in_that_cannot_be_made_is_a_mistake(plugin: Any) -> None:
    assert "acme.plugin:Claims) cannot be loaded" in problems(plugin)


def test_a_module_that_cannot_be_imported_is_a_mistake() -> None:
    gone = EntryPoint("acme", "jwtgate_has_no_such_module:Claims", "jwtgate.claims")
    with pytest.raises(ConfigError, match=r"'acme' \(jwtgate_has_no_such_module:Claims\) cannot be loaded"):
        ClaimGenerators(["acme"], installed=lambda: [gone])


class OnlyOne:
    def standard_claims(self, context: object) -> object:
        raise AssertionError

    custom_claims = "not a method"


class Waits(Claims):
    async def custom_claims(self, context: object) -> object:
        raise AssertionError


@pytest.mark.parametrize("plugin", [OnlyOne, Waits])
def test_a_class_without_both_methods_is_a_mistake(plugin: Any) -> None:
    assert "lacks the method custom_claims" in problems(plugin)
    assert "standard_claims and custom_claims" in problems(object)


def test_nothing_but_claim_generators_is_looked_at() -> None:
    assert {each.group for each in installed_here()} <= {"jwtgate.claims"}


def test_a_plug_in_is_made_with_what_the_document_gives_it() -> None:
    offered = [Offered("acme", lambda: lambda given: Claims({"given": given}))]
    named = ClaimGenerator("mine", "acme", {"a": [1]}), ClaimGenerator("ours", "acme", {"a": [2]})
    made = ClaimGenerators(named, installed=lambda: cast("list[EntryPoint]", offered))
    assert made.generate(NeedClaims("mine", CONTEXT)) == {"given": {"a": [1]}}
    assert made.generate(NeedClaims("ours", CONTEXT)) == {"given": {"a": [2]}}


def test_a_plug_in_says_itself_what_is_wrong_with_what_it_is_given() -> None:
    def refusing(given: object) -> object:
        raise ConfigError(f"{given} is not enough.")

    offered = [Offered("acme", lambda: refusing)]
    with pytest.raises(ConfigError, match="is not enough"):
        ClaimGenerators([ClaimGenerator("mine", "acme", {"a": 1})], installed=lambda: cast("list[EntryPoint]", offered))
