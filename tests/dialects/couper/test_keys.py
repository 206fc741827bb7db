"""What signatures are verified with: scenarios 21 to 24 of the published examples, and what else is said of keys."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.key_forms import ALGORITHMS, certificate, pkcs1, pkcs8, pkix, private_key, traditional
from tests.dialects.couper.seen import allowed, refused
from tests.dialects.couper.tokens import SECRET, compact, signed

LONG = "a secret that is long enough for whichever of the three algorithms it is asked to serve"
BYTES = b"\x00\xff\xfe not a text\r\n"
RSA, P256 = private_key("RS256"), private_key("ES256")
FORMS = {
    "pkcs1": ("RS256", pkcs1(RSA)),
    "pkix": ("RS256", pkix(RSA)),
    "x509": ("RS256", certificate(RSA)),
    "ec-pkix": ("ES256", pkix(P256)),
    "ec-x509": ("ES256", certificate(P256)),
    "with-text": (
        "RS256",
        f"Bag Attributes\n    localKeyID: 01\n{certificate(RSA)}{certificate(private_key('RS256', 'ca'))}",
    ),
}
SECRETS = {
    "one-letter": ('key = "x"', b"x"),
    "base64": ('key = "c2VjcmV0"', b"c2VjcmV0"),
    "template": ('key = "$${a}%%{b} \\"q\\""', b'${a}%{b} "q"'),
    "env": ("key = env.THE_SECRET", b"${env:HOME} and $9"),
    "env-template": ('key = "${env.THE_SECRET}!"', b"${env:HOME} and $9!"),
    "function": ('key = to_upper("loud")', b"LOUD"),
    "bytes": ('key_file = "keys/bytes"', BYTES),
    "line": ('key_file = "./keys/line"', b"line\n"),
    "env-file": ("key_file = env.THE_FILE", b"line\n"),
}


def key_for(alg: str) -> str:
    """What a signature of this algorithm is verified with."""
    return LONG if alg.startswith("HS") else pkix(private_key(alg))


def token_of(alg: str) -> str:
    """A token of this algorithm, made with what belongs to that key."""
    return signed(LONG if alg.startswith("HS") else private_key(alg), alg)


def heredoc(text: str) -> str:
    """A text in several lines, as files indent it."""
    lines = text.strip().splitlines()
    return "\n".join(["<<-EOF", *(f"      {line}" for line in lines), "    EOF"])


def by_key(alg: str, text: str) -> str:
    """The attributes of a block that has its key here."""
    said = json.dumps(text) if "\n" not in text else heredoc(text)
    return f'signature_algorithm = "{alg}"\n    key = {said}'


def blocks() -> Iterator[str]:
    """The blocks of the gateway."""
    for alg in ALGORITHMS:
        yield jwt(alg, keys=by_key(alg, key_for(alg)))
        yield jwt(f"{alg}-file", keys=f'signature_algorithm = "{alg}"\n    key_file = "keys/{alg}"')
    for label, (alg, text) in FORMS.items():
        yield jwt(label, keys=by_key(alg, text))
        yield jwt(f"{label}-file", keys=f'signature_algorithm = "{alg}"\n    key_file = "keys/{label}"')
    for label, (said, _) in SECRETS.items():
        yield jwt(label, keys=f'signature_algorithm = "HS256"\n    {said}')
    yield jwt("quoted", keys=f'signature_algorithm = "RS256"\n    key = {json.dumps(pkix(RSA))}')
    yield jwt("plain", keys=f'signature_algorithm = "RS256"\n    key = <<EOF\n{pkix(RSA)}EOF')
    yield jwt("from-env", keys="signature_algorithm = env.THE_ALG\n    key = env.THE_KEY")


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    folder = tmp_path_factory.mktemp("couper")
    (folder / "keys").mkdir()
    texts = (
        {alg: key_for(alg) for alg in ALGORITHMS}
        | {label: text for label, (_, text) in FORMS.items()}
        | {"line": "line\n"}
    )
    for name, text in texts.items():
        (folder / "keys" / name).write_text(text)
    (folder / "keys" / "bytes").write_bytes(BYTES)
    found = tuple(blocks())
    labels = [block.split('"')[1] for block in found]
    environ = {"THE_SECRET": "${env:HOME} and $9", "THE_FILE": "keys/line", "THE_ALG": "RS256", "THE_KEY": pkix(RSA)}
    text = file(*(endpoint(f"/{label}", label) for label in labels), definitions=found)
    with CouperProcess(folder, text, environ=environ) as running:
        yield running


@pytest.mark.parametrize("where", ["", "-file"])
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_21_a_key_serves_its_algorithm_and_no_other(couper: CouperProcess, alg: str, where: str) -> None:
    allowed(couper.ask(f"/{alg}{where}", bearer=token_of(alg)))
    others = {other: couper.ask(f"/{alg}{where}", bearer=token_of(other)) for other in ALGORITHMS if other != alg}
    for other, answer in others.items():
        assert refused(couper, answer, "jwt_token_invalid")["message"] == (
            f"access control error: {alg}{where}: token signature is invalid: signing method {other} is invalid"
        )


def test_21_the_key_of_somebody_else_is_no_good(couper: CouperProcess) -> None:
    for alg in ALGORITHMS:
        key = "another secret" * 9 if alg.startswith("HS") else private_key(alg, "somebody else")
        line = refused(couper, couper.ask(f"/{alg}", bearer=signed(key, alg)), "jwt_token_invalid")
        assert line["message"].startswith(f"access control error: {alg}: token signature is invalid: ")


@pytest.mark.parametrize("where", ["", "-file"])
@pytest.mark.parametrize("label", FORMS)
def test_22_a_public_key_may_be_written_in_any_form(couper: CouperProcess, label: str, where: str) -> None:
    alg = FORMS[label][0]
    allowed(couper.ask(f"/{label}{where}", bearer=token_of(alg)))
    refused(couper, couper.ask(f"/{label}{where}", bearer=signed(private_key(alg, "other"), alg)), "jwt_token_invalid")


@pytest.mark.parametrize("label", ["quoted", "plain", "from-env"])
def test_22_and_in_any_text(couper: CouperProcess, label: str) -> None:
    allowed(couper.ask(f"/{label}", bearer=token_of("RS256")))


@pytest.mark.parametrize("label", SECRETS)
def test_a_secret_is_taken_as_it_stands(couper: CouperProcess, label: str) -> None:
    secret = SECRETS[label][1]
    header = {"alg": "HS256"}

    def by(secret: bytes) -> str:
        return compact(header, {"sub": "john.doe"}, lambda data: hmac.digest(secret, data, hashlib.sha256))

    allowed(couper.ask(f"/{label}", bearer=by(secret)))
    refused(couper, couper.ask(f"/{label}", bearer=by(secret + b"\n")), "jwt_token_invalid")


def test_20_the_public_key_is_never_taken_for_a_secret(couper: CouperProcess) -> None:
    for text in (pkix(RSA), pkix(RSA).strip()):
        forged = compact(
            {"alg": "HS256"},
            {"sub": "john.doe"},
            lambda data, text=text: hmac.digest(text.encode(), data, hashlib.sha256),  # type: ignore[misc]
        )
        line = refused(couper, couper.ask("/RS256", bearer=forged), "jwt_token_invalid")
        assert "signing method HS256 is invalid" in line["message"]


def test_alg_is_compared_by_its_letters(couper: CouperProcess) -> None:
    for alg in ("hs256", "HS256 ", "None", "NONE", "PS256", "EdDSA", "XX256"):
        line = refused(couper, couper.ask("/HS256", bearer=compact({"alg": alg}, {})), "jwt_token_invalid")
        assert line["message"].endswith(f"token signature is invalid: signing method {alg} is invalid")


def test_a_signature_of_ecdsa_is_not_in_der(couper: CouperProcess) -> None:
    assert isinstance(P256, ec.EllipticCurvePrivateKey)
    raw = pyjwt.get_algorithm_by_name("ES256")
    allowed(
        couper.ask("/ES256", bearer=compact({"alg": "ES256"}, {"sub": "john.doe"}, lambda data: raw.sign(data, P256)))
    )
    in_der = compact({"alg": "ES256"}, {}, lambda data: P256.sign(data, ec.ECDSA(hashes.SHA256())))
    refused(couper, couper.ask("/ES256", bearer=in_der), "jwt_token_invalid")


def said_of(folder: Path, *lines: str) -> str:
    """What is said of a block with these lines."""
    return mistakes(folder, file(endpoint(), definitions=(jwt("J", keys="\n    ".join(lines)),)))


HS256 = 'signature_algorithm = "HS256"'


def test_23_a_key_is_here_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    both = said_of(tmp_path, HS256, f'key = "{SECRET}"', 'key_file = "key"')
    assert both == "configuration error: J: jwt key: read error: configured attribute and file"
    required = "configuration error: J: jwt key: read error: required: configured attribute or file"
    assert said_of(tmp_path, HS256) == required
    assert said_of(tmp_path, HS256, 'key = ""') == required
    assert said_of(tmp_path, HS256, 'key_file = "key"') == ""


def test_23_a_file_has_to_be_there_and_to_hold_something(tmp_path: Path) -> None:
    missing = f"open {tmp_path}/keys/none: no such file or directory"
    assert said_of(tmp_path, HS256, 'key_file = "keys/none"') == (
        f"configuration error: J: jwt key: read error: {missing}"
    )
    (tmp_path / "empty").touch()
    assert said_of(tmp_path, HS256, 'key_file = "empty"') == ("configuration error: J: jwt key: read error: empty file")


def test_24_an_algorithm_is_one_of_the_nine(tmp_path: Path) -> None:
    for alg in ("XX256", "none", "hs256", "PS256", "EdDSA"):
        said = said_of(tmp_path, f'signature_algorithm = "{alg}"', f'key = "{SECRET}"')
        assert said == f'configuration error: J: algorithm "{alg}" is not supported'
    without = "configuration error: J: signature_algorithm or jwks_url attribute required"
    assert said_of(tmp_path, f'key = "{SECRET}"') == without


NO_PEM = "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key"
WEAK = "key is too short or known to be weak; an RSA key has 2048 bits at least"
NOT_RSA = "key is not a valid RSA public key"


@pytest.mark.parametrize(
    ("alg", "text", "sentence"),
    [
        ("RS256", "not a key", NO_PEM),
        ("ES256", SECRET, NO_PEM),
        ("RS256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", NOT_RSA),
        ("RS256", pkcs8(RSA), NOT_RSA),
        ("RS256", traditional(RSA), NOT_RSA),
        ("RS256", pkix(rsa.generate_private_key(65537, 1024)), WEAK),
        ("RS512", pkix(P256), "invalid RSA public key"),
        ("RS512", certificate(P256), "invalid RSA public key"),
        ("ES256", pkix(RSA), "invalid ECDSA public key"),
        ("ES256", pkcs1(RSA), "invalid ECDSA public key"),
        ("ES384", certificate(RSA), "invalid ECDSA public key"),
        ("ES256", pkix(private_key("ES384")), "invalid ECDSA public key"),
        ("ES512", certificate(private_key("ES256")), "invalid ECDSA public key"),
    ],
)
def test_a_public_key_is_one_of_the_algorithm_s_family(tmp_path: Path, alg: str, text: str, sentence: str) -> None:
    assert said_of(tmp_path, by_key(alg, text)) == f"configuration error: J: {sentence}"
    (tmp_path / "key").write_text(text)
    by_file = said_of(tmp_path, f'signature_algorithm = "{alg}"', 'key_file = "key"')
    assert by_file == f"configuration error: J: {sentence}"


def test_a_key_of_another_kind_is_no_good(tmp_path: Path) -> None:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    text = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert said_of(tmp_path, by_key("ES256", text)) == "configuration error: J: invalid ECDSA public key"


def test_a_key_is_said_once_and_as_a_text(tmp_path: Path) -> None:
    twice = said_of(tmp_path, HS256, 'key = "a"', 'key = "b"')
    assert twice.startswith("couper.hcl:16,5-8: Attribute redefined; ")
    listed = said_of(tmp_path, HS256, 'key = ["a"]')
    assert listed.startswith("couper.hcl:15,")
    assert said_of(tmp_path, HS256, "key = request.query.k[0]").startswith("couper.hcl:")
    unknown = said_of(tmp_path, HS256, 'key = "a"', 'kee = "b"')
    assert '"kee"' in unknown
