from __future__ import annotations

from typing import Any

from tests.unit.dialects.kong.kong_yml import not_exact, refused, route, service, signer, translate

JWT, KEY = {"name": "jwt"}, {"name": "key-auth"}


def routes(*plugins: dict[str, Any], taken: dict[str, Any] | None = None, **more: Any) -> dict[str, dict[str, Any]]:
    return dict(translate(service(*plugins, route=taken, **more)).document["routes"])


def test_a_route_leads_to_its_service() -> None:
    found = route(service())
    assert (found["auth"], found["upstream"], found["upgrade"]) == ("none", "s", "websocket")
    assert found["rewrite"] == {"strip_matched_prefix": True}
    assert "rewrite" not in route(service(route={"strip_path": False}))


def test_the_path_of_a_service_is_put_before() -> None:
    data = service()
    data["services"][0]["url"] = "http://127.0.0.1:9/base/"
    assert route(data)["rewrite"] == {"strip_matched_prefix": True, "add_prefix": "/base"}


def test_a_route_without_a_service_says_so() -> None:
    found = translate({"routes": [{"name": "r", "paths": ["/x"]}]}).document["routes"]["r"]
    assert (found["auth"], found["respond"]["status"]) == ("none", 503)
    assert found["respond"]["body"] == '{"message":"no Service found with those values"}'


def test_a_route_of_tls_alone_says_so_to_others() -> None:
    found = routes(JWT, taken={"protocols": ["https"]})
    assert list(found) == ["r-insecure", "r"]
    assert (found["r-insecure"]["match"]["schemes"], found["r"]["match"]["schemes"]) == (["http"], ["https"])
    assert (found["r-insecure"]["respond"]["status"], found["r-insecure"]["auth"]) == (426, "none")


def test_others_may_be_sent_to_tls_instead() -> None:
    translation = translate(service(route={"protocols": ["https"], "https_redirect_status_code": 301}))
    answer = translation.document["routes"]["r-insecure"]["answers"]["condition_not_met"]
    assert (answer["status"], answer["headers"]["Location"]["cel"]) == (301, "'https://' + request.host + request.path")
    assert not_exact(translation).keys() == {"routes/r/https_redirect_status_code"}


def test_a_preflight_may_pass_without_the_plugin_that_skips_it() -> None:
    skips = {"name": "jwt", "config": {"run_on_preflight": False}}
    found = routes(skips, KEY)
    assert (list(found), found["r-preflight"]["methods"]) == (["r-preflight", "r"], ["OPTIONS"])
    assert (list(found["r-preflight"]["slots"]), list(found["r"]["slots"])) == (["key"], ["key", "jwt"])
    assert list(routes(skips, taken={"methods": ["GET"]})) == ["r"]


def test_the_most_particular_plugin_of_a_name_holds() -> None:
    data = service({"name": "jwt", "config": {"realm": "of route"}})
    assert said(data) == {"of route"}
    data["services"][0]["routes"][0]["plugins"] = []
    assert said({**data, "plugins": [{"name": "jwt", "config": {"realm": "of all"}}]}) == {"of all"}
    both = [
        {"name": "jwt", "config": {"realm": "of all"}},
        {"name": "jwt", "service": "s", "config": {"realm": "of service"}},
    ]
    assert said({**data, "plugins": both}) == {"of service"}
    narrowest = {"name": "jwt", "service": "s", "route": "r", "config": {"realm": "of both"}}
    of_route = {"name": "jwt", "route": "r", "config": {"realm": "of route"}}
    assert said({**data, "plugins": [of_route, narrowest, *both]}) == {"of both"}
    assert said({**data, "plugins": [{**of_route, "enabled": False}, *both]}) == {"of service"}


def said(data: dict[str, Any]) -> set[str]:
    challenge: str = route(data)["answers"]["credential_missing"]["headers"]["WWW-Authenticate"]
    return {challenge.removeprefix('Bearer realm="').removesuffix('"')}


def test_what_holds_for_one_consumer_is_refused() -> None:
    of_jack = {"name": "request-termination", "consumer": "jack"}
    translation = translate(service(plugins=[of_jack], consumers=[{"username": "jack"}]))
    assert refused(translation) == {"consumers/jack/plugins/request-termination/consumer"}
    assert translation.document["routes"]["r"]["respond"]["status"] == 503


def test_every_route_something_was_refused_of_answers_503_and_no_other() -> None:
    templated = {"name": "request-transformer", "config": {"add": {"headers": ["x:$(headers.y)"]}}}
    data = service(plugins=[{**templated, "service": "s"}], route={"protocols": ["https"]})
    data["services"][0]["routes"].append({"name": "also", "paths": ["/also"]})
    data["services"].append({"name": "t", "url": "http://127.0.0.1:9", "routes": [{"name": "sound", "paths": ["/t"]}]})
    translation = translate(data)
    assert len(refused(translation)) == 1
    routes = translation.document["routes"]
    assert {name: route.get("respond", {}).get("status") for name, route in routes.items()} == {
        "r": 503, "also": 503, "sound": None,
    }  # fmt: skip


def test_all_routes_of_a_service_whose_certificate_cannot_be_shown_answer_503() -> None:
    data = service()
    data["services"][0] |= {"url": "https://127.0.0.1:9", "ca_certificates": ["5b7b7c4e-6d7d-4d4a-9f4f-111111111111"]}
    data["services"][0]["routes"].append({"name": "also", "paths": ["/also"]})
    translation = translate(data)
    assert refused(translation) == {"services/s/ca_certificates"}
    assert [route["respond"]["status"] for route in translation.document["routes"].values()] == [503, 503]


def test_a_token_that_must_be_there_and_can_stand_nowhere_fails_every_request() -> None:
    found = route(service(signer(access_token_jwks_uri="https://a.b/c", channel_token_optional=False)))
    assert (list(found["slots"]), found["require"]) == (["access"], "false")
    assert found["answers"]["condition_not_met"]["status"] == 500
    assert "WWW-Authenticate" in found["answers"]["condition_not_met"]["headers"]
    assert "issue" not in found
    found = route(service(signer(access_token_request_header=None)))
    assert (found["auth"], found["answers"]["condition_not_met"]["status"]) == ("none", 500)


def test_two_plugins_that_read_the_same_place_are_refused() -> None:
    data = service(JWT, signer(access_token_jwks_uri="https://a.b/c", access_token_request_header="X-T"))
    assert refused(translate(data)) == set()
    translation = translate(service(JWT, signer(access_token_jwks_uri="https://a.b/c")))
    assert refused(translation) == {"routes/r"}
    assert translation.document["routes"]["r"]["respond"]["status"] == 503


def test_a_service_that_cannot_be_reached_is_not() -> None:
    data = service()
    data["services"][0]["url"] = "tcp://127.0.0.1:9"
    assert route(data)["respond"]["status"] == 503
