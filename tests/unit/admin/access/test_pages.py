"""Requests a browser makes for a page that is none of ours."""

from __future__ import annotations

import pytest

from jwtgate.admin.access.pages import Scope, is_of_a_name_led_here, is_of_another_origin


def scope(method: str = "POST", server: str = "127.0.0.1", **fields: str) -> Scope:
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return {"method": method, "scheme": "http", "server": (server, 1), "headers": headers}


@pytest.mark.parametrize(
    ("asked", "foreign"),
    [
        (scope(host="a:1"), False),
        (scope(host="a:1", origin="http://a:1"), False),
        (scope(host="a:1", origin="https://a:1"), True),
        (scope(host="a:1", origin="null"), True),
        (scope(host="a:1", sec_fetch_site="cross-site"), True),
        (scope("GET", host="a:1", sec_fetch_site="cross-site", sec_fetch_mode="navigate"), False),
        (scope("POST", host="a:1", sec_fetch_site="cross-site", sec_fetch_mode="navigate"), True),
    ],
)
def test_a_page_is_of_the_origin_it_came_from(asked: Scope, foreign: bool) -> None:
    assert is_of_another_origin(asked) is foreign


@pytest.mark.parametrize(
    ("server", "host", "led"),
    [
        ("127.0.0.1", "127.0.0.1:8001", False),
        ("127.0.0.1", "localhost", False),
        ("127.0.0.1", "api.localhost:8001", False),
        ("::1", "[::1]:8001", False),
        ("127.0.0.1", "kong:8001", False),
        ("127.0.0.1", "evil.example:8001", True),
        ("127.0.0.1", "EVIL.example.", True),
        ("::1", "evil.example", True),
        ("10.0.0.1", "admin.example:8001", False),
        ("/run/admin", "admin.example", False),
    ],
)
def test_over_loopback_nobody_is_called_by_a_domain_name(server: str, host: str, led: bool) -> None:
    assert is_of_a_name_led_here(scope(server=server, host=host)) is led


def test_without_an_address_of_ours_nothing_is_known() -> None:
    assert not is_of_a_name_led_here({**scope(host="evil.example"), "server": None})
