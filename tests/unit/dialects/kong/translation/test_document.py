from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.unit.dialects.kong.kong_yml import SETTINGS, not_exact, objects, service, signer, translate

from jwtgate.dialects.kong.translation.document import translated

SIGNER = signer(access_token_jwks_uri="https://a.b/certs")


def both(*plugins: dict[str, Any]) -> dict[str, dict[str, Any]]:
    data = service(SIGNER)
    data["services"][0]["routes"].append({"name": "other", "paths": ["/other"], "plugins": list(plugins)})
    return dict(translate(data).document["routes"])


def test_a_file_without_objects_is_a_document_that_takes_no_request() -> None:
    document = translate({}).document
    assert document["routing"] == "listed"
    assert document["own"] == {"keys": None, "metadata": None}
    assert (document["fields"], document["paths"]) == ({"unusual_names": "drop"}, {"repeated_slashes": "merge"})
    assert document["routes"]["none"]["match"] == {"when": "false"}
    assert document["answers"]["route_unknown"]["status"] == 404


def test_it_listens_where_kong_would() -> None:
    tls = replace(SETTINGS, tls_listen=("127.0.0.1:1",), certificate="/c", private_key="/k")
    assert translated({}, tls).document["listen"] == [
        "127.0.0.1:0",
        {"address": "127.0.0.1:1", "tls": {"certificate": "/c", "private_key": "/k"}},
    ]


def test_the_routes_of_a_disabled_service_are_left_out() -> None:
    data = service()
    data["services"][0]["enabled"] = False
    translation = translate(data)
    assert list(translation.document["routes"]) == ["none"]
    assert "services/s/enabled" in not_exact(translation)


def test_a_field_another_route_sets_still_goes_on_where_kong_sends_it_on() -> None:
    assert both()["other"]["headers"] == {"authorization": {"header": "authorization"}}
    jwt = both({"name": "jwt"})["other"]
    assert ("forward_token" in jwt, jwt["headers"]["authorization"]) == (False, {"header": "authorization"})
    assert "X-Consumer-ID" in jwt["headers"]
    assert "headers" not in translate(service()).document["routes"]["r"]
    assert both({"name": "key-auth"})["other"]["forward_token"]


def test_a_field_a_route_sets_itself_is_not_the_clients() -> None:
    named = signer(access_token_jwks_uri="https://a.b/certs", access_token_request_header="X-T")
    route = translate(service({"name": "jwt"}, named)).document["routes"]["r"]
    assert "forward_token" not in route
    assert "authorization" not in route["headers"]


def test_an_anonymous_consumer_need_not_be_known_yet() -> None:
    document = translate(service({"name": "jwt", "config": {"anonymous": "later"}})).document
    assert document["routes"]["r"]["anonymous_consumer"] == "later"


def test_a_route_has_its_own_name_or_its_id() -> None:
    held = objects({"routes": [{"paths": ["/a"]}]})
    assert list(translated(held, SETTINGS).document["routes"]) == list(held["routes"])


def test_what_most_routes_answer_alike_is_said_once() -> None:
    data = service({"name": "jwt"})
    data["services"][0]["routes"] += [
        {"name": "b", "paths": ["/b"], "plugins": [{"name": "jwt"}]},
        {"name": "c", "paths": ["/c"], "plugins": [{"name": "jwt", "config": {"realm": "R"}}]},
    ]
    document = translate(data).document
    assert document["answers"]["signature_wrong"]["body"] == '{"message":"Invalid signature"}'
    assert document["answers"]["route_unknown"]["status"] == 404
    assert ["answers" in document["routes"][name] for name in ("r", "b", "c")] == [False, False, True]
    assert document["routes"]["c"]["answers"].keys() == document["answers"].keys() - {
        "route_unknown", "upstream_fault", "upstream_slow",
    }  # fmt: skip


def test_no_route_takes_the_place_of_another() -> None:
    preflight = {"name": "jwt", "config": {"run_on_preflight": False}}
    data = service(preflight, route={"name": "a"})
    id_ = "5b7b7c4e-6d7d-4d4a-9f4f-111111111111"
    data["services"][0]["routes"] += [
        {"name": "a-preflight", "paths": ["/admin"], "plugins": [{"name": "jwt"}]},
        {"id": id_, "paths": ["/secret"], "plugins": [{"name": "jwt"}]},
        {"name": id_, "paths": ["/open"]},
    ]
    routes = translate(data).document["routes"].values()
    taken = sorted((route["match"]["path_prefix"][0], route["auth"]) for route in routes)
    told = [("/admin", "required"), ("/open", "none"), ("/secret", "required"), ("/x", "none"), ("/x", "required")]
    assert taken == told


def test_nothing_kong_is_told_becomes_a_reference() -> None:
    told = "${env:HOME}"
    data = service(
        {"name": "jwt", "config": {"realm": told, "key_claim_name": told}},
        {"name": "request-transformer", "config": {"replace": {"uri": f"/{told}"}}},
        route={"paths": [f"/{told}"], "headers": {"x": [told]}},
    )
    data["services"][0]["path"] = f"/{told}"
    text = json.dumps(translated(objects(data), SETTINGS).document)
    assert text.count(told) == text.count(f"${told}") > 5
