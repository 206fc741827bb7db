from __future__ import annotations

import asyncio

import pytest

from jwtgate.jose.encoding import json_bytes
from jwtgate.oauth.metadata import Metadata
from jwtgate.state.discovery import fetch_metadata, json_body, permitted
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response

ISS = "https://idp.example/tenant"
USUAL = f"{ISS}/.well-known/openid-configuration"
OTHER = "https://idp.example/.well-known/oauth-authorization-server/tenant"
ENDPOINT = "https://idp.example/introspect"
RULES = FetchRules(total_seconds=1)


class Web(HttpClient):
    """Pages by address; all else is 404."""

    def __init__(self, pages: dict[str, Response | FetchFailed]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def get(self, url: str, *, rules: FetchRules) -> Response:
        assert rules is RULES
        self.asked.append(url)
        page = self.pages.get(url, FetchFailed("status_404", status=404))
        if isinstance(page, FetchFailed):
            raise page
        return page


def page(issuer: str = ISS) -> Response:
    return Response("application/json", json_bytes({"issuer": issuer, "introspection_endpoint": ENDPOINT}))


def fetched(web: Web, discovery: str | None = None, iss: str = ISS) -> Metadata:
    return asyncio.run(fetch_metadata(iss, discovery, client=web, rules=RULES))


def failure(web: Web, discovery: str | None = None, iss: str = ISS) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        fetched(web, discovery, iss)
    return caught.value


@pytest.mark.parametrize("place", [USUAL, OTHER])
def test_metadata_is_found_at_either_usual_place(place: str) -> None:
    assert fetched(Web({place: page()})).introspection_endpoint == ENDPOINT


def test_a_given_address_is_the_only_one_asked() -> None:
    web = Web({USUAL: page()})
    assert failure(web, "https://idp.example/meta").cause == "status_404"
    assert web.asked == ["https://idp.example/meta"]


def test_a_place_out_of_reach_ends_the_search() -> None:
    web = Web({USUAL: FetchFailed("timeout"), OTHER: page()})
    assert failure(web).cause == "timeout"
    assert web.asked == [USUAL]


def test_sec_62_metadata_of_another_issuer_is_refused() -> None:
    assert failure(Web({USUAL: page(f"{ISS}/")})).cause == "metadata_refused"


def test_an_issuer_that_is_no_address_has_no_metadata() -> None:
    assert failure(Web({}), iss="main").cause == "address_malformed"


def test_a_page_for_people_is_no_document() -> None:
    with pytest.raises(FetchFailed, match="not_json"):
        json_body(Response("text/html", b"{}"))
    assert json_body(Response("text/plain", b"{}")) == b"{}"


def test_sec_62_an_address_on_the_issuers_own_host_is_permitted_and_no_other() -> None:
    nobody = frozenset[str]()
    assert permitted(ENDPOINT, "introspection_endpoint", iss=ISS, allowed_hosts=nobody) == ENDPOINT
    elsewhere = "https://tokens.example/introspect"
    with pytest.raises(FetchFailed) as caught:
        permitted(elsewhere, "introspection_endpoint", iss=ISS, allowed_hosts=nobody)
    assert (caught.value.cause, caught.value.detail) == ("host_not_allowed", "tokens.example")
    named = frozenset({"tokens.example"})
    assert permitted(elsewhere, "introspection_endpoint", iss=ISS, allowed_hosts=named) == elsewhere


def test_an_address_that_is_not_there_is_named() -> None:
    with pytest.raises(FetchFailed) as caught:
        permitted(None, "introspection_endpoint", iss=ISS, allowed_hosts=frozenset())
    assert caught.value.detail == "it has no introspection_endpoint"
