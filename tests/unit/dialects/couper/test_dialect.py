from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.dialects.couper.translated import text

from jwtgate.dialects.couper.dialect import DIALECT
from jwtgate.dialects.dialect import AdministeredDialect, Settings
from jwtgate.errors import ConfigError

SETTINGS = Settings(folder=Path("/nowhere"), state_folder=Path("/nowhere"), environ={})
USER = 'basic_auth "b" {\n user = "u"\n password = "p"\n }'


def files(source: str) -> list[tuple[str, bytes]]:
    return [("couper.hcl", source.encode())]


def test_a_configuration_is_read_and_translated() -> None:
    objects = DIALECT.read(files(text()), SETTINGS)
    assert objects is not None
    assert DIALECT.complete(objects) is objects
    assert "/p" in DIALECT.translate(objects, SETTINGS).document["routes"]
    assert list(DIALECT.callers(objects, SETTINGS)) == []


def test_the_users_of_basic_auth_are_callers() -> None:
    objects = DIALECT.read(files(text('access_control = ["b"]\n response {}', definitions=USER)), SETTINGS)
    assert objects is not None
    (caller,) = DIALECT.callers(objects, SETTINGS)
    assert caller.name == "b"
    assert caller.value == {"credentials": {"b": {"api_key": "dTpw", "claims": {"user": "u"}}}}


def test_a_mistake_is_told_before_anything_is_served() -> None:
    with pytest.raises(ConfigError, match="missing 'server' block"):
        DIALECT.read(files("definitions {}"), SETTINGS)
    with pytest.raises(ConfigError, match="missing 'server' block"):
        DIALECT.settings(files("definitions {}"), SETTINGS)


def test_there_is_no_admin_api() -> None:
    assert not isinstance(DIALECT, AdministeredDialect)
    assert DIALECT.endings == (".hcl",)


def test_the_files_it_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret")
    (tmp_path / "page.html").write_text("<p>")
    keys = 'jwt "J" {\n signature_algorithm = "HS256"\n key_file = "key"\n }'
    settings = replace(SETTINGS, folder=tmp_path)
    objects = DIALECT.read(files(text(around='error_file = "page.html"', definitions=keys)), settings)
    assert objects is not None
    assert set(DIALECT.files_named(objects, settings)) == {tmp_path / "key", tmp_path / "page.html"}
