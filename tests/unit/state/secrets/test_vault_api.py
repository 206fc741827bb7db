from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response
from jwtgate.state.secrets.reading import ReadFailed
from jwtgate.state.secrets.vault_api import VaultApi, quoted, seconds_of

Call = tuple[str, str, FetchRules, Mapping[str, str], bytes | None]


class Recorder(HttpClient):
    """Keeps what was asked, and answers or fails as it was told."""

    def __init__(self, outcome: Response | FetchFailed | None = None) -> None:
        self.outcome = outcome or Response("application/json", b'{"a": 1}')
        self.calls: list[Call] = []

    async def send(
        self, method: str, url: str, *, rules: FetchRules, fields: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        self.calls.append((method, url, rules, fields, body))
        if isinstance(self.outcome, FetchFailed):
            raise self.outcome
        return self.outcome


def api(client: HttpClient, **settings: str | bool) -> VaultApi:
    return VaultApi({"address": "https://vault.example:8200/", **settings}, client, Path("/etc/jwtgate"))


def test_a_read_carries_the_token_and_says_it_is_no_browser() -> None:
    client = Recorder()
    assert asyncio.run(api(client, namespace="team").read("secret/data/x", token="t")) == {"a": 1}
    ((method, url, rules, fields, body),) = client.calls
    assert (method, url, body) == ("GET", "https://vault.example:8200/v1/secret/data/x", None)
    assert fields == {"X-Vault-Request": "true", "X-Vault-Namespace": "team", "X-Vault-Token": "t"}
    assert (rules.ca_file, rules.insecure_http, rules.total_seconds) == (None, False, 5)


def test_a_write_is_json_and_a_login_carries_no_token() -> None:
    client = Recorder()
    asyncio.run(api(client).write("auth/approle/login", {"role_id": "r"}, token=None))
    ((method, _, _, fields, body),) = client.calls
    assert (method, body) == ("POST", b'{"role_id":"r"}')
    assert fields == {"X-Vault-Request": "true", "Content-Type": "application/json"}
    asyncio.run(api(client).write("sys/leases/renew", {}, token="t"))
    assert client.calls[1][3]["X-Vault-Token"] == "t"


def test_what_is_trusted_and_allowed_is_passed_on() -> None:
    client = Recorder()
    asyncio.run(api(client, ca_file="ca.pem", insecure_http=True).read("x", token="t"))
    assert client.calls[0][2] == FetchRules(ca_file="/etc/jwtgate/ca.pem", insecure_http=True)


@pytest.mark.parametrize(
    ("failed", "cause"),
    [
        (FetchFailed("status_400", status=400), "refused"),
        (FetchFailed("status_403", status=403), "forbidden"),
        (FetchFailed("status_404", status=404), "not_found"),
        (FetchFailed("status_429", status=429), "standby"),
        (FetchFailed("status_503", status=503), "sealed"),
        (FetchFailed("status_500", status=500), "status_500"),
        (FetchFailed("redirect", status=307), "redirect"),
        (FetchFailed("timeout"), "slow"),
        (FetchFailed("name_unknown"), "unreachable"),
        (FetchFailed("connection_lost"), "unreachable"),
        (FetchFailed("too_large"), "malformed"),
        (FetchFailed("scheme_refused"), "scheme_refused"),
    ],
)
def test_each_failure_has_its_word(failed: FetchFailed, cause: str) -> None:
    with pytest.raises(ReadFailed) as caught:
        asyncio.run(api(Recorder(failed)).read("x", token="t"))
    assert caught.value.cause == cause
    assert caught.value.__cause__ is None


def test_an_answer_that_is_no_object_is_malformed() -> None:
    with pytest.raises(ReadFailed, match="malformed"):
        asyncio.run(api(Recorder(Response("text/html", b"<html>"))).read("x", token="t"))


def test_segments_are_encoded() -> None:
    assert quoted("a b/c%2Fd/é?#") == "a%20b/c%252Fd/%C3%A9%3F%23"


@pytest.mark.parametrize("path", ["", "a//b", "/a", "a/", ".", "a/.."])
def test_sec_149_a_path_has_no_empty_segments_and_does_not_climb(path: str) -> None:
    with pytest.raises(ReadFailed, match="path_refused"):
        quoted(path)


def test_a_duration_of_zero_never_ends() -> None:
    assert seconds_of(60) == 60
    assert seconds_of(0) == math.inf


@pytest.mark.parametrize("value", [True, "60", None, -1])
def test_anything_but_a_number_of_seconds_is_malformed(value: bool | str | int | None) -> None:
    with pytest.raises(ReadFailed, match="malformed"):
        seconds_of(value)
