from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.wso2.objects import draft, objects

from jwtgate.dialects.certificate import self_signed, self_signed_rsa, subject_and_serial
from jwtgate.dialects.dialect import Meaning
from jwtgate.dialects.wso2.translation.keys import TenantKeys, completed
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import base64url_decode

CERTIFICATE, KEY = (each.decode() for each in self_signed_rsa("gate", now=datetime(2026, 1, 1, tzinfo=UTC), days=9000))


def tenant(domain: str = "carbon.super", **changes: Any) -> dict[str, Any]:
    held = {"domain": domain, "signing_key": KEY, "certificate": CERTIFICATE, **changes}
    return {name: value for name, value in held.items() if value is not None}


def test_the_super_tenant_is_given_a_key_once_if_it_has_none() -> None:
    bare = objects()
    made = completed(bare)
    assert made["tenant_keys"]["carbon.super"].keys() == {"signing_key", "certificate"}
    assert completed(made) is made
    own = objects(tenants=[tenant()])
    assert completed(own) is own


def test_a_tenant_s_key_signs_and_is_published_under_the_name_of_its_certificate(tmp_path: Path) -> None:
    made = draft(tmp_path, tenants=[tenant(), tenant("t 1")])
    keys = TenantKeys(made)
    assert keys.are_certified
    assert keys.tenants == ("carbon.super", "t 1")
    ours, other = keys.sections.values()
    assert (ours["published"], other["published"]) == (True, False)
    jwk = json.loads(Path(ours["file"]).read_text())
    _, serial = subject_and_serial(CERTIFICATE.encode())
    assert base64url_decode(jwk["kid"]).decode() == f"CN=gate#{serial}"
    assert Path(ours["certificate_file"]).read_text() == CERTIFICATE
    (shown,) = keys.published("t 1")["keys"]
    assert shown.keys() == {"kty", "e", "use", "kid", "alg", "n"}


def test_keys_may_lie_in_files(tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_text(KEY)
    (tmp_path / "c.pem").write_text(CERTIFICATE)
    keys = TenantKeys(draft(tmp_path, tenants=[tenant(signing_key="k.pem", certificate="c.pem")]))
    assert keys.are_certified


def test_without_a_key_the_gateway_has_one_of_its_own(tmp_path: Path) -> None:
    made = draft(tmp_path)
    keys = TenantKeys(made)
    assert not keys.are_certified
    assert keys.sections == {"default": {"alg": "RS256"}}
    (note,) = made.notes()
    assert note.meaning is Meaning.CHANGED


def test_a_tenant_that_is_to_sign_needs_a_key(tmp_path: Path) -> None:
    made = draft(tmp_path, tenants=[tenant(), {"domain": "t1"}], options={"enable_tenant_based_signing": True})
    TenantKeys(made)
    assert [note.place for note in made.notes() if note.meaning is Meaning.REFUSED] == ["tenants/t1"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"certificate": None}, "needs certificate beside signing_key"),
        ({"signing_key": "-----BEGIN X"}, "the signing_key or its certificate cannot be read"),
        ({"certificate": "-----BEGIN X"}, "the signing_key or its certificate cannot be read"),
        ({"signing_key": "lost.pem"}, "cannot be read: FileNotFoundError"),
    ],
)
def test_what_cannot_sign_is_a_mistake(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        TenantKeys(draft(tmp_path, tenants=[tenant(**changes)]))


def test_another_kind_of_key_does_not_sign_so(tmp_path: Path) -> None:
    certificate, key = self_signed(("a",), now=datetime(2026, 1, 1, tzinfo=UTC), days=9000)
    changed = tenant(signing_key=key.decode(), certificate=certificate.decode())
    with pytest.raises(ConfigError, match="SHA256withRSA signs with a key for RSA"):
        TenantKeys(draft(tmp_path, tenants=[changed]))


def test_a_tenant_has_one_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tenants: two have the same domain"):
        TenantKeys(draft(tmp_path, tenants=[tenant("t1.com"), tenant("t1.com")]))
