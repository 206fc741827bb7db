from __future__ import annotations

from pathlib import Path

from tests.unit.dialects.wso2.objects import APP, PLACES, objects, settings

from jwtgate.dialects.dialect import AdministeredDialect, Dialect
from jwtgate.dialects.wso2.dialect import DIALECT
from jwtgate.jose.encoding import json_bytes


def test_it_is_a_dialect_without_an_admin_api() -> None:
    dialect: Dialect = DIALECT
    assert (dialect.name, dialect.made) == ("wso2", ("tenant_keys",))
    assert not isinstance(dialect, AdministeredDialect)


def test_files_become_a_document_and_callers(tmp_path: Path) -> None:
    text = json_bytes({"applications": [APP], "apis": [PLACES]})
    held = DIALECT.read([("r.json", text)], settings(tmp_path))
    completed = DIALECT.complete(held)
    assert DIALECT.complete(completed) is completed
    assert completed["tenant_keys"].keys() == {"carbon.super"}
    document = DIALECT.translate(completed, DIALECT.settings([], settings(tmp_path))).document
    assert document["routes"].keys() == {"/p/1", "/p", "jwks:carbon.super"}
    assert [caller.name for caller in DIALECT.callers(completed, settings(tmp_path))] == ["application:ck"]


def test_without_records_nothing_is_found(tmp_path: Path) -> None:
    document = DIALECT.translate(objects(options={"enable_jwks_api": False}), settings(tmp_path)).document
    assert document["routes"]["none"]["respond"] == {"status": 404}
