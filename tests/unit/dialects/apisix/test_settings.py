"""`config.yaml`: addresses, keys of the Admin API, and the key ring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jwtgate.dialects.apisix.settings import (
    PUBLIC_KEYRING,
    AdminKey,
    ApisixSettings,
    is_settings,
    may_be_settings,
    read_settings,
)
from jwtgate.dialects.dialect import Settings
from jwtgate.errors import ConfigError

HERE = Path("/srv")


def read(document: dict[str, Any] | None = None, environ: dict[str, str] | None = None, **given: Any) -> ApisixSettings:
    settings = Settings(folder=HERE, state_folder=HERE, environ=environ or {}, **given)
    return read_settings([] if document is None else [document], settings)


def test_without_a_file_everything_is_as_its_users_are_used_to() -> None:
    found = read()
    assert (found.listen, found.admin_listen, found.tls_listen) == (("0.0.0.0:9080",), ("127.0.0.1:9180",), ())
    assert (found.admin_key_required, found.allow_admin, found.keyring) == (True, ("127.0.0.0/24",), PUBLIC_KEYRING)
    assert found.admin_keys == ()
    assert not found.strict


def test_what_is_given_wins() -> None:
    found = read({"apisix": {"node_listen": 1}}, listen=("127.0.0.1:2",), admin_listen=("127.0.0.1:3",))
    assert (found.listen, found.admin_listen) == (("127.0.0.1:2",), ("127.0.0.1:3",))


@pytest.mark.parametrize(
    ("listed", "addresses"),
    [
        (80, ("0.0.0.0:80",)),
        ([80, {"port": 81, "ip": "::1"}], ("0.0.0.0:80", "[::1]:81")),
        ("10.0.0.1:82", ("10.0.0.1:82",)),
        ([{"ip": "127.0.0.1"}], ("127.0.0.1:9080",)),
    ],
)
def test_addresses_are_listed_in_several_forms(listed: Any, addresses: tuple[str, ...]) -> None:
    assert read({"apisix": {"node_listen": listed}}).listen == addresses


def test_the_admin_api_is_told_who_may_use_it() -> None:
    admin = {
        "admin_key": [{"name": "a", "key": "k1"}, {"name": "v", "key": "${{KEY}}", "role": "viewer"}, {"key": ""}],
        "allow_admin": ["10.0.0.0/8"],
        "admin_listen": {"ip": "0.0.0.0", "port": 9181},
        "admin_key_required": False,
    }
    found = read({"deployment": {"admin": admin}}, {"KEY": "k2", "ADMIN_API_KEY": "k3"})
    assert found.admin_keys == (AdminKey("a", "k1"), AdminKey("v", "k2", "viewer"), AdminKey("admin", "k3"))
    assert (found.allow_admin, found.admin_listen, found.admin_key_required) == (
        ("10.0.0.0/8",),
        ("0.0.0.0:9181",),
        False,
    )
    assert "k1" not in repr(found)


def test_everybody_is_let_in_where_the_list_is_empty() -> None:
    assert read({"deployment": {"admin": {"allow_admin": None}}}).allow_admin == ()


def test_a_variable_may_have_a_default_and_must_have_a_value() -> None:
    keys = [{"key": "${{KEY:=other}}"}]
    assert read({"deployment": {"admin": {"admin_key": keys}}}).admin_keys == (AdminKey("admin", "other"),)
    with pytest.raises(ConfigError, match="KEY is not set"):
        read({"deployment": {"admin": {"admin_key": [{"key": "${{KEY}}"}]}}})


def test_tls_is_spoken_with_a_certificate_only() -> None:
    ssl = {"apisix": {"ssl": {"listen": [{"port": 9443}]}}}
    assert read(ssl).tls_listen == ()
    assert read(ssl, certificate="c.pem", private_key="k.pem").tls_listen == ("0.0.0.0:9443",)
    assert read({"apisix": {"ssl": {"enable": False}}}, certificate="c.pem", private_key="k.pem").tls_listen == ()


def test_the_key_ring_is_read_or_switched_off() -> None:
    def ring(section: dict[str, Any]) -> tuple[str, ...]:
        return read({"apisix": {"data_encryption": section}}).keyring

    assert ring({"enable_encrypt_fields": False}) == ()
    assert ring({"keyring": "edd1c9f0985e76a2"}) == ("edd1c9f0985e76a2",)
    assert ring({"enable": True, "keyring": ["0" * 32]}) == ("0" * 32,)
    with pytest.raises(ConfigError):
        ring({"keyring": ["short"]})


@pytest.mark.parametrize(
    "document",
    [
        {"deployment": []},
        {"deployment": {"admin": {"admin_key_required": "yes"}}},
        {"deployment": {"admin": {"allow_admin": "10.0.0.0/8"}}},
        {"deployment": {"admin": {"admin_key": [{"key": "k", "role": "king"}]}}},
        {"apisix": {"node_listen": [True]}},
    ],
)
def test_what_cannot_be_read_is_a_mistake(document: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        read(document)


def test_strictness_is_asked_for_in_the_environment() -> None:
    own = {"apisix": {"data_encryption": {"keyring": "0" * 16}}}
    assert read(own, {"JWTGATE_APISIX_STRICT": "true"}).strict
    assert not read(own, {"JWTGATE_APISIX_STRICT": "no"}).strict


def test_whoever_is_strict_has_a_key_ring_of_their_own() -> None:
    with pytest.raises(ConfigError, match="everybody knows it"):
        read(environ={"JWTGATE_APISIX_STRICT": "true"})


def test_a_file_of_settings_is_told_from_one_of_objects() -> None:
    assert is_settings({"deployment": {}})
    assert not is_settings({"routes": []})
    assert not is_settings([])


@pytest.mark.parametrize("text", ["apisix:\n  node_listen: 1", '{"deployment" : {}}', "a: 1\n'plugin_attr': {}"])
def test_what_could_be_settings_is_told_at_a_glance(text: str) -> None:
    assert may_be_settings(text.encode())


@pytest.mark.parametrize("text", ["", "routes: [{uri: /apisix/plugin/jwt/sign}]", "my_apisix: {}"])
def test_what_could_not_be_is_told_too(text: str) -> None:
    assert not may_be_settings(text.encode())
