"""The interactive page."""

from __future__ import annotations

import re

import pytest
from tests.unit.admin.conftest import Client
from tests.unit.admin.node import Node

from jwtgate.admin.app import guarded_app
from jwtgate.admin.page import HTML, PATHS, START


@pytest.mark.parametrize("path", PATHS)
def test_all_the_page_needs_is_served_by_us_without_a_token(client: Client, path: str) -> None:
    answer = client.ask("GET", path, token=None)
    assert (answer.status, answer.fields["x-content-type-options"]) == (200, "nosniff")
    kinds = {"/": "text/html", "js": "text/javascript", "css": "text/css", "json": "application/json"}
    assert answer.fields["content-type"].split(";")[0] == kinds[path.rpartition(".")[2]]


def test_sec_146_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(client: Client) -> None:
    policy = client.ask("GET", "/", token=None).fields["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"https?:", HTML + START) == []
    assert re.findall(r"<script(?! src=\"/page/[a-z.-]+\"></script>)|<style|\son\w+=|style=", HTML) == []
    assert set(re.findall(r'(?:src|href)="(/[^"]*)"', HTML)) <= set(PATHS)


def test_the_page_starts_what_the_bundle_brings(client: Client) -> None:
    bundle = client.ask("GET", "/page/swagger-ui-bundle.js", token=None).body
    assert START.startswith("SwaggerUIBundle(")
    assert b"SwaggerUIBundle=" in bundle
    assert '"/v1/openapi.json"' in START


def test_the_token_is_kept_in_the_memory_of_the_page_only() -> None:
    assert "persistAuthorization: false" in START
    assert "validatorUrl: null" in START


@pytest.mark.parametrize("path", PATHS)
def test_without_the_page_strangers_see_nothing(path: str) -> None:
    client = Client(guarded_app(Node(), (), shows_page=False, wall=lambda: 0.0, monotonic=lambda: 0.0))
    assert client.ask("GET", path, token=None).status == 401


@pytest.mark.parametrize("path", ["/page/redoc.standalone.js", "/page/../app.py", "/page/"])
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.ask("GET", path).status == 404
