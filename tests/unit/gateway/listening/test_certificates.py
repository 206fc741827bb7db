"""Certificates of listeners: what is refused of them, and how another takes the place of the one before."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from tests.unit.control.samples import write_certificate
from tests.unit.gateway.listening.handshakes import Session, shake_hands

from jwtgate.errors import ConfigError
from jwtgate.gateway.listening.certificates import Shown, problem_of, server_tls
from jwtgate.policy.plan import Tls


def a_certificate(folder: Path, name: str = "first") -> Tls:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    write_certificate(certificate, key)
    return Tls(str(certificate), str(key))


def test_a_listener_speaks_tls_1_2_and_up(tmp_path: Path) -> None:
    assert server_tls(a_certificate(tmp_path)).minimum_version is ssl.TLSVersion.TLSv1_2


def test_a_certificate_that_can_be_used_has_no_problem(tmp_path: Path) -> None:
    assert problem_of(a_certificate(tmp_path)) is None


def test_an_encrypted_key_is_refused_and_never_asked_about(tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    key = Path(tls.private_key_file)
    private = load_pem_private_key(key.read_bytes(), None)
    locked = BestAvailableEncryption(b"a password")
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(ConfigError, match="encrypted"):
        server_tls(tls)
    assert "encrypted" in (problem_of(tls) or "")


def test_the_key_of_another_certificate_is_named(tmp_path: Path) -> None:
    first, second = a_certificate(tmp_path), a_certificate(tmp_path, "second")
    problem = problem_of(Tls(first.certificate_file, second.private_key_file))
    assert problem == f"{second.private_key_file} is not the key of {first.certificate_file}"


def test_what_is_no_certificate_or_not_there_is_named(tmp_path: Path) -> None:
    tls = a_certificate(tmp_path)
    garbage = tmp_path / "garbage"
    garbage.write_text("no certificate")
    assert (problem_of(Tls(str(garbage), tls.private_key_file)) or "").endswith("is no PEM file of the right kind")
    assert problem_of(Tls(tls.certificate_file, "/nowhere.key")) == "/nowhere.key: No such file or directory"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_another_certificate_is_shown_to_whoever_connects_next_and_sessions_outlive_it(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    shown = Shown(server_tls(a_certificate(tmp_path)))
    before = shake_hands(shown.context, version)
    shown.show(server_tls(a_certificate(tmp_path, "second")))
    fresh = shake_hands(shown.context, version)
    assert fresh.certificate != before.certificate
    assert shake_hands(shown.context, version).certificate == fresh.certificate
    assert shake_hands(shown.context, version, resumed=before).reused
    assert not shake_hands(shown.context, version, resumed=Session(before.client, None, b"", False)).reused
