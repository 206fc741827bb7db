from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.wso2.objects import APP, PLACES, draft

from jwtgate.config.expressions import compiled_expression
from jwtgate.dialects.wso2.translation.routes import Routes
from jwtgate.errors import ConfigError

ISSUE = {"header": "X-JWT-Assertion"}


def routes(folder: Path, *apis: dict[str, Any], issue: dict[str, Any] | None = ISSUE, **records: Any) -> Routes:
    made = draft(folder, apis=list(apis) or [PLACES], **records)
    return Routes(made, lambda _: [] if issue is None else [issue])


def test_an_api_is_found_at_its_context_with_its_version_and_without(tmp_path: Path) -> None:
    made = routes(tmp_path)
    assert made.routes["/p/1"] == {
        "paths": ["/p/1/*", "/p/1"],
        "auth": "required",
        "slots": {"wso2": {"from": ["bearer"], "issuers": ["known-tokens"]}},
        "issue": [ISSUE],
        "upstream": "127.0.0.1:9",
        "rewrite": {"pattern": "^/p/1/?", "replacement": "/base/"},
        "request_headers": {"remove": ["X-JWT-Assertion"]},
    }
    assert made.routes["/p"]["rewrite"]["pattern"] == "^/p/?"
    assert made.upstreams == {"127.0.0.1:9": {"targets": ["http://127.0.0.1:9"]}}
    assert made.told == {
        "/p/1": {"id": "/p/1", "context": "/p/1", "name": "Places", "version": "1"},
        "/p": {"id": "/p/1", "context": "/p", "name": "Places", "version": "1"},
    }


def test_of_several_versions_the_default_one_is_found_without(tmp_path: Path) -> None:
    newer = {**PLACES, "version": "2"}
    assert routes(tmp_path, PLACES, newer).routes.keys() == {"/p/1", "/p/2"}
    assert routes(tmp_path, PLACES, {**newer, "default_version": True}).told["/p"]["version"] == "2"
    with pytest.raises(ConfigError, match="two APIs have the context /p/1"):
        routes(tmp_path, PLACES, PLACES)


@pytest.mark.parametrize(
    ("context", "places"),
    [("/p/1", ["/p/1"]), ("/{version}/p", ["/1/p"]), ("/t/t1.com/p", ["/t/t1.com/p/1", "/t/t1.com/p"])],
)
def test_contexts_hold_versions_and_tenants(tmp_path: Path, context: str, places: list[str]) -> None:
    assert list(routes(tmp_path, {**PLACES, "context": context}).routes) == places


def test_the_first_generation_tells_the_bare_context(tmp_path: Path) -> None:
    assert routes(tmp_path, options={"jwt_profile": "v1"}).told["/p/1"]["context"] == "/p"


def test_resources_may_be_open_and_ask_for_scopes(tmp_path: Path) -> None:
    resources = [
        {"path": "/find/{place-id}", "methods": "get, post", "scopes": ["a", "b"]},
        {"path": "/open/*", "auth": "None"},
        {"path": "/mine", "method": "GET", "auth": "Application User"},
    ]
    made = routes(tmp_path, {**PLACES, "context": "/p/1", "resources": resources})
    find, opened, mine = made.routes.values()
    assert (find["paths"], find["methods"]) == (["/p/1/find/{place_id}"], ["GET", "POST"])
    assert find["slots"]["wso2"]["scope"] == {"any": ["a", "b"]}
    assert (opened["auth"], opened["paths"]) == ("none", ["/p/1/open/*", "/p/1/open"])
    assert "issue" not in opened
    assert mine["auth"] == "required"
    assert list(made.told) == ["/p/1", "/p/1#2"]


def test_a_subscription_is_asked_for_where_there_are_applications(tmp_path: Path) -> None:
    issuers = [{"name": "i", "jwks": "https://x"}]
    bare = routes(tmp_path, issuers=issuers).routes["/p"]
    assert "require" not in bare
    assert bare["slots"]["wso2"]["consumer"]["required"] is False
    asked = routes(tmp_path, applications=[APP], issuers=issuers).routes["/p"]
    assert asked["require"] == ["'/p/1' in consumer.groups"]
    assert asked["slots"]["wso2"]["issuers"] == ["i", "known-tokens"]
    assert asked["slots"]["wso2"]["consumer"]["required"] is True
    off = routes(tmp_path, applications=[APP], options={"subscription_validation": False}).routes["/p"]
    assert "require" not in off


