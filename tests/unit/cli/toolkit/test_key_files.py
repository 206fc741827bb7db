import json
from pathlib import Path

import pytest

from jwtgate.cli.toolkit.key_files import choose, read_keys, write_private
from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet

SECRET = "correct horse battery staple, and some more"


def test_a_jwk_a_jwk_set_and_a_pem_are_the_same_key(key: Key, tmp_path: Path) -> None:
    path = tmp_path / "key"
    for text in (json.dumps(key.to_jwk()), json.dumps({"keys": [key.to_jwk()]}), key.to_pem()):
        path.write_text(text)
        assert [found.thumbprint() for found in read_keys(path)] == [key.thumbprint()]


def test_any_text_is_a_secret_where_a_mac_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    (found,) = read_keys(path, algorithms=["HS256"])
    assert found.to_private_jwk()["k"] == Key.secret(SECRET.encode(), alg="HS256").to_private_jwk()["k"]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (SECRET, "neither a PEM text, a JWK nor a JWK Set"),
        ("{", "not JSON"),
        ('{"kty": "RSA", "n": "AQAB", "e": "AQAB"}', "key_"),
        ("-----BEGIN PUBLIC KEY-----\n", "key_malformed"),
        ("x" * 1_048_577, "larger than"),
    ],
)
def test_what_is_no_key_is_a_mistake_that_names_the_file(text: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_keys(path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{path}: ")
    assert cause in problem


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_keys(tmp_path / "absent")


def test_of_several_keys_one_must_be_named(key: Key) -> None:
    other = generate_key("ES256", kid="k2")
    keys = KeySet([key, other])
    assert choose(keys, "k2", Path("f")) is other
    with pytest.raises(ConfigError, match="--kid: k1, k2"):
        choose(keys, None, Path("f"))


def test_the_only_key_needs_no_name(key: Key) -> None:
    assert choose(KeySet([key]), None, Path("f")) is key


def test_sec_150_a_private_key_is_written_for_its_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "key", "text")
    assert (tmp_path / "key").read_text() == "text"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("old")
    with pytest.raises(ConfigError, match="exists already"):
        write_private(tmp_path / "key", "new")
    assert (tmp_path / "key").read_text() == "old"


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        write_private(tmp_path / "absent" / "key", "text")
