"""The key sets of `jwt-signer`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.unit.dialects.kong.admin.asking import NOW, Asking

from jwtgate.dialects.kong.admin.key_sets import due
from jwtgate.dialects.kong.keysets import made_keyset

KEY_SET = made_keyset("kong", NOW)
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def asking() -> Asking:
    return Asking({"keysets": {KEY_SET["id"]: KEY_SET}})


def _plugin(**config: Any) -> dict[str, Any]:
    return {"name": "jwt-signer", "enabled": True, "config": config}


def test_a_set_is_listed_without_anything_private(asking: Asking) -> None:
    listed = asking.get("/jwt-signer/jwks")
    (shown,) = listed["data"]
    assert listed["next"] is None
    assert shown.keys() == {"id", "name", "keys", "previous", "created_at", "updated_at"}
    assert not any(PRIVATE & key.keys() for key in shown["keys"])
    assert all({"kid", "kty", "alg", "use"} <= key.keys() for key in shown["keys"])


@pytest.mark.parametrize("name", ["kong", KEY_SET["id"]])
def test_one_set_is_a_jwk_set(asking: Asking, name: str) -> None:
    shown = asking.get(f"/jwt-signer/jwks/{name}")
    assert asking.reply.fields == (("Content-Type", "application/jwk-set+json"),)
    assert shown["previous"] == []
    assert [key["kid"] for key in shown["keys"]] == [key["kid"] for key in KEY_SET["keys"]]
    assert not any(PRIVATE & key.keys() for key in shown["keys"])


def test_a_rotation_keeps_one_generation_and_forgets_the_one_before(asking: Asking) -> None:
    first = asking.get("/jwt-signer/jwks/kong")["keys"]
    asking.now += 60
    assert asking.send("POST", "/jwt-signer/jwks/kong/rotate") == 200
    second = asking.value
    assert second["previous"] == first
    assert not {key["kid"] for key in second["keys"]} & {key["kid"] for key in first}
    assert not any(PRIVATE & key.keys() for key in (*second["keys"], *second["previous"]))
    assert (second["id"], second["created_at"], second["updated_at"]) == (KEY_SET["id"], NOW, NOW + 60)
    asking.json("POST", f"/jwt-signer/jwks/{KEY_SET['id']}/rotate", {"client_username": "x"})
    assert asking.get("/jwt-signer/jwks/kong")["previous"] == second["keys"]


def test_a_set_is_deleted(asking: Asking) -> None:
    assert asking.send("DELETE", "/jwt-signer/jwks/kong") == 204
    assert asking.desk.objects == {"keysets": {}}
    assert asking.send("DELETE", "/jwt-signer/jwks/kong") == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/jwt-signer/jwks/none", 404),
        ("POST", "/jwt-signer/jwks/none/rotate", 404),
        ("GET", "/jwt-signer/jwks/kong.json", 404),
        ("GET", "/jwt-signer/jwks/https%3A%2F%2Fkeys.example", 404),
        ("GET", "/jwt-signer/jwks/kong/other", 404),
        ("GET", "/jwt-signer/jwks/kong/rotate", 405),
        ("PUT", "/jwt-signer/jwks/kong", 405),
        ("POST", "/jwt-signer/jwks", 405),
    ],
)
def test_other_addresses_and_methods_are_refused(asking: Asking, method: str, path: str, status: int) -> None:
    assert asking.send(method, path) == status
    assert asking.desk.version == 0


def test_a_set_is_rotated_also_where_a_file_owns_the_rest() -> None:
    asking = Asking({"keysets": {KEY_SET["id"]: KEY_SET}}, is_declarative=True)
    assert asking.send("POST", "/jwt-signer/jwks/kong/rotate") == 200


def test_a_set_whose_name_is_escaped_is_found(asking: Asking) -> None:
    asking.desk.objects = {"keysets": {"1": {**KEY_SET, "id": "1", "name": "a/b"}}}
    assert asking.send("GET", "/jwt-signer/jwks/a%2Fb") == 200


@pytest.mark.parametrize(
    ("plugins", "age", "ids"),
    [
        ([_plugin(access_token_keyset="kong", access_token_keyset_rotate_period=60)], 60, [KEY_SET["id"]]),
        ([_plugin(access_token_keyset="kong", access_token_keyset_rotate_period=60)], 59, []),
        ([_plugin(channel_token_keyset=None, channel_token_keyset_rotate_period=60)], 60, [KEY_SET["id"]]),
        ([_plugin(access_token_keyset="kong", access_token_keyset_rotate_period=0)], 10**6, []),
        ([_plugin(access_token_keyset="other", access_token_keyset_rotate_period=60)], 60, []),
        ([_plugin(access_token_keyset="https://k", access_token_keyset_rotate_period=60)], 60, []),
        ([{**_plugin(access_token_keyset_rotate_period=60), "enabled": False}], 60, []),
        ([{"name": "jwt", "enabled": True, "config": {}}], 60, []),
        (
            [
                _plugin(access_token_keyset="kong", access_token_keyset_rotate_period=90),
                _plugin(access_token_keyset="kong", access_token_keyset_rotate_period=60),
            ],
            60,
            [KEY_SET["id"]],
        ),
    ],
)
def test_a_set_is_due_at_the_shortest_period_that_is_asked_for(
    plugins: list[dict[str, Any]], age: int, ids: list[str]
) -> None:
    objects = {"plugins": dict(enumerate(plugins)), "keysets": {KEY_SET["id"]: KEY_SET}}
    assert due(objects, NOW + age) == ids


def test_what_is_due_is_rotated_by_itself_and_only_then(asking: Asking) -> None:
    plugin = _plugin(access_token_keyset="kong", access_token_keyset_rotate_period=60)
    asking.desk.objects = {**asking.desk.objects, "plugins": {"1": plugin}}
    asyncio.run(asking.api.tend_once())
    assert asking.desk.version == 0
    asking.now += 60
    asyncio.run(asking.api.tend_once())
    asyncio.run(asking.api.tend_once())
    assert asking.desk.version == 1
    assert asking.desk.objects["keysets"][KEY_SET["id"]]["previous"] == json.loads(json.dumps(KEY_SET["keys"]))
