"""`public-api`: the endpoint that makes tokens, on a route."""

from __future__ import annotations

from typing import Any

from tests.unit.dialects.apisix.loading import loaded, note_at, route_of, translation

from jwtgate.dialects.apisix.plugins.public_api import SIGN, can_sign
from jwtgate.dialects.dialect import Meaning, Objects

JACK: Objects = {"consumers": {"jack": {"username": "jack", "plugins": {"jwt-auth": {"key": "k"}}}}}


def sign_route(**more: Any) -> dict[str, Any]:
    return {"uri": SIGN, "plugins": {"public-api": {}}, **more}


def test_the_endpoint_makes_tokens_for_get_and_is_not_there_for_other_methods() -> None:
    objects = {**JACK, "routes": {"1": sign_route()}}
    loaded(objects)
    routes = translation(objects).document["routes"]
    assert routes["1"]["methods"] == ["GET"]
    assert routes["1"]["paths"] == [SIGN]
    assert routes["1"]["mint"]["by_query"] == {"credential": "key", "claims": "payload"}
    assert routes["1"]["mint"]["unauthenticated_minting_allowed"] is True
    assert "methods" not in routes["1#2"]
    assert routes["1#2"]["respond"]["status"] == 404
    assert list(routes) == ["1", "1#2"]


def test_its_refusals_look_as_its_users_know_them() -> None:
    answers = route_of(sign_route(), JACK)["answers"]
    statuses = {reason: answer["status"] for reason, answer in answers.items()}
    assert statuses == {
        "minting_credential_missing": 400,
        "minting_credential_unknown": 404,
        "minting_refused": 404,
        "minting_claims_refused": 400,
        "signer_unavailable": 503,
    }
    assert answers["signer_unavailable"]["body"] == "failed to sign jwt"
    assert "<h1>404 Not Found</h1>" in answers["minting_credential_unknown"]["body"]


def test_it_may_have_another_path_and_only_the_methods_of_its_route() -> None:
    conf = {"public-api": {"uri": SIGN}}
    assert "mint" in route_of({"uri": "/get_token", "plugins": conf}, JACK)
    assert "mint" not in route_of({"uri": "/get_token", "plugins": conf, "methods": ["POST"]}, JACK)
    assert "mint" not in route_of({"uri": "/get_token", "plugins": {"public-api": {}}}, JACK)


def test_nobody_is_given_tokens_while_no_consumer_could_have_any() -> None:
    assert route_of(sign_route())["respond"]["status"] == 404
    assert not can_sign({"consumers": {"jack": {"username": "jack"}}})
    assert can_sign({"credentials": {"jack/1": {"plugins": {"jwt-auth": {}}}}})
    assert can_sign({"signing": True})


def test_another_plugin_protects_it() -> None:
    route = route_of(sign_route(plugins={"public-api": {}, "key-auth": {}}), JACK)
    assert route["auth"] == "required"
    assert "unauthenticated_minting_allowed" not in route["mint"]
    assert {"credential_missing", "minting_credential_unknown"} <= route["answers"].keys()
    anonymous = {"public-api": {}, "key-auth": {"anonymous_consumer": "jack"}}
    assert route_of(sign_route(plugins=anonymous), JACK)["mint"]["unauthenticated_minting_allowed"] is True


def test_other_endpoints_are_not_there() -> None:
    objects = {"routes": {"1": {"uri": "/metrics", "plugins": {"public-api": {"uri": "/apisix/prometheus/metrics"}}}}}
    loaded(objects)
    assert translation(objects).document["routes"]["1"]["respond"]["status"] == 404
    note = note_at("routes/1/plugins/public-api", objects)
    assert note is not None
    assert note.meaning is Meaning.CHANGED


def test_that_tokens_are_given_away_is_a_danger() -> None:
    note = note_at("routes/1/plugins/public-api", {"routes": {"1": sign_route()}})
    assert note is not None
    assert note.dangerous
    protected = note_at(
        "routes/1/plugins/public-api", {"routes": {"1": sign_route(plugins={"public-api": {}, "key-auth": {}})}}
    )
    assert protected is not None
    assert not protected.dangerous
