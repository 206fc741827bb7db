"""Configurations that must not start, and what is said of them; and the command that says it without serving."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dialects.couper.files import endpoint, file, jwt, mistakes, open_endpoint
from tests.dialects.couper.key_forms import pkcs8, pkix, private_key

RS, ES = pkix(private_key("RS256")), pkix(private_key("ES256"))
HS256 = 'signature_algorithm = "HS256"'
RS256 = 'signature_algorithm = "RS256"'
SET = 'jwks_url = "http://127.0.0.1:9/jwks"'
KEY = 'key = "k"'
PROFILE = f'jwt_signing_profile "p" {{ {HS256}\n key = "k"\n ttl = "1s" }}'


def pem(name: str, text: str) -> str:
    """An attribute with this key."""
    return f"{name} = <<EOT\n{text}EOT"


OF_JWT: dict[str, tuple[str, ...]] = {
    "signature_algorithm or jwks_url attribute required": (KEY,),
    "signature_algorithm cannot be used together with jwks_url": (SET, HS256),
    "key_file cannot be used together with jwks_url": (SET, 'key_file = "k"'),
    "key cannot be used together with jwks_url": (SET, KEY),
    "backend is obsolete without jwks_url attribute": (HS256, KEY, 'backend = "be"'),
    "jwt key: read error: required: configured attribute or file": (HS256,),
    "jwt key: read error: configured attribute and file": (HS256, KEY, 'key_file = "k"'),
    "jwt key: read error: open {folder}/gone: no such file or directory": (HS256, 'key_file = "gone"'),
    "jwt key: read error: empty file": (HS256, 'key_file = "empty"'),
    'algorithm "XX256" is not supported': ('signature_algorithm = "XX256"', KEY),
    'algorithm "hs256" is not supported': ('signature_algorithm = "hs256"', KEY),
    "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key": (RS256, KEY),
    "invalid RSA public key": (RS256, pem("key", ES)),
    "only one of bearer, cookie, header or token_value attributes is allowed": (
        HS256,
        KEY,
        'cookie = "a" header = "b"',
    ),
    "missing roles_map": (HS256, KEY, 'roles_claim = "r"'),
    "jwt roles map: read error: configured attribute and file": (
        HS256,
        KEY,
        'roles_claim = "r"\nroles_map = {}\nroles_map_file = "map.json"',
    ),
    "jwt roles map: read error: open {folder}/gone: no such file or directory": (
        HS256,
        KEY,
        'roles_claim = "r"\nroles_map_file = "gone"',
    ),
    "jwt roles map: invalid file content": (HS256, KEY, 'roles_claim = "r"\nroles_map_file = "bad.json"'),
    "jwt permissions map: read error: configured attribute and file": (
        HS256,
        KEY,
        'permissions_claim = "p"\npermissions_map = {}\npermissions_map_file = "map.json"',
    ),
    "jwt permissions map: read error: open {folder}/gone: no such file or directory": (
        HS256,
        KEY,
        'permissions_claim = "p"\npermissions_map_file = "gone"',
    ),
    "jwt permissions map: invalid file content": (
        HS256,
        KEY,
        'permissions_claim = "p"\npermissions_map_file = "bad.json"',
    ),
    'unsupported JWKS URI scheme: "ftp://x/jwks"': ('jwks_url = "ftp://x/jwks"',),
    "jwks_url: read error: open {folder}/gone.json: no such file or directory": ('jwks_url = "gone.json"',),
    "jwks_ttl: cannot be negative: '-1s'": (SET, 'jwks_ttl = "-1s"'),
    "jwks_max_stale: cannot be negative: '-1s'": (SET, 'jwks_max_stale = "-1s"'),
    'time: invalid duration "invalid"': (SET, 'jwks_ttl = "invalid"'),
    'time: invalid duration "soon"': (HS256, KEY, 'signing_ttl = "soon"'),
    "jwt signing key: read error: required: configured attribute or file": (
        RS256,
        pem("key", RS),
        'signing_ttl = "1s"',
    ),
    "jwt signing key: read error: configured attribute and file": (
        RS256,
        pem("key", RS),
        'signing_ttl = "1s"',
        pem("signing_key", pkcs8(private_key("RS256"))),
        'signing_key_file = "map.json"',
    ),
}
POSITIONED: dict[str, tuple[str, ...]] = {
    "missing label": (f"jwt {{ {HS256}\n {KEY} }}",),
    "accessControl requires a label": (jwt(" "),),
    "accessControl uses reserved name as label": (jwt("granted_permissions"),),
    "AC labels must be unique": (jwt("twice"), 'basic_auth "twice" { user = "a" password = "b" }'),
    "JWT signing profile labels must be unique": (jwt("p", 'signing_ttl = "1s"'), PROFILE),
    'referenced backend "nobody" is not defined': (jwt("K", 'backend = "nobody"', keys=SET),),
    "Unsupported argument": (jwt("K", "unheard_of = 1"),),
    "Unsupported block type": (jwt("K", "unheard_of {}"),),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files that are no good."""
    for name, text in {"empty": "", "k": "secret", "map.json": "{}", "bad.json": '{"a": 1}'}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("told", OF_JWT)
