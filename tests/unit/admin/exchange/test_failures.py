"""What the node says no with, as problems."""

from __future__ import annotations

import pytest
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import STORE_GONE, Node

from jwtgate.admin.exchange.failures import mistakes_of
from jwtgate.admin.exchange.problems import Mistake
from jwtgate.config.problems import Sentence
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import StoreConflict


def kind(answer: object) -> str:
    return str(answer.json["type"]).rpartition("#")[2]  # type: ignore[attr-defined]


def test_every_mistake_of_a_value_is_named_and_nothing_changes(client: Client, node: Node) -> None:
    answer = client.ask("PUT", "/v1/routes/a", {"wrong": 1})
    assert answer.status == 422
    assert [each["sentence"] for each in answer.json["mistakes"]] == [
        "wrong: is no key of this section",
        "other: is missing",
    ]
    assert node.resources == {}


def test_a_mistake_has_its_place_in_the_value_as_a_json_pointer() -> None:
    error = ConfigError(
        Sentence("gate.yaml:3: routes.a/b.auth: is missing", ("routes", "a/b", "auth"), "is missing"),
        Sentence("gate.yaml:9: routes.c[0]: is wrong", ("routes", "c", 0), "is wrong"),
        "all is lost",
    )
    assert mistakes_of(error) == [
        Mistake("/routes/a~1b/auth", "is missing"),
        Mistake("/routes/c/0", "is wrong"),
        Mistake("", "all is lost"),
    ]
    assert mistakes_of(error, ("routes", "a/b")) == [
        Mistake("/auth", "is missing"),
        Mistake("", "gate.yaml:9: routes.c[0]: is wrong"),
        Mistake("", "all is lost"),
    ]
    assert mistakes_of(error, ("routes", None))[1] == Mistake("/0", "is wrong")
    assert mistakes_of(error, ("routes", "a/b", "auth", "x"))[0].place == ""


def test_what_is_not_there_is_not_found(client: Client) -> None:
    for method, path in [("GET", "/v1/routes/a"), ("DELETE", "/v1/routes/a"), ("GET", "/v1/nothing"), ("GET", "/v1")]:
        answer = client.ask(method, path)
        assert (answer.status, kind(answer)) == (404, "unknown")


def test_what_the_file_owns_is_a_conflict(client: Client, node: Node) -> None:
    node.by_file.add("a")
    answer = client.ask("PUT", "/v1/routes/a", {})
    assert (answer.status, kind(answer)) == (409, "document")


@pytest.mark.parametrize(("fields", "status"), [({}, 409), ({"if-none-match": "*"}, 412)])
def test_somebody_elses_version_is_a_conflict(client: Client, node: Node, fields: dict[str, str], status: int) -> None:
    node.fault = StoreConflict("resource/route/a")
    answer = client.ask("PUT", "/v1/routes/a", {}, fields=fields)
    assert (answer.status, kind(answer)) == (status, "versions")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/routes"), ("PUT", "/v1/routes/a"), ("GET", "/v1/document")])
def test_a_store_that_fails_is_told_without_its_words(client: Client, node: Node, method: str, path: str) -> None:
    node.fault = STORE_GONE
    answer = client.ask(method, path, {})
    assert (answer.status, kind(answer), answer.fields["retry-after"]) == (503, "store", "5")
    assert b"secret" not in answer.body


def test_a_method_that_is_not_served_is_told_those_that_are(client: Client) -> None:
    answer = client.ask("POST", "/v1/routes/a")
    assert (answer.status, answer.fields["allow"]) == (405, "DELETE, GET, PATCH, PUT")
    assert client.ask("OPTIONS", "/v1/audit").fields["allow"] == "GET"
    assert client.ask("HEAD", "/").status == 405


def test_sec_140_a_bug_of_ours_tells_nothing_of_itself(client: Client, node: Node) -> None:
    node.fault = RuntimeError("secret")
    with pytest.raises(RuntimeError):  # and reaches the journal, as its place only
        client.ask("GET", "/v1/routes")
    answer = client.ask("GET", "/v1/routes", keep_failure=True)
    assert (answer.status, kind(answer)) == (500, "failure")
    assert b"secret" not in answer.body
