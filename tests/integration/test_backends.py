"""The programs for backends verify what the gateway signs, and nothing else."""

from __future__ import annotations

import hmac
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jwtgate.jose.encoding import base64_encode, base64url_encode
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.signature import sign_bytes
from jwtgate.jose.token import sign_token

from .loopback_server import LoopbackServer
from .rig import LATER

PAGE = Path(__file__).parents[2] / "docs/how-to/verify-the-header.md"
KEY, OTHER = generate_key("RS256", kid="k1"), generate_key("RS256", kid="k1")
STRANGE = generate_key("RS256", kid="k2")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
needs_java = pytest.mark.skipif(shutil.which("javac") is None, reason="there is no JDK here")


def program(name: str, folder: Path, keys: str) -> Path:
    """The program of this name on the page, which asks for the keys there."""
    found = re.search(rf"^```\w+\n((?:#|//) {re.escape(name)}: .*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    file = folder / name
    file.write_text(found[1].replace("http://127.0.0.1:8080/.well-known/jwks.json", keys))
    return file


def token(key: Key = KEY, **changes: Any) -> str:
    """A token of the gateway."""
    claims = {"iss": "https://gateway.example", "aud": "https://orders.internal", "sub": "ann"}
    said = {**claims, "exp": LATER, **changes}
    return sign_token({name: value for name, value in said.items() if value is not None}, key, alg="RS256")


def unsigned() -> str:
    _, claims, _ = token().split(".")
    return f"eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{claims}."


def with_mac() -> str:
    """A token signed with the public key as if it were a secret."""
    claims = {"iss": "https://gateway.example", "aud": "https://orders.internal", "exp": LATER}
    parts = (json.dumps(each).encode() for each in ({"alg": "HS256", "kid": "k1"}, claims))
    signed = ".".join(map(base64url_encode, parts))
    mac = hmac.digest(KEY.public().to_pem().encode(), signed.encode(), "sha256")
    return f"{signed}.{base64url_encode(mac)}"


BAD = {
    "not signed with it": token(OTHER),
    "not a key of the set": token(STRANGE),
    "unsigned": unsigned(),
    "a mac": with_mac(),
    "no token": "evil",
}
BAD_CLAIMS = {
    "ended": token(exp=1),
    "endless": token(exp=None),
    "for others": token(aud="https://other.internal"),
    "of others": token(iss="https://other.example"),
}


def run(command: list[str], folder: Path, *arguments: str) -> tuple[bool, str]:
    """Whether a program went well, and what it printed."""
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stdout


def check(command: list[str], folder: Path, bad: dict[str, str]) -> None:
    went_well, said = run(command, folder, token())
    assert went_well
    assert json.loads(said)["sub"] == "ann"
    assert {name: run(command, folder, each)[0] for name, each in bad.items()} == dict.fromkeys(bad, False)


@pytest.fixture
def keys() -> Any:
    """The address of the gateway's set."""
    with LoopbackServer() as server:
        server.jwks = {"keys": [dict(KEY.public().to_jwk())]}
        yield f"{server.url}/jwks"


def test_python(tmp_path: Path, keys: str) -> None:
    program("backend.py", tmp_path, keys)
    code = "import json, sys, backend; print(json.dumps(backend.caller(sys.argv[1])))"
    check([sys.executable, "-c", code], tmp_path, BAD | BAD_CLAIMS)


@needs_node
def test_node(tmp_path: Path, keys: str) -> None:
    program("backend.mjs", tmp_path, keys)
    code = 'import { caller } from "./backend.mjs"; console.log(JSON.stringify(await caller(process.argv[1])));'
    check(["node", "--input-type=module", "--eval", code, "--"], tmp_path, BAD | BAD_CLAIMS)


@needs_java
def test_java(tmp_path: Path, keys: str) -> None:
    program("Backend.java", tmp_path, keys)
    (tmp_path / "Main.java").write_text(
        "public class Main { public static void main(String[] said) throws Exception {"
        " System.out.println(Backend.caller(said[0])); } }"
    )
    subprocess.run(["javac", "Main.java", "Backend.java"], cwd=tmp_path, check=True, timeout=120)
    check(["java", "Main"], tmp_path, BAD)


def legacy(key: Key = KEY, alg: str = "RS256", **changes: Any) -> str:
    """A token of a backend of WSO2, whose text has every character in which the alphabets differ."""
    said = {"iss": "wso2.org/products/am", "sub": "ann", "exp": LATER, "odd": "<<???>>~~~", **changes}
    parts = (json.dumps(each).encode() for each in ({"typ": "JWT", "alg": alg}, said))
    signed = ".".join(map(base64_encode, parts))
    return f"{signed}.{base64_encode(sign_bytes('RS256', key.bound_to('RS256'), signed.encode()))}"


BAD_LEGACY = {
    "not signed with it": legacy(OTHER),
    "ended": legacy(exp=1),
    "of others": legacy(iss="x"),
    "another algorithm": legacy(alg="none"),
    "changed": legacy()[:-8] + "AAAAAA==",
    "unsigned": legacy().rpartition(".")[0] + ".",
}


def check_legacy(command: list[str], folder: Path) -> None:
    (folder / "key.pem").write_text(KEY.public().to_pem())
    good = legacy()
    assert set(good) & set("+/=")
    went_well, said = run(command, folder, good)
    assert went_well
    assert json.loads(said)["sub"] == "ann"
    found = {name: run(command, folder, each)[0] for name, each in BAD_LEGACY.items()}
    assert found == dict.fromkeys(BAD_LEGACY, False)


def test_python_with_standard_base64(tmp_path: Path) -> None:
    program("legacy.py", tmp_path, "")
    code = (
        "import json, sys, legacy; from cryptography.hazmat.primitives import serialization;"
        "key = serialization.load_pem_public_key(open('key.pem', 'rb').read());"
        "print(json.dumps(legacy.caller(sys.argv[1], key)))"
    )
    check_legacy([sys.executable, "-c", code], tmp_path)


@needs_node
def test_node_with_standard_base64(tmp_path: Path) -> None:
    program("legacy.mjs", tmp_path, "")
    code = (
        'import { caller } from "./legacy.mjs"; import { readFileSync } from "node:fs";'
        'console.log(JSON.stringify(caller(process.argv[1], readFileSync("key.pem", "utf8"))));'
    )
    check_legacy(["node", "--input-type=module", "--eval", code, "--"], tmp_path)
