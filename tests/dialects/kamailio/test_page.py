"""The examples of the module's guide, through the Python functions, and tokens the real module has made."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest
from tests.dialects.kamailio.material import NOW, SECRET, C, by_secret

from jwtgate.errors import ConfigError
from jwtgate.integrations.kamailio.calls import Calls
from jwtgate.integrations.kamailio.claims.templates import pv

MESSAGE = {"$fU": "alice", "$tU": "bob", "$ci": "a84b4c76e66710@pc33.example.com"}
PAYLOAD = b'{"callee":"bob","caller":"alice","callid":"a84b4c76e66710@pc33.example.com","iat":%d}' % NOW
PAIRS = [*((f"RS{bits}", "rsa", "rsa.pub", "other.pub") for bits in (256, 384, 512)),
         *((f"HS{bits}", "secret", "secret", "text") for bits in (256, 384, 512)),
         ("ES256", "p256", "p256.pub", "rsa.pub"), ("ES384", "p384", "p384.pub", "p256.pub"),
         ("ES512", "p521", "p521.pub", "p256.pub")]  # fmt: skip


def decoded(segment: str) -> bytes:
    return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def made(calls: Calls, key: Path, alg: str = "HS256", claims: str = C) -> str | None:
    calls.jwt_generate(str(key), alg, claims)
    return calls.jwt.val


def by(token: str | None, *secrets: bytes) -> list[bytes]:
    """Which of these secrets made the token."""
    judge = Calls(clock=lambda: NOW)
    return [each for each in secrets if judge.jwt_verify_key(each.decode(), "HS256", ";", token)]


A, B = b"A" * 40, b"B" * 40


@pytest.mark.parametrize("mode", [0, 1, 2, -1])
def test_k_01_key_mode_1_alone_keeps_a_key(tmp_path: Path, mode: int) -> None:
    calls, key = Calls(clock=lambda: NOW, key_mode=mode), tmp_path / "key"
    key.write_bytes(A)
    assert by(made(calls, key), A, B) == [A]
    _written(tmp_path / "next", B).replace(key)
    assert by(made(calls, key), A, B) == ([A] if mode == 1 else [B])
    key.unlink()
    assert (made(calls, key) is None) == (mode != 1)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_k_01_the_default_is_0_and_text_is_refused() -> None:
    assert Calls().settings.key_mode == 0
    with pytest.raises(ConfigError):
        Calls(key_mode="1")


def test_k_01_a_missing_key_is_not_remembered(tmp_path: Path) -> None:
    calls, key = Calls(clock=lambda: NOW, key_mode=1), tmp_path / "key"
    assert calls.jwt_generate(str(key), "HS256", C) == -1
    key.write_bytes(A)
    assert calls.jwt_generate(str(key), "HS256", C) == 1


def test_k_02_the_bytes_of_a_token(either: Calls, keys: dict[str, Path]) -> None:
    assert either.jwt_generate(str(keys["rsa"]), "RS256", C) == 1
    assert either.jwt.val is not None
    header, payload, _ = either.jwt.val.split(".")
    assert (header, decoded(payload)) == ("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9", PAYLOAD)
    assert either.jwt_verify(str(keys["rsa.pub"]), "RS256", C, either.jwt.val) == 1


@pytest.mark.parametrize(
    ("claims", "status"),
    [(C, 0), (C.replace("alice", "mallory"), 256), (C + "9", 256), (C + ";x=1", 128),
     (C.replace("alice", "mallory") + ";x=1", 384), (";", 0)],
)  # fmt: skip
def test_k_03_claims_that_hold_and_that_do_not(either: Calls, keys: dict[str, Path], claims: str, status: int) -> None:
    token = made(either, keys["rsa"], "RS256")
    assert either.jwt_verify(str(keys["rsa.pub"]), "RS256", claims, token) == (1 if status == 0 else -1)
    assert either.jwt.status == status


@pytest.mark.parametrize(
    ("key", "alg", "status"),
    [("other.pub", "RS256", 0), ("rsa.pub", "RS384", 2), ("rsa.pub", "HS256", 2), ("rsa.pub", "none", 2),
     ("rsa.pub", "rs256", 0), ("missing", "RS256", 0)],
)  # fmt: skip
def test_k_03_another_key_or_algorithm(
    either: Calls, keys: dict[str, Path], key: str, alg: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    token = made(either, keys["rsa"], "RS256")
    assert (either.jwt_verify(str(keys[key]), alg, C, token), either.jwt.status) == (-1, status)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert key != "missing" or str(keys[key]) in lines[0]


@pytest.mark.parametrize("token", ["abc", None])
def test_k_03_no_token(either: Calls, keys: dict[str, Path], token: str | None) -> None:
    assert (either.jwt_verify(str(keys["rsa.pub"]), "RS256", C, token), either.jwt.status) == (-1, 0)


@pytest.mark.parametrize("years", [10, -10])
def test_k_03_a_token_without_exp_holds_at_any_time(keys: dict[str, Path], years: int) -> None:
    token = made(Calls(clock=lambda: NOW), keys["rsa"], "RS256")
    calls = Calls(clock=lambda: NOW + years * 31_557_600)
    assert (calls.jwt_verify(str(keys["rsa.pub"]), "RS256", C, token), calls.jwt.status) == (1, 0)


def test_k_04_what_jwt_tells(either: Calls, keys: dict[str, Path]) -> None:
    token, public = made(either, keys["rsa"], "RS256"), str(keys["rsa.pub"])
    assert token is not None
    either.jwt_verify(public, "RS256", "caller=mallory", token)
    assert (either.jwt.val, either.jwt.status) == (token, 256)
    either.jwt_verify(public, "RS256", C, token)
    assert (either.jwt.val, either.jwt.status, either.jwt.reason) == (token, 0, None)
    assert either.jwt_generate(str(keys["rsa"]), "XX", C) == -1
    assert either.jwt.val is None


@pytest.mark.parametrize(("alg", "private", "public", "other"), PAIRS)
def test_k_05_every_algorithm(
    either: Calls, keys: dict[str, Path], alg: str, private: str, public: str, other: str
) -> None:
    token = made(either, keys[private], alg)
    assert token is not None
    assert decoded(token.split(".")[0]) == b'{"alg":"%s","typ":"JWT"}' % alg.encode()
    assert decoded(token.split(".")[1]) == PAYLOAD
    answers = [
        (either.jwt_verify(str(keys[key]), alg, claims, presented), either.jwt.status)
        for key, claims, presented in (
            (public, C, token), (public, "caller=mallory", token), (public, C, token[:-6]), (other, C, token),
        )
    ]  # fmt: skip
    assert answers == [(1, 0), (-1, 256), (-1, 0), (-1, 0)]


RSA_PUBLIC = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAodvsAfZTph+CUIdLpUFy
51MPynLk9Y6Spn8w8NASaTRNnBZPKQ+M+j7aT3qh+A/u+O1F6dTRnOL2Sgd93av3
XIljC9jmKqe1OaYk2vJlom3YKHuFTx87emAoTBu86Q0sEIcsqoLzFiSAdvqPGFZn
MbnjgcsSHUYKavZMT+WwVDLOmHXDHTC57frRRpsou4JkyAhpZdKWj+FppUdUMRs2
jEr3iUMEpEPjHOluX9OPZGEWmwMUfpEui5PLFRVGBxi0ckUBlxFxGRLtG169V3bK
5/xOdmzvn1L9N86v09U7ECWN2ycbX+MbsuXGNibZB8Dav5DBrROL2ivZUvjPcKu1
4QIDAQAB
-----END PUBLIC KEY-----
"""
BY_RSA = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYWxsZWUiOiJib2IiLCJjYWxsZXIiOiJhbGljZSIsImNhbGxpZCI6ImE4NGI0Yzc2ZTY2NzEwQHBjMzMuZXhhbXBsZS5jb20iLCJpYXQiOjE3OTUyOTcwODl9.YuOhfwN2G2SE76b3OKxgnNRou1u48o6wvsJhgxXZ2IvrGePA-46Dysr95-WA5UCSsN2hhxYn-1nc9Pen6QyAnusKtn_VECSPjEgnqPyyO3Xn0svCwV1Y2iuXNlCwkplntz6hN7I5AhDbiaRM0oaW_oD2vt4vcqzLn5l1D56q0fJYPDqgI26o_4c-rWUxpsSJ4h_LSrhbO23ib_vvUsHIQc9O06pWS4NnzdorR8JUO-mGDJzvWF_4OnOb0ZS5G4pzU4G3WFL6Lvnbnd3GW0pAYs3rqQ0y6DnUe5HNvvg7DdzUbJPz_zRJWMiSrg4lIp2Rp8JGq1e2-TlT7ZAD6W6LAQ"  # fmt: skip  # noqa: E501
EC_PUBLIC = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVyO3RP/4ubAKAvjVhvrn2oGQgdkT
qEncu4aiq9R8kIdoVTynCeMn/ZmSCL4Buf42rPcR4+ocZ0D+qPcqqMzkKw==
-----END PUBLIC KEY-----
"""
BY_EC = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYWxsZWUiOiJib2IiLCJjYWxsZXIiOiJhbGljZSIsImNhbGxpZCI6ImE4NGI0Yzc2ZTY2NzEwQHBjMzMuZXhhbXBsZS5jb20iLCJpYXQiOjE3OTUyOTcwODl9.4of7BSZVMP1GUd4ZbCq7LtIX3dZKWERKnDvegnPHmfndzR0Q7J-tv-8sWidSRkXKAs0Q75Qc3P50IXa1_UwTeA"  # fmt: skip  # noqa: E501
BY_SECRET = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYWxsZWUiOiJib2IiLCJjYWxsZXIiOiJhbGljZSIsImNhbGxpZCI6ImE4NGI0Yzc2ZTY2NzEwQHBjMzMuZXhhbXBsZS5jb20iLCJpYXQiOjE3OTUyOTcwODl9.4LOMtHSKYWSbR2C2bCFVzVPIg40H8_Z8Qh9FoxvMuic"  # fmt: skip  # noqa: E501
BYTES = [
    (C, "", BY_SECRET),
    ("caller='1001';callee=1002;index=100;name='José \"J\" O\\'", "", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYWxsZWUiOjEwMDIsImNhbGxlciI6IjEwMDEiLCJpYXQiOjE3OTUyOTcwODksImluZGV4IjoxMDAsIm5hbWUiOiJKb3PDqSBcIkpcIiBPXFwifQ.18gdb0U4n8Qm1GOkN9-my-X7j9ze3Erv1VgFZgOLY94"),  # noqa: E501
    ("caller=alice", "kid=k1;ppt=shaken", "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwicHB0Ijoic2hha2VuIiwidHlwIjoiSldUIn0.eyJjYWxsZXIiOiJhbGljZSIsImlhdCI6MTc5NTI5NzA4OX0.DTPk9grzQ82nwYXU4mVg_NyFmw_FXLx6FhSUWzhSTYU"),  # noqa: E501
    ("caller=alice;exp=1700000000", "", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYWxsZXIiOiJhbGljZSIsImV4cCI6MTcwMDAwMDAwMCwiaWF0IjoxNzk1Mjk3MDg5fQ.H2NLon6Tf1jtEroZvaKxBc1fKkj4MzPXQnWb7Ys-OYA"),  # noqa: E501
    ("caller=alice;nbf=4102444800", "", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYWxsZXIiOiJhbGljZSIsImlhdCI6MTc5NTI5NzA4OSwibmJmIjo0MTAyNDQ0ODAwfQ.LTS5QLyNLlf0-bi-CrRx2NySEg6Aed_nx77ZLBE2vZY"),  # noqa: E501
]  # fmt: skip
CHECKED = [
    *((BYTES[0][2], claims, status) for claims, status in (
        (C, 0), ("callid=a84b4c76e66710@pc33.example.com", 0), ("caller=bob", 256), ("caller=alice;x=1", 128),
        ("caller=bob;x=1", 384), (";", 0))),
    *((BYTES[1][2], claims, status) for claims, status in (
        ("caller='1001';callee=1002;index=100", 0), ("caller=1001", 256), ("index='100'", 256))),
    (BYTES[3][2], "caller=alice", 4), (BYTES[3][2], "caller=bob", 260),
    (BYTES[4][2], "caller=alice", 8), (BYTES[4][2], "caller=bob", 264),
]  # fmt: skip


@pytest.mark.parametrize(("claims", "headers", "token"), BYTES)
def test_k_08_our_tokens_are_those_of_the_module(
    either: Calls, keys: dict[str, Path], claims: str, headers: str, token: str
) -> None:
    assert either.jwt_generate(str(keys["secret"]), "HS256", claims, headers) == 1
    assert either.jwt.val == token


@pytest.mark.parametrize(("token", "claims", "status"), CHECKED)
def test_k_08_tokens_of_the_module_by_secret(
    either: Calls, keys: dict[str, Path], token: str, claims: str, status: int
) -> None:
    answer = either.jwt_verify(str(keys["secret"]), "HS256", claims, token)
    assert (answer, either.jwt.status) == (1 if status == 0 else -1, status)


@pytest.mark.parametrize(
    ("claims", "status"), [(claims, status) for token, claims, status in CHECKED if token == BY_SECRET]
)
@pytest.mark.parametrize(("alg", "key", "token"), [("RS256", RSA_PUBLIC, BY_RSA), ("ES256", EC_PUBLIC, BY_EC)])
def test_k_08_tokens_of_the_module_by_pairs(
    either: Calls, alg: str, key: str, token: str, claims: str, status: int
) -> None:
    answer = either.jwt_verify_key(key, alg, claims, token)
    assert (answer, either.jwt.status) == (1 if status == 0 else -1, status)


@pytest.mark.parametrize("alg", ["HS256", "none"])
def test_k_08_another_algorithm_is_expected(either: Calls, alg: str) -> None:
    assert (either.jwt_verify_key(RSA_PUBLIC, alg, ";", BY_RSA), either.jwt.status) == (-1, 2)


@pytest.mark.parametrize("user", ["alice,x", "alice',x", "alice;admin=1", 'alice"', "a=b"])
def test_k_11_a_name_changes_nothing_but_its_own_claim(keys: dict[str, Path], user: str) -> None:
    calls = Calls(clock=lambda: NOW, variables={**MESSAGE, "$fU": user}.get)
    secret, only = str(keys["secret"]), by_secret({"caller": "alice"})
    for claims in (pv("caller=$fU;callee=$tU"), {"caller": user, "callee": "bob"}):
        assert calls.jwt_generate(secret, "HS256", claims) == 1
        assert calls.jwt_verify(secret, "HS256", claims, calls.jwt.val) == 1
        assert calls.jwt.claims == {"caller": user, "callee": "bob", "iat": NOW}
        assert calls.jwt_verify(secret, "HS256", claims, only) == -1


@pytest.mark.parametrize("claims", ["caller=alice,x;callee=bob", "caller='alice',x';callee='bob'"])
def test_k_11_a_name_written_into_a_list_opens_the_reference_alone(
    strict: Calls, compat: Calls, keys: dict[str, Path], claims: str
) -> None:
    secret, only = str(keys["secret"]), by_secret({"caller": "alice"})
    assert compat.jwt_verify(secret, "HS256", claims, only) == 1
    assert strict.jwt_verify(secret, "HS256", claims, only) == -1


def test_k_12_the_later_guide(keys: dict[str, Path]) -> None:
    message = {**MESSAGE, "$fU": "1001", "$tU": "+15551234567"}
    calls = Calls(clock=lambda: NOW, variables=lambda name: message.get(name))
    claims = pv("caller='$fU';callee='$tU';callid='$ci';index=100")
    token = made(calls, keys["rsa"], "RS256", claims)  # type: ignore[arg-type]
    assert token is not None
    assert decoded(token.split(".")[1]) == (
        b'{"callee":"+15551234567","caller":"1001","callid":"%s","iat":%d,"index":100}' % (MESSAGE["$ci"].encode(), NOW)
    )
    pem = keys["rsa.pub"].read_text()
    for key in (pem, f" \n\t{pem}\n\n "):
        assert calls.jwt_verify_key(key, "RS256", claims, token) == 1
    assert (calls.jwt_verify_key(str(keys["rsa.pub"]), "RS256", claims, token), calls.jwt.status) == (-1, 0)
    message["$fU"] = "01001"
    assert (calls.jwt_verify_key(pem, "RS256", claims, token), calls.jwt.status) == (-1, 256)


@pytest.mark.parametrize("key", ["", " \n\t "])
@pytest.mark.parametrize("alg", ["none", "HS256", "RS256"])
def test_an_empty_key_verifies_nothing(either: Calls, key: str, alg: str) -> None:
    for token in (by_secret({"a": 1}), by_secret({"a": 1}, secret=b"stranger"), BY_RSA):
        assert either.jwt_verify_key(key, alg, ";", token) == -1


@pytest.mark.parametrize("first", ["generate", "verify"])
@pytest.mark.parametrize("mode", [0, 1])
def test_a_line_end_is_part_of_a_secret_for_both_or_for_none(keys: dict[str, Path], mode: int, first: str) -> None:
    path = str(keys["secret-newline"])
    for rule, secret in (("raw", SECRET + b"\n"), ("trim", SECRET)):
        calls = Calls(clock=lambda: NOW, key_mode=mode, hmac_key=rule)
        if first == "verify":
            assert calls.jwt_verify(path, "HS256", "a=1", by_secret({"a": 1}, secret=secret)) == 1
        assert calls.jwt_generate(path, "HS256", C) == 1
        assert calls.jwt_verify(path, "HS256", C, calls.jwt.val) == 1


def test_numbers_lose_nothing_in_a_template(keys: dict[str, Path]) -> None:
    message = {"$fU": "1001"}
    calls = Calls(clock=lambda: NOW, variables=lambda name: message.get(name))
    token = made(calls, keys["secret"], "HS256", pv("caller=$fU"))  # type: ignore[arg-type]
    message["$fU"] = "01001"
    assert calls.jwt_verify(str(keys["secret"]), "HS256", pv("caller=$fU"), token) == -1
    assert calls.jwt_verify(str(keys["secret"]), "HS256", "caller='1001'", token) == 1


def test_nothing_secret_is_in_the_log(either: Calls, keys: dict[str, Path], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = made(either, keys["secret"])
    assert token is not None
    assert caplog.records == []
    for claims in ("caller=mallory", "caller='hush", "caller=hush hush", "caller=hush;caller=hush"):
        either.jwt_verify(str(keys["secret"]), "HS256", claims, token)
    either.jwt_verify(str(keys["text"]), "HS256", C, token)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 5
    for secret in ("mallory", "alice", "hush", SECRET.decode(), token[:20], token[-20:]):
        assert secret not in told
