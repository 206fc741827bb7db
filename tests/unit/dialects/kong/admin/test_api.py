"""Kong's Admin API as a whole: all of a call or nothing, and never a 500 for what a caller got wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.dialects.fake_desk import FakeDesk
from tests.unit.dialects.kong.admin.asking import FORM, JSON_TYPE, Asking

from jwtgate.dialects.dialect import Call, Conflict, Kept, Objects
from jwtgate.dialects.kong.admin.api import KongAdmin
from jwtgate.state.stores.store import StoreFailed


def test_what_cannot_be_served_is_a_400_and_changes_nothing() -> None:
    asking = Asking()
    asking.desk.refusal = "routes.r: no"
    assert asking.json("POST", "/services", {"host": "a.example"}) == 400
    assert asking.value["fields"] == {"@entity": ["routes.r: no"]}
    assert asking.desk.objects == {}


def test_a_body_that_is_too_large_is_refused() -> None:
    asking = Asking()
    assert asking.send("POST", "/services", b"host=a.example&" + b" " * asking.api.most_body_bytes, FORM) == 413
    assert asking.value == {"message": "The body is too large"}
    assert asking.desk.objects == {}


@pytest.mark.parametrize(
    ("fields", "status"), [({}, 401), ({"kong-admin-token": "no"}, 401), ({"kong-admin-token": "s3"}, 200)]
)
def test_with_a_token_nobody_is_answered_without_it(fields: dict[str, str], status: int) -> None:
    api = KongAdmin(FakeDesk(), lambda _: None, is_declarative=False, token="s3")
    reply = asyncio.run(api.answer(Call("GET", "/services", fields=tuple(fields.items()))))
    assert (reply.status, api.is_open) == (status, False)


def test_what_others_changed_meanwhile_is_done_again() -> None:
    asking = Asking(desk=_Busy(2))
    assert asking.json("POST", "/services", {"name": "s", "host": "a.example"}) == 201
    assert {each["name"] for each in asking.desk.objects["services"].values()} == {"s", "other"}


def test_who_is_never_quick_enough_is_told() -> None:
    asking = Asking(desk=_Busy(100))
    assert asking.json("POST", "/services", {"host": "a.example"}) == 500
    assert asking.value["code"] == 8


class _Busy(FakeDesk):
    """A node whose objects others change this many times just before ours are kept."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def keep(self, objects: Objects, *, over: int, who: str) -> None:
        if self.times:
            self.times -= 1
            self.version += 1
            self.objects = {"services": {"1": {"id": "1", "name": "other"}}}
        await super().keep(objects, over=over, who=who)


class _Broken(FakeDesk):
    async def kept(self) -> Kept:
        raise StoreFailed("away")


def test_a_store_that_fails_is_our_fault() -> None:
    asking = Asking(desk=_Broken())
    assert asking.send("GET", "/services") == 500
    assert asking.value["name"] == "database error"


def test_who_asked_is_written_down() -> None:
    asking = Asking()
    asking.made("/services", {"host": "a.example"})
    asking.made("/consumers", {"username": "jack"})
    assert asking.desk.who == ["127.0.0.1", "127.0.0.1"]


@pytest.mark.parametrize("failure", [Conflict("x"), StoreFailed("x")])
def test_tending_goes_on_after_a_failure(failure: Exception) -> None:
    rounds: list[int] = []

    class Failing(FakeDesk):
        async def kept(self) -> Kept:
            rounds.append(1)
            raise failure

    asking = Asking(desk=Failing())

    async def watched() -> None:
        tending = asyncio.create_task(asking.api.tend(pause_seconds=0))
        while len(rounds) < 2:
            await asyncio.sleep(0)
        tending.cancel()

    asyncio.run(watched())


_WORDS = [
    *("services", "routes", "plugins", "consumers", "jwts", "key-auths", "jwt", "key-auth", "certificates", "snis"),
    *("upstreams", "targets", "ca_certificates", "config", "status", "schemas", "validate", "jwt-signer", "jwks"),
    *("rotate", "enabled", "s", "r", "jack", "k", "%00", "%ff", "", "..", "consumer", "service", "kong"),
]
_PATHS = st.lists(st.sampled_from(_WORDS), max_size=5).map(lambda words: "/" + "/".join(words))
_NAMES = [
    *(
        "name",
        "username",
        "custom_id",
        "paths",
        "paths[]",
        "hosts",
        "headers",
        "config",
        "config.add_claims",
        "service",
    ),
    *("service.id", "service.name", "consumer.username", "tags", "url", "port", "key", "secret", "algorithm", "id"),
    *("config.access_token_scopes_claim", "config.access_token_required_claims", "rsa_public_key", "cert", "enabled"),
    *("protocols", "certificate", "target", "upstream.id", "_format_version", "services", "methods", "config[x]"),
]
_TEXTS = st.sampled_from(
    ["", "s", "jwt", "jwt-signer", "/x", "~(", "-1", "1e9", "true", "[", '{"a":1}', "a,b", "\ud800"]
)
_LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), _TEXTS)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*_NAMES, "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"])
_QUERIES = st.sampled_from(["", "?size=1", "?size=x", "?offset=x", "?offset=%", "?tags=a,b", "?tags=/", "?check_hash"])


def _settled() -> Asking:
    asking = Asking()
    asking.made("/services", {"name": "s", "host": "a.example"})
    asking.made("/services/s/routes", {"name": "r", "paths": ["/x"]})
    asking.made("/consumers", {"username": "jack"})
    asking.made("/consumers/jack/jwt", {"key": "k"})
    return asking


@settings(max_examples=400, deadline=None)
@given(
    calls=st.lists(
        st.tuples(_METHODS, _PATHS, _QUERIES, st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_no_json_is_our_fault(calls: list[tuple[str, str, str, dict[str, Any]]]) -> None:
    asking = _settled()
    for method, path, query, value in calls:
        assert asking.send(method, path + query, json.dumps(value), JSON_TYPE) < 500, asking.reply


@settings(max_examples=400, deadline=None)
@given(
    _METHODS,
    _PATHS,
    st.lists(st.tuples(st.sampled_from(_NAMES), st.text("as/~[]{}=&%+,\"'.:1", max_size=6)), max_size=4),
)
def test_no_form_is_our_fault(method: str, path: str, pairs: list[tuple[str, str]]) -> None:
    asking = _settled()
    body = "&".join(f"{name}={value}" for name, value in pairs)
    assert asking.send(method, path, body, FORM) < 500, asking.reply


@settings(max_examples=200, deadline=None)
@given(_METHODS, _PATHS, st.binary(max_size=60), st.sampled_from([FORM, JSON_TYPE, "text/yaml", "multipart/form-data"]))
def test_no_bytes_are_our_fault(method: str, path: str, body: bytes, media_type: str) -> None:
    assert _settled().send(method, path, body, media_type) < 500
