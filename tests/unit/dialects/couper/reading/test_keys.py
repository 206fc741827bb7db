from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.unit.dialects.couper.reading.couper_hcl import block_of, context_of, words_of

from jwtgate.dialects.couper.reading.attributes import Attributes
from jwtgate.dialects.couper.reading.configuration import Secret
from jwtgate.dialects.couper.reading.keys import private_key, public_key, read_secret
from jwtgate.jose.key import Key, generate_key

RSA = generate_key("RS256")
EC = generate_key("ES256")
NO_PEM = "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key"


def secret_of(text: str, folder: Path, **environ: str) -> tuple[Secret | None, str]:
    attributes = Attributes(block_of(text), context_of(folder, environ))
    found = read_secret(attributes, "key", label="J", what="jwt key")
    return found, "\n".join(words_of(attributes.mistakes.error()))


def refused_public(value: bytes | str, alg: str) -> str:
    with pytest.raises(ValueError, match="key") as caught:
        public_key(Secret(value.encode() if isinstance(value, str) else value), alg)
    return str(caught.value)


def refused_private(value: str, alg: str) -> str:
    with pytest.raises(ValueError, match="key") as caught:
        private_key(Secret(value.encode()), alg)
    return str(caught.value)


def test_a_key_stands_in_an_attribute_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(b"\xffs\n")
    assert secret_of('key = "a"\n', tmp_path) == (Secret(b"a"), "")
    assert secret_of("key = env.K\n", tmp_path, K="a") == (Secret(b"a", variable="K"), "")
    assert secret_of('key_file = "k"\n', tmp_path) == (Secret(b"\xffs\n", file=tmp_path / "k"), "")


def test_both_none_a_missing_and_an_empty_file_are_told_in_couper_s_words(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    said = "configuration error: J: jwt key: read error: "
    assert secret_of('key = "a"\nkey_file = "k"\n', tmp_path) == (None, f"{said}configured attribute and file")
    unset = "couper.hcl:1 key: env.K is not set; it is null"
    required = f"{said}required: configured attribute or file\n{unset}"
    assert secret_of("key = env.K\n", tmp_path) == (None, required)
    assert secret_of('key_file = "empty"\n', tmp_path) == (None, f"{said}empty file")
    missing = f"{said}open {tmp_path}/k: no such file or directory"
    assert secret_of('key_file = "k"\n', tmp_path) == (None, missing)


def test_a_key_that_cannot_be_evaluated_is_told_once(tmp_path: Path) -> None:
    found, said = secret_of("key = request.path\n", tmp_path)
    assert found is None
    assert said.startswith("couper.hcl:1,")
    assert "\n" not in said


def test_a_secret_is_taken_as_it_is() -> None:
    secret = Secret(b" any \n")
    assert public_key(secret, "HS256") is secret
    assert private_key(secret, "HS512") is secret


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256")])
def test_a_key_in_pem_keeps_where_it_came_from(key: Key, alg: str) -> None:
    secret = Secret(key.to_pem().encode(), file=Path("/k"))
    assert public_key(secret, alg) is secret
    signing = Secret(key.to_private_pem().encode(), variable="K")
    assert private_key(signing, alg) is signing


def test_the_older_form_of_a_public_key_is_taken() -> None:
    verifier = RSA.material.verifier
    pem = verifier.public_bytes(Encoding.PEM, PublicFormat.PKCS1)  # type: ignore[union-attr]
    assert pem.startswith(b"-----BEGIN RSA PUBLIC KEY-----")
    assert public_key(Secret(pem), "RS256") == Secret(pem)


def test_what_a_heredoc_leaves_before_the_lines_is_taken_away() -> None:
    pem = RSA.to_pem()
    indented = "\n".join(f"    {line}\r" for line in pem.splitlines()) + "\n  "
    assert public_key(Secret(f"\n{indented}".encode(), file=Path("/k")), "RS256") == Secret(pem.encode())


def test_only_the_first_key_of_a_text_counts() -> None:
    assert public_key(Secret((RSA.to_pem() + EC.to_pem()).encode()), "RS256") == Secret(RSA.to_pem().encode())


def test_a_public_key_that_cannot_be_used_is_refused_in_couper_s_words() -> None:
    assert refused_public("secret", "RS256") == NO_PEM
    assert refused_public("secret", "ES256") == NO_PEM
    wrong = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    assert refused_public(wrong, "RS256") == "key is not a valid RSA public key"
    assert refused_public(RSA.to_private_pem(), "RS256") == "key is not a valid RSA public key"
    assert refused_public(EC.to_pem(), "RS512") == "invalid RSA public key"
    assert refused_public(RSA.to_pem(), "ES384") == "invalid ECDSA public key"
    assert refused_public(EC.to_pem(), "ES384") == "invalid ECDSA public key"


def test_a_key_that_anybody_can_break_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)
    public = short.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert refused_public(public, "RS256").startswith("key is too short")
    assert refused_private(private.decode(), "RS256").startswith("key is too short")


def test_a_private_key_that_cannot_be_used_is_refused() -> None:
    assert refused_private("secret", "RS256") == NO_PEM
    assert refused_private(RSA.to_pem(), "RS256") == "key is not a valid RSA private key"
    assert refused_private(EC.to_private_pem(), "RS256") == "key is not a valid RSA private key"
    assert refused_private(RSA.to_private_pem(), "ES256") == "key is not a valid ECDSA private key"
