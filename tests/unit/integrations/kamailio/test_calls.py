from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jwtgate.errors import ConfigError
from jwtgate.integrations import kamailio
from jwtgate.integrations.kamailio.calls import Calls
from jwtgate.integrations.kamailio.claims.templates import pv
from jwtgate.jose.key import generate_key

PAIR = generate_key("ES256")
VALUES: dict[str, str | int] = {"$fU": "alice", "$hdr(X-JWT)": "", "$Ts": 5}


@pytest.fixture
def paths(tmp_path: Path) -> tuple[str, str]:
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    private.write_text(PAIR.to_private_pem())
    public.write_text(PAIR.to_pem())
    return str(private), str(public)


@pytest.fixture
def calls() -> Calls:
    return Calls(clock=lambda: 100, variables=VALUES.get)


def test_what_is_generated_is_verified(calls: Calls, paths: tuple[str, str]) -> None:
    private, public = paths
    assert calls.jwt_generate_hdrs(private, "ES256", pv("caller=$fU"), "kid=k1") == 1
    token = calls.jwt.val
    assert calls.jwt_verify(public, "ES256", "caller=alice", token) == 1
    assert calls.jwt_verify_key(PAIR.to_pem(), "ES256", {"caller": "alice"}, token) == 1
    assert (calls.jwt.claims, calls.jwt.val) == ({"caller": "alice", "iat": 100}, token)
    assert calls.jwt_verify(public, "ES256", ";", token, needed=("exp",)) == -1
    assert (calls.jwt.status, calls.jwt.reason, calls.jwt.claims) == (128, "claim-missing", None)


@pytest.mark.parametrize(
    ("key", "alg", "claims"),
    [(None, "ES256", "a=b"), (b"k", "ES256", "a=b"), ("k", None, "a=b"), ("k", "ES256", None), ("k", "ES256", ""),
     ("k", "ES256", {}), ("k", "ES256", 5)],
)  # fmt: skip
def test_parameters_that_cannot_be_meant_change_nothing(
    calls: Calls, paths: tuple[str, str], key: Any, alg: Any, claims: Any
) -> None:
    assert calls.jwt_generate(paths[0], "ES256", "a=b")
    token = calls.jwt.val
    assert calls.jwt_generate(key, alg, claims) == -1
    assert calls.jwt_verify(key, alg, claims, token) == -1
    assert calls.jwt_verify_key(key, alg, claims, token) == -1
    assert (calls.jwt.val, calls.jwt.status, calls.jwt.reason) == (token, 0, "invalid-parameters")


@pytest.mark.parametrize("token", ["", b"", 5, pv("$hdr(X-JWT)"), pv("$Ts")])
def test_a_token_that_is_none_is_an_invalid_parameter(calls: Calls, paths: tuple[str, str], token: Any) -> None:
    assert calls.jwt_verify(paths[1], "ES256", ";", token) == -1
    assert calls.jwt.reason == "invalid-parameters"


def test_an_absent_token_is_told_as_one(calls: Calls, paths: tuple[str, str]) -> None:
    assert calls.jwt_verify(paths[1], "ES256", ";", pv("$nobody")) == -1
    assert (calls.jwt.reason, calls.jwt.status) == ("token-missing", 0)


@pytest.mark.parametrize("alg", ["XX", "es256", "EdDSA"])
def test_an_unknown_algorithm_is_named(calls: Calls, alg: str, caplog: pytest.LogCaptureFixture) -> None:
    assert calls.jwt_generate("/k", alg, "a=b") == -1
    assert calls.jwt_verify_key("k", alg, "a=b", "t") == -1
    assert calls.jwt.reason == "alg-unknown"
    assert [record.getMessage() for record in caplog.records] == [f"not supported algorithm: {alg}"] * 2


def test_configure_says_all_of_it_anew(calls: Calls) -> None:
    calls.configure(compat=True)
    assert calls.settings.compat
    calls.configure(key_mode=1)
    assert (calls.settings.compat, calls.settings.key_mode) == (False, 1)
    with pytest.raises(ConfigError):
        calls.configure(key_mode="1")
    with pytest.raises(TypeError):
        calls.configure(key_modes=1)


def test_keys_are_forgotten_when_asked(tmp_path: Path) -> None:
    calls, path = Calls(key_mode=1), tmp_path / "k"
    path.write_bytes(b"A" * 40)
    assert calls.jwt_generate(str(path), "HS256", "a=b")
    path.unlink()
    assert calls.jwt_generate(str(path), "HS256", "a=b")
    calls.forget_keys()
    assert not calls.jwt_generate(str(path), "HS256", "a=b")


def test_the_functions_of_the_folder_are_those_of_one_object() -> None:
    assert kamailio.jwt_verify_key(" ", "HS256", ";", "x") == -1
    assert kamailio.jwt.reason == "key-unreadable"
    kamailio.configure()
