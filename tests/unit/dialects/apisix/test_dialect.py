"""The dialect as a whole."""

from __future__ import annotations

import pytest
from tests.unit.dialects.apisix.loading import HERE, SETTINGS
from tests.unit.dialects.fake_desk import FakeDesk

from jwtgate.dialects.apisix.admin.api import ApisixAdmin
from jwtgate.dialects.apisix.dialect import DIALECT, MADE
from jwtgate.dialects.dialect import Dialect, Objects, Settings
from jwtgate.errors import ConfigError

OBJECTS: Objects = {
    "consumers": {
        "jack": {"username": "jack", "plugins": {"jwt-auth": {"key": "k"}}},
        "rose": {"username": "rose", "plugins": {"jwt-auth": {"key": "r", "secret": "own"}}},
    },
    "credentials": {
        "jack/c": {"plugins": {"jwt-auth": {"key": "c"}}},
        "jack/d": {"plugins": {"jwt-auth": {"key": "d", "algorithm": "RS256", "public_key": "p"}}},
    },
}


def test_it_is_a_dialect() -> None:
    dialect: Dialect = DIALECT
    assert (dialect.name, dialect.title, dialect.made) == ("apisix", "Apache APISIX", (MADE,))


def test_files_are_read_and_settings_taken_from_them() -> None:
    texts = [
        ("config.yaml", b"apisix: {node_listen: 1980}\n"),
        ("apisix.yaml", b"routes:\n  - {id: 1, uri: /a, upstream: {nodes: {'a:80': 1}}}\n#END\n"),
    ]
    given = Settings(folder=HERE, state_folder=HERE, environ={})
    assert DIALECT.settings(texts, given).listen == ("0.0.0.0:1980",)
    objects = DIALECT.read(texts, SETTINGS)
    assert objects is not None
    assert list(objects["routes"]) == ["1"]
    assert DIALECT.read(texts[:1], SETTINGS) is None


def test_secrets_are_made_once_for_who_lacks_one() -> None:
    completed = DIALECT.complete(OBJECTS)
    assert set(completed[MADE]) == {"consumers/jack", "credentials/jack/c"}
    assert DIALECT.complete(completed) is completed
    assert DIALECT.complete({}) == {}


def test_a_secret_of_who_is_gone_is_forgotten() -> None:
    held = {MADE: {"consumers/gone": "x", "consumers/jack": "kept"}}
    completed = DIALECT.complete({**OBJECTS, **held})
    assert set(completed[MADE]) == {"consumers/jack", "credentials/jack/c"}
    assert completed[MADE]["consumers/jack"] == "kept"


def test_callers_have_the_secrets_made_for_them() -> None:
    completed = DIALECT.complete(OBJECTS)
    jack, rose = DIALECT.callers(completed, SETTINGS)
    assert (jack.name, rose.name) == ("jack", "rose")
    credentials = jack.value["credentials"]
    assert credentials["jwt-auth"]["secret"] == completed[MADE]["consumers/jack"]
    assert credentials["jwt-auth/c"]["secret"] == completed[MADE]["credentials/jack/c"]
    assert "secret" not in credentials["jwt-auth/d"]
    assert rose.value["credentials"]["jwt-auth"]["secret"] == "own"


def test_nothing_of_what_was_given_is_changed() -> None:
    before = repr(OBJECTS)
    list(DIALECT.callers(DIALECT.complete(OBJECTS), SETTINGS))
    DIALECT.translate(OBJECTS, SETTINGS)
    assert repr(OBJECTS) == before


def test_its_admin_api_answers_over_a_node() -> None:
    assert isinstance(DIALECT.admin(FakeDesk(), SETTINGS, is_declarative=False), ApisixAdmin)
    with pytest.raises(ConfigError):
        DIALECT.admin(FakeDesk(), Settings(folder=HERE, state_folder=HERE, environ={}), is_declarative=False)
