"""One part of a document alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jwtgate.config.parts import KINDS, check_consumer, check_part
from jwtgate.errors import ConfigError
from jwtgate.policy.callers import Consumer
from jwtgate.policy.sources import ConsumerSource

SECRET = "Zm9vYmFyYmF6cXV4-quite-random-1234567890-abc"
GOOD: dict[str, dict[str, Any]] = {
    "routes": {"path": "/a", "auth": "required", "issuers": "nobody-knows", "upstream": "unknown"},
    "upstreams": {"targets": "http://127.0.0.1:1"},
    "issuers": {"issuer": "https://a.example", "algorithms": "RS256", "audience": "a"},
    "consumers": {"credentials": {"k": {"alg": "HS256", "secret": SECRET}}},
    "signing.keys": {"alg": "ES384"},
    "secret_stores": {"gcp": {"project": "p"}},
}


def problems(kind: str, name: str, value: object) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        check_part(kind, {name: value})
    return error.value.problems


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_part_is_taken_without_what_stands_around_it(kind: str) -> None:
    assert check_part(kind, {"one": GOOD[kind]}).keys() == {"one"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [None, [], "x", 1, {"nobody": 1}])
def test_a_part_that_could_stand_nowhere_is_refused_with_its_place(kind: str, value: object) -> None:
    assert all(problem.startswith(f"{kind}.one") for problem in problems(kind, "one", value))


def test_every_mistake_is_told_and_no_secret_quoted() -> None:
    value = {"path": "x", "auth": "nobody", "headrs": {}, "issuers": "a", "upstream": "b"}
    assert sorted(problems("routes", "one", value)) == [
        "routes.one.auth: must be 'required', 'optional' or 'none' (not 'nobody')",
        "routes.one.headrs: is no key of this section; did you mean headers?",
        "routes.one.path: must begin with / (not 'x')",
    ]
    assert "hunter2" not in str(problems("consumers", "one", {"credentials": {"k": {"alg": "x", "secret": "hunter2"}}}))


def test_a_name_is_looked_at_too() -> None:
    assert problems("routes", "two words", GOOD["routes"])
    assert problems("secret_stores", "file", GOOD["secret_stores"]) == (
        "secret_stores.file: env and file are there already",
    )


def test_references_are_resolved_where_somebody_resolves_them() -> None:
    value = {"targets": "${env:TARGET}"}
    with pytest.raises(ConfigError, match="must be an http or https address"):
        check_part("upstreams", {"one": value})
    (found,) = check_part("upstreams", {"one": value}, resolve=lambda _: "http://127.0.0.1:1").values()
    assert [target.url for target in found.targets] == ["http://127.0.0.1:1"]


def test_a_reference_that_leads_nowhere_is_a_mistake() -> None:
    def fail(text: str) -> str:
        raise ConfigError(f"{text} is not set")

    with pytest.raises(ConfigError) as error:
        check_part("upstreams", {"one": {"targets": "http://a", "server_name": "${env:N}"}}, resolve=fail)
    assert error.value.problems == ("upstreams.one.server_name: ${env:N} is not set",)


def test_a_consumer_is_read_alone() -> None:
    line = {"name": "alice", "external_id": "42", "groups": ["a"], "attributes": {"x": [1]}}
    source = check_consumer(line)
    assert source == ConsumerSource(
        Consumer("alice", source.consumer.id, "42", groups=("a",), labels={}, attributes={"x": [1]})
    )
    assert check_consumer({key: line[key] for key in line if key != "name"}, name="alice") == source
    assert line["name"] == "alice"


def test_files_of_a_consumer_are_found_from_the_folder() -> None:
    value = {"credentials": {"k": {"alg": "RS256", "file": "k.pem"}}}
    (credential,) = check_consumer(value, name="a", folder=Path("/etc")).credentials
    assert credential.key is not None
    assert credential.key.file == "/etc/k.pem"


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        ({}, "the consumer: needs name, the text it is known by"),
        ({"name": 1}, "the consumer: needs name, the text it is known by"),
        ([], "the consumer: needs name, the text it is known by"),
        ({"name": "a b"}, "consumers.a b: has characters or a form that cannot stand here"),
        ({"name": "a", "groups": "b"}, "consumers.a.groups: must be a list"),
        ({"name": "a", "label": {}}, "consumers.a.label: is no key of this section; did you mean labels?"),
    ],
)
def test_a_line_that_is_no_consumer_is_refused(plain: object, sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_consumer(plain)
    assert error.value.problems == (sentence,)


@pytest.mark.parametrize("member", ["labels", "attributes"])
def test_a_reference_of_a_consumer_alone_stands_in_place_of_a_secret_or_is_a_mistake(member: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_consumer({member: {"x": "a ${env:PLAN}"}}, name="alice")
    assert error.value.problems == (
        f"consumers.alice.{member}.x: a reference can stand here only in place of a secret",
    )
    assert getattr(check_consumer({member: {"x": "a $${b}"}}, name="alice").consumer, member) == {"x": "a ${b}"}
    key = {"alg": "HS256", "secret": "${env:KEY}"}
    (credential,) = check_consumer({"credentials": {"k": key}}, name="alice").credentials
    assert credential.key is not None
    assert credential.key.text == "${env:KEY}"
