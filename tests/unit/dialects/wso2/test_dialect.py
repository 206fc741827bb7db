from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.dialects.wso2.objects import APP, PLACES, objects, settings

from jwtgate.dialects.certificate import self_signed_rsa
from jwtgate.dialects.dialect import AdministeredDialect, Dialect, Meaning
from jwtgate.dialects.wso2.dialect import DIALECT
from jwtgate.errors import ConfigError
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


XML = b"<APIManager><JWTConfiguration><JWTHeader>${header}</JWTHeader></JWTConfiguration></APIManager>"


def test_variables_are_those_of_the_settings(tmp_path: Path) -> None:
    told = replace(settings(tmp_path), environ={"header": "X-User"})
    assert DIALECT.read([("api-manager.xml", XML)], told)["options"] == {"header": "X-User"}
    with pytest.raises(ConfigError, match="the environment has no header"):
        DIALECT.read([("api-manager.xml", XML)], settings(tmp_path))


def test_what_it_would_make_is_not_made_over_what_is_there(tmp_path: Path) -> None:
    certificate, key = (each.decode() for each in self_signed_rsa("gate", now=datetime(2026, 1, 1, tzinfo=UTC), days=9))
    tenant = {"domain": "carbon.super", "signing_key": key, "certificate": certificate}
    held = DIALECT.read([("r.json", json_bytes({"tenants": [tenant]}))], settings(tmp_path))
    assert DIALECT.complete(held) is held
    other = DIALECT.read([("r.json", json_bytes({"tenants": [{**tenant, "domain": "t1.com"}]}))], settings(tmp_path))
    assert DIALECT.complete(other) is not other


def test_an_unsigned_token_is_refused_before_anything_is_forwarded(tmp_path: Path) -> None:
    unsigned = {"signing_algorithm": "NONE"}
    for options, refused in ((unsigned, 1), ({**unsigned, "unsigned_tokens_trusted_by_legacy_backend": True}, 0)):
        held = objects(options=options, applications=[APP], apis=[PLACES])
        translation = DIALECT.translate(DIALECT.complete(held), settings(tmp_path))
        assert sum(note.meaning is Meaning.REFUSED for note in translation.notes) == refused
        route = translation.document["routes"]["/p"]
        assert ("issue" in route, "upstream" in route) == ((False, False) if refused else (True, True))


def test_files_with_keys_are_named_and_texts_of_keys_are_not(tmp_path: Path) -> None:
    tenants = [{"domain": "a.example", "id": 1, "signing_key": "k.pem", "certificate": "-----BEGIN CERTIFICATE-----"}]
    issuers = [{"name": "i", "certificate": "i.pem"}]
    held = DIALECT.read([("sub/r.json", json_bytes({"tenants": tenants, "issuers": issuers}))], settings(tmp_path))
    assert DIALECT.files_named(held, settings(tmp_path)) == (tmp_path / "sub/k.pem", tmp_path / "sub/i.pem")
