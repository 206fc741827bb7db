from __future__ import annotations

import json

import pytest
from tests.unit.dialects.fake_desk import FakeDesk
from tests.unit.dialects.kong.kong_yml import SETTINGS, service, signer

from jwtgate.dialects.dialect import Dialect
from jwtgate.dialects.kong.dialect import DIALECT
from jwtgate.errors import ConfigError

DATA = json.dumps({"_format_version": "3.0", **service(signer(), consumers=[{"username": "jack"}])}).encode()


def test_a_file_becomes_a_document_its_callers_and_the_keys_it_signs_with() -> None:
    dialect: Dialect = DIALECT
    objects = dialect.read([("kong.json", DATA), ("kong.conf", b"admin_listen = off")], SETTINGS)
    assert objects is not None
    completed = dialect.complete(objects)
    document = dialect.translate(completed, SETTINGS).document
    assert list(document["routes"]) == ["r"]
    assert "jwks" in document["signing"]["keys"]["kong-RS256"]
    assert [caller.name for caller in dialect.callers(completed, SETTINGS)] == ["jack"]
    assert (dialect.name, dialect.title, dialect.made) == ("kong", "Kong", ("keysets",))


def test_keys_that_are_not_made_yet_are_made_by_the_gateway() -> None:
    objects = DIALECT.read([("kong.json", DATA)], SETTINGS)
    assert objects is not None
    assert DIALECT.translate(objects, SETTINGS).document["signing"]["keys"] == {
        "kong-RS256": {"alg": "RS256", "published": False}
    }


def test_settings_alone_are_no_objects() -> None:
    assert DIALECT.read([("kong.conf", b"")], SETTINGS) is None
    assert DIALECT.read([], SETTINGS) is None
    assert DIALECT.settings([("kong.conf", b"")], SETTINGS).listen == SETTINGS.listen
    with pytest.raises(ConfigError):
        DIALECT.read([("kong.yml", b"_format_version: 7")], SETTINGS)


def test_an_admin_api_is_made_for_a_desk() -> None:
    assert DIALECT.admin(FakeDesk(), SETTINGS, is_declarative=True)