def test_a_block_that_is_wrong_does_not_start(folder: Path, told: str) -> None:
    more = 'backend "be" { origin = "http://127.0.0.1:9" }'
    said = mistakes(folder, file(endpoint(), definitions=(jwt(keys="\n".join(OF_JWT[told])), more)))
    assert f"configuration error: J: {told.format(folder=folder)}" in said


@pytest.mark.parametrize("told", POSITIONED)
def test_what_is_wrong_is_told_with_its_place(folder: Path, told: str) -> None:
    said = mistakes(folder, file(endpoint(), definitions=(jwt(), *POSITIONED[told])))
    assert told in said
    place, _, _ = next(line for line in said.splitlines() if told in line).partition(": ")
    name, line, columns = place.replace(":", ",", 1).split(",")
    assert name.endswith("couper.hcl")
    assert line.isdecimal()
    assert columns.replace("-", "").isdecimal()


@pytest.mark.parametrize("name", ["granted_permissions", "required_permission"])
def test_names_that_mean_something_else_are_no_labels(tmp_path: Path, name: str) -> None:
    said = mistakes(tmp_path, file(endpoint(), definitions=(jwt(), jwt(name))))
    assert "accessControl uses reserved name as label" in said


def test_labels_that_are_referenced_exist(tmp_path: Path) -> None:
    told = 'referenced access control "nobody" is not defined'
    for line in ('access_control = ["nobody"]', 'disable_access_control = ["nobody"]'):
        assert told in mistakes(tmp_path, file(open_endpoint("/p", line, "response {}")))
    told = 'referenced backend "nobody" is not defined'
    assert told in mistakes(tmp_path, file(open_endpoint("/p", 'proxy { backend = "nobody" }')))


def test_profiles_are_whole(tmp_path: Path) -> None:
    def told(lines: str) -> str:
        return mistakes(tmp_path, file(endpoint(), definitions=(jwt(), f'jwt_signing_profile "p" {{ {lines} }}')))

    key_missing = "configuration error: p: jwt_signing_profile key: read error: required: configured attribute or file"
    assert key_missing in told(f'{HS256}\nttl = "1s"')
    assert "configuration error: p: algorithm is not supported" in told(
        'signature_algorithm = "XX"\nkey = "k"\nttl = "1s"'
    )
    assert '"alg" cannot be set via "headers"' in told(f'{HS256}\nkey = "k"\nttl = "1s"\nheaders = {{ alg = "x" }}')
    assert 'time: invalid duration "1 s"' in told(f'{HS256}\nkey = "k"\nttl = "1 s"')


def test_a_backend_is_said_once(tmp_path: Path) -> None:
    both = jwt("J", 'backend = "be"', 'backend { origin = "http://127.0.0.1:9" }', keys=SET)
    said = mistakes(tmp_path, file(endpoint(), definitions=(both, 'backend "be" { origin = "http://127.0.0.1:9" }')))
    told = ("Multiple definitions of backend are not allowed in jwt.", "backend must be either a block or an attribute")
    assert any(each in said for each in told)
    said = mistakes(tmp_path, file(endpoint(), definitions=(jwt(), 'backend "a b" { origin = "http://127.0.0.1:9" }')))
    assert "label" in said


def test_there_is_a_server(tmp_path: Path) -> None:
    assert "configuration error: missing 'server' block" in mistakes(tmp_path, f"definitions {{ {jwt()} }}")


def test_what_cannot_be_parsed_is_told_with_its_place(tmp_path: Path) -> None:
    said = mistakes(tmp_path, 'server {\n  endpoint "/p" {\n  response { status = }\n  }\n}\n')
    assert "couper.hcl:3," in said


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = file(endpoint(), definitions=(jwt(), jwt("a", keys=KEY), jwt("b", keys=HS256)))
    said = mistakes(tmp_path, text)
    assert "configuration error: a: signature_algorithm or jwks_url attribute required" in said
    assert "configuration error: b: jwt key: read error: required: configured attribute or file" in said


def test_keys_are_not_told_with_mistakes(tmp_path: Path) -> None:
    said = mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", keys=f'{RS256}\nkey = "my secret words"'),)))
    assert "J: invalid key" in said
    assert "my secret words" not in said


@pytest.mark.parametrize("command", [("check",), ("serve", "--dialect", "couper", "--listen", "127.0.0.1:0")])
def test_a_file_can_be_verified_without_serving_it(tmp_path: Path, command: tuple[str, ...]) -> None:
    def run(text: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "couper.hcl"
        path.write_text(text)
        program = str(Path(sys.executable).with_name("jwtgate"))
        environ = {**os.environ, "JWTGATE_STATE": str(tmp_path / "state")}
        return subprocess.run(
            [program, *command, str(path)], capture_output=True, text=True, timeout=30, check=False, env=environ
        )

    bad = run(file(endpoint(), definitions=(jwt(keys=KEY),)))
    assert bad.returncode == 2
    assert "J: signature_algorithm or jwks_url attribute required" in bad.stdout + bad.stderr
    if command == ("check",):
        assert run(file(endpoint())).returncode == 0
