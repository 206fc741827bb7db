"""The Admin API as curl and others use it: bodies, entities, errors, pages and routing."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from tests.dialects.kong.kong_process import KongProcess, curl
from tests.dialects.kong.neighbours import Neighbours, token
from tests.dialects.kong.seen import values


def test_a_plugin_may_come_as_json_as_a_form_and_in_parts(kong: KongProcess, neighbours: Neighbours) -> None:
    url = f"{kong.admin}/plugins"
    pairs = {"name": "jwt-signer", "config.access_token_jwks_uri": neighbours.certs, "config.realm": "a b=c"}
    config = {name.removeprefix("config."): value for name, value in pairs.items() if name != "name"}
    ways = (
        ("--header", "Content-Type: application/json", "--data", json.dumps({"name": "jwt-signer", "config": config})),
        tuple(part for name, value in pairs.items() for part in ("--data-urlencode", f"{name}={value}")),
        tuple(part for name, value in pairs.items() for part in ("--form", f"{name}={value}")),
    )
    for way in ways:
        answer = curl("--request", "POST", "--url", url, *way)
        assert answer.status == 201, answer
        assert answer.value["config"]["realm"] == "a b=c"
        assert kong.send("DELETE", f"/plugins/{answer.value['id']}").status == 204


@pytest.mark.parametrize(
    ("media_type", "body", "status", "message"),
    [
        ("text/plain", "name=jwt", 415, None),
        ("application/json", "{", 400, "Cannot parse JSON body"),
        ("application/json", '{"name": "none"}', 400, None),
    ],
)
def test_a_body_that_says_nothing_is_refused(
    kong: KongProcess, media_type: str, body: str, status: int, message: str | None
) -> None:
    fields = ("--header", f"Content-Type: {media_type}")
    answer = curl("--request", "POST", "--url", f"{kong.admin}/plugins", *fields, "--data", body)
    assert answer.status == status
    assert message is None or answer.value == {"message": message}


def test_every_verb_of_a_service_and_a_route(kong: KongProcess, neighbours: Neighbours) -> None:
    assert kong.post("/services", "name=s", f"url={neighbours.url}/base").status == 201
    assert kong.post("/services", "name=s", "host=x").status == 409
    assert kong.send("PUT", "/routes/r", {"paths": ["/r"], "service": {"name": "s"}}).status == 200
    answer = kong.get("/r/below?a=b")
    assert (answer.value["path"], answer.value["method"]) == ("/base/below?a=b", "GET")
    assert values(answer, "x-forwarded-prefix") == ["/r"]
    assert kong.send("PATCH", "/routes/r", {"strip_path": False}).status == 200
    assert kong.get("/r/below").value["path"] == "/base/r/below"
    assert kong.send("DELETE", "/services/s").value["code"] == 4
    assert kong.send("DELETE", "/routes/r").status == 204
    answer = kong.get("/r")
    assert (answer.status, answer.value["message"]) == (404, "no Route matched with those values")
    assert kong.send("DELETE", "/services/s").status == 204
    assert kong.send("DELETE", "/services/s").status == 204
    assert kong.send("GET", "/services/s").value == {"message": "Not found"}


def test_a_route_without_a_service_is_a_503(kong: KongProcess) -> None:
    assert kong.post("/routes", "name=lonely", "paths[]=/lonely").status == 201
    answer = kong.get("/lonely")
    assert (answer.status, answer.value["message"]) == (503, "no Service found with those values")


def test_consumers_are_made_changed_and_deleted(kong: KongProcess) -> None:
    made = kong.post("/consumers", "username=jack").value
    assert kong.post("/consumers", "username=jack").value["message"] == (
        "UNIQUE violation detected on '{username=\"jack\"}'"
    )
    assert kong.send("PUT", "/consumers/jack", {"custom_id": "c"}).value["id"] == made["id"]
    assert kong.send("GET", f"/consumers/{made['id']}").value["custom_id"] == "c"
    assert kong.post("/consumers", "tags=x").value["code"] == 2
    assert kong.send("DELETE", "/consumers/jack").status == 204
    assert kong.send("GET", "/consumers/jack").status == 404


def test_the_nearest_plugin_holds(kong: KongProcess, neighbours: Neighbours) -> None:
    def end(path: str, status: int) -> str:
        answer = kong.post(f"{path}/plugins", "name=request-termination", f"config.status_code={status}")
        assert answer.status == 201, answer
        return f"/plugins/{answer.value['id']}"

    places = [(end("", 500), 500), (end("/services/demo", 501), 501), (end("/routes/demo", 502), 502)]
    for plugin, status in reversed(places):
        assert kong.get().status == status
        assert kong.send("PATCH", plugin, {"enabled": False}).status == 200
    assert kong.get().status == 200


def test_errors_have_numbers(kong: KongProcess) -> None:
    for answer, status, code in (
        (kong.post("/plugins", "name=jwt", "foo=1"), 400, 2),
        (kong.post("/plugins", "name=jwt", f"service.id={uuid4()}"), 400, 4),
        (kong.post("/plugins", "name=jwt", "service.name=none"), 400, 13),
        (kong.send("GET", "/services?size=x"), 400, 9),
        (kong.send("GET", "/services?offset=%25"), 400, 7),
        (kong.send("GET", "/services?tags=a,b/c"), 400, 11),
    ):
        assert (answer.status, answer.value["code"]) == (status, code), answer
        assert answer.value.keys() == {"code", "name", "message", "fields"}
    assert kong.send("POST", "/services/demo").value == {"message": "Method not allowed"}


def test_lists_are_paged(kong: KongProcess) -> None:
    for number in range(5):
        assert kong.send("PUT", f"/consumers/n{number}", {}).status == 200
    seen, following = [], "/consumers?size=2"
    while following:
        page = kong.send("GET", following).value
        assert len(page["data"]) <= 2
        seen += [each["username"] for each in page["data"]]
        following = page["next"]
    assert sorted(seen) == [f"n{number}" for number in range(5)]


def test_what_cannot_be_served_changes_nothing(kong: KongProcess) -> None:
    before = kong.get().status
    answer = kong.send("POST", "/routes", {"paths": ["~("], "service": {"name": "demo"}})
    assert (answer.status, answer.value["code"]) == (400, 2)
    assert len(kong.send("GET", "/routes").value["data"]) == 1
    assert kong.get().status == before


def test_objects_and_keys_outlive_a_restart(neighbours: Neighbours, tmp_path: Path) -> None:
    with KongProcess(tmp_path) as kong:
        kong.post("/services", "name=s", f"url={neighbours.url}")
        kong.post("/services/s/routes", "paths[]=/demo")
        kong.post("/consumers", "username=jack")
        kong.signer(f"config.access_token_jwks_uri={neighbours.certs}")
        keys = kong.send("GET", "/jwt-signer/jwks/kong").value["keys"]
    (tmp_path / "journal").unlink()
    with KongProcess(tmp_path) as kong:
        assert kong.send("GET", "/consumers/jack").status == 200
        assert kong.send("GET", "/jwt-signer/jwks/kong").value["keys"] == keys
        assert kong.get(bearer=token()).status == 200


def test_the_admin_api_tells_of_itself(kong: KongProcess) -> None:
    assert "jwt-signer" in kong.send("GET", "/").value["plugins"]["available_on_server"]
    assert "jwt-signer" in kong.send("GET", "/plugins/enabled").value["enabled_plugins"]
    assert kong.send("GET", "/status").status == 200
    assert kong.send("GET", "/schemas/plugins/jwt-signer").status == 200
    assert kong.send("POST", "/schemas/plugins/validate", {"name": "jwt"}).status == 200
    assert kong.send("POST", "/schemas/routes/validate", {}).status == 400
