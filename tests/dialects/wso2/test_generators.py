"""Generators of one's own: the example of the product's documentation, in Python."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.wso2.conftest import Served
from tests.dialects.wso2.neighbours import Backend
from tests.dialects.wso2.reading import D, claims, of_dialect
from tests.dialects.wso2.records import APPLICATION_TOKEN, USER_TOKEN, records, toml, xml
from tests.dialects.wso2.simulated import NOON, Simulated
from tests.dialects.wso2.test_standard_claims import JWT, V2
from tests.dialects.wso2.wso2_process import Wso2Process

from jwtgate.errors import ConfigError

EXAMPLE = Path(__file__).parents[3] / "examples/wso2-generator/src"
NAMED = {
    "JWTGeneratorImpl": "com.example.CustomTokenGenerator",
    "java_class_map": "com.example.CustomTokenGenerator=custom_generator:CustomTokenGenerator",
}
IN_TOML = (
    'generator_impl = "com.example.CustomTokenGenerator"',
    'java_class_map = {"com.example.CustomTokenGenerator" = "custom_generator:CustomTokenGenerator"}',
)
ENVIRON = {"PYTHONPATH": str(EXAMPLE)}


@pytest.fixture
def importable(tmp_path: Path) -> Iterator[Path]:
    """A folder modules may be written into; the example is found, too."""
    sys.path[:0] = [str(EXAMPLE), str(tmp_path)]
    yield tmp_path
    del sys.path[:2]


def test_s23_the_documented_example(served: Served) -> None:
    gateway = served(xml(**NAMED), environ=ENVIRON)
    expected = {
        APPLICATION_TOKEN: V2 | {"usertype": "APPLICATION", "enduser": "null", "enduserTenantId": "null"},
        USER_TOKEN: V2 | {"enduser": "sumedha", "enduserTenantId": "-1234"},
    }
    for bearer, standard in expected.items():
        said = claims(gateway.token(bearer))
        assert {name.removeprefix(D): value for name, value in said.items() if name.startswith(D)} == standard
        assert said["messge"] == "This is custom JWT"
        assert abs(int(said["current_timestamp"]) / 1000 - time.time()) < 5


def test_the_tests_of_the_example_pass() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE.parent)]
    environ = {**os.environ, **ENVIRON, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def test_s24_one_class_serves_both_kinds_of_callers(importable: Path) -> None:
    opaque = {"token": "o", "kind": "opaque", "consumer_key": "ck2", "user": "sumedha"}
    made = Simulated(importable, toml(*IN_TOML), tokens=[JWT, opaque])
    for bearer in ("o", "a.b.c"):
        assert claims(made.token(bearer))["messge"] == "This is custom JWT"
        assert of_dialect(made.token(bearer))["enduser"] == "sumedha"


def test_the_gateway_may_have_a_class_of_its_own(importable: Path) -> None:
    opaque = {"token": "o", "kind": "opaque", "consumer_key": "ck2", "user": "sumedha"}
    usual = "org.wso2.carbon.apimgt.common.gateway.jwtgenerator.APIMgtGatewayJWTGeneratorImpl"
    made = Simulated(
        importable, toml(*IN_TOML, "[apim.jwt.gateway_generator]", f'impl = "{usual}"'), tokens=[JWT, opaque]
    )
    assert "messge" in claims(made.token("o"))
    assert "messge" not in claims(made.token("a.b.c"))


def test_s25_a_class_nobody_knows_is_named_and_nothing_starts(tmp_path: Path, backend: Backend) -> None:
    gateway = Wso2Process(tmp_path / "a", xml(JWTGeneratorImpl="com.acme.Nobody"), records(backend.url))
    with (
        pytest.raises(AssertionError, match=r"com\.acme\.Nobody is a class of Java; name one of Python for it"),
        gateway,
    ):
        pass
    mapped = xml(JWTGeneratorImpl="com.acme.Lost", java_class_map="com.acme.Lost=acme_lost:Generator")
    gateway = Wso2Process(tmp_path / "b", mapped, records(backend.url))
    with pytest.raises(AssertionError, match="The generator acme_lost:Generator cannot be loaded"), gateway:
        pass


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("class Mine:\n    pass", "is not derived from"),
        ("from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator\n"
         "class Mine(BackendJwtGenerator):\n    def sign(self, data, user):\n        return b''",
         "replaces sign: the gateway signs and writes tokens"),
        ("from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator\n"
         "class Mine(BackendJwtGenerator):\n    def __init__(self, *given):\n        raise OSError('x')",
         "cannot be loaded"),
    ],
)  # fmt: skip
def test_a_class_that_cannot_be_used_is_refused(importable: Path, body: str, sentence: str) -> None:
    module = f"mine_{abs(hash(body))}"
    (importable / f"{module}.py").write_text(body)
    with pytest.raises(ConfigError, match=sentence):
        Simulated(importable, xml(JWTGeneratorImpl=f"{module}:Mine"))


def test_a_generator_is_told_of_the_request_and_asked_again_where_nothing_is_kept(importable: Path) -> None:
    (importable / "telling.py").write_text(
        "from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator\n"
        "class Telling(BackendJwtGenerator):\n"
        "    def get_dialect_uri(self):\n        return 'urn:acme'\n"
        "    def populate_custom_claims(self, context):\n"
        "        return {'at': [context.method, context.path, context.now]}\n"
    )
    kept = Simulated(importable, xml(JWTGeneratorImpl="telling:Telling"))
    first, again = kept.token(USER_TOKEN), kept.token(USER_TOKEN, NOON + 60)
    assert first == again
    assert claims(first)["at"] == ["GET", "/placeFinder/1.0.0/find", NOON]
    assert claims(first)["urn:acme/subscriber"] == "admin"
    assert kept.token(USER_TOKEN, path="/placeFinder/1.0.0/lose") != first
    off = "<CacheConfigurations><EnableGatewayTokenCache>false</EnableGatewayTokenCache></CacheConfigurations>"
    fresh = Simulated(importable, xml(off, JWTGeneratorImpl="telling:Telling"))
    assert claims(fresh.token(USER_TOKEN, NOON + 60))["at"][2] == NOON + 60


def test_a_generator_that_fails_has_the_request_refused(served: Served, tmp_path: Path, backend: Backend) -> None:
    (tmp_path / "failing.py").write_text(
        "from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator\n"
        "class Failing(BackendJwtGenerator):\n"
        "    def populate_standard_claims(self, context):\n        raise ValueError('no')\n"
    )
    gateway = served(xml(JWTGeneratorImpl="failing:Failing"), environ={"PYTHONPATH": str(tmp_path)})
    before = backend.requests
    answer = gateway.ask(USER_TOKEN)
    assert (answer.status, answer.value["code"]) == (500, "900900")
    assert backend.requests == before