@pytest.mark.parametrize(
    ("records", "sources"),
    [
        ({}, ["bearer"]),
        ({"tokens": [{"token": "t", "consumer_key": "ck", "kind": "api_key"}]}, ["bearer", {"header": "apikey"}]),
        ({"options": {"api_key_header": "X-Key"}}, ["bearer", {"header": "X-Key"}]),
        (
            {"tokens": [{"consumer_key": "ck", "kind": "basic", "user": "u", "password": "p"}]},
            [{"header": "authorization", "prefix": ["Bearer ", "bearer ", "Basic ", "basic "]}],
        ),
    ],
)
def test_callers_are_looked_for_where_they_may_stand(
    tmp_path: Path, records: dict[str, Any], sources: list[Any]
) -> None:
    assert routes(tmp_path, **records).routes["/p"]["slots"]["wso2"]["from"] == sources


def test_sec_112_a_client_s_own_field_never_passes(tmp_path: Path) -> None:
    is_open = {**PLACES, "resources": [{"path": "/*", "auth": "none"}]}
    for issue in (None, ISSUE):
        for api in (PLACES, is_open):
            route = routes(tmp_path, api, issue=issue).routes["/p"]
            assert route["request_headers"] == {"remove": ["X-JWT-Assertion"]}
            route = routes(tmp_path, api, issue=issue, options={"header": "X-User"}).routes["/p"]
            assert route["request_headers"] == {"remove": ["X-JWT-Assertion", "X-User"]}
    kept = routes(tmp_path, issue=None, options={"strip_client_assertion": False}).routes["/p"]
    assert "request_headers" not in kept


@pytest.mark.parametrize("endpoint", ["ftp://a", "http://", "a", "http://a?b=c", "http://a#b", "http://[::1"])
def test_an_endpoint_is_an_address(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(ConfigError, match="endpoint must be an address of http or https"):
        routes(tmp_path, {**PLACES, "endpoint": endpoint})


@pytest.mark.parametrize(
    ("iss", "attributes", "is_let_in"),
    [
        ("https://a", {"key_manager": "https://a"}, True),
        ("https://b", {"key_manager": "https://a"}, False),
        ("https://b", {}, True),
        ("https://b", None, True),
        (None, {"key_manager": "https://a"}, True),
    ],
)
def test_a_key_of_one_key_manager_is_named_by_no_other(
    tmp_path: Path, iss: str | None, attributes: dict[str, str] | None, is_let_in: bool
) -> None:
    app = {**APP, "keys": [{"consumer_key": "ck", "key_manager": "https://a"}]}
    issuers = [{"name": name, "jwks": f"{name}/jwks"} for name in ("https://a", "https://b")]
    made = routes(tmp_path, applications=[app], issuers=issuers, options={"subscription_validation": False})
    (condition,) = made.routes["/p"]["require"]
    claims = {} if iss is None else {"iss": iss}
    consumer = {} if attributes is None else {"attributes": attributes}
    assert compiled_expression(condition)({"token": {"wso2": claims}, "consumer": consumer}) is is_let_in


def test_a_key_manager_nobody_knows_binds_nothing(tmp_path: Path) -> None:
    app = {**APP, "keys": [{"consumer_key": "ck", "key_manager": "Resident Key Manager"}]}
    issuers = [{"name": "https://a", "jwks": "https://a/jwks"}]
    assert routes(tmp_path, applications=[app], issuers=issuers).routes["/p"]["require"] == [
        "'/p/1' in consumer.groups"
    ]


def test_sec_144_a_password_in_an_endpoint_is_refused_and_not_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        routes(tmp_path, {**PLACES, "endpoint": "http://user:s3cret@127.0.0.1:9"})
    assert caught.value.problems == ("records.json: apis/Places: endpoint must not hold a user name or password.",)
