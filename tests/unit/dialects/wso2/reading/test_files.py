from __future__ import annotations

import pytest

from jwtgate.dialects.wso2.reading.files import read_files
from jwtgate.errors import ConfigError

TOML = b'[apim.jwt]\nheader = "X-A"\n[[apim.jwt.issuer]]\nname = "i"\njwks.url = "https://x"\n'
XML = (
    b"<APIManager><JWTConfiguration><EnableJWTGeneration>true</EnableJWTGeneration><X/></JWTConfiguration></APIManager>"
)


def test_all_files_stand_together_and_the_last_that_says_something_holds() -> None:
    texts = [("a.xml", XML), ("d.toml", TOML), ("r.yaml", b"users: [{name: a}]\nsettings: {header: X-B}")]
    objects = read_files(texts, {})
    assert objects["options"] == {"enable": True, "header": "X-B"}
    assert (objects["has_xml"], objects["has_toml"]) == (True, True)
    assert [user["name"] for user in objects["users"]] == ["a"]
    assert objects["issuers"] == [{"name": "i", "jwks": {"url": "https://x"}, "_file": "d.toml"}]
    assert objects["notes"] == [("a.xml:1", "X is not known, and without effect.")]


def test_switched_on_in_one_of_several_files_is_on() -> None:
    off = b"[apim.jwt]\nenable = false\n"
    assert read_files([("a.xml", XML), ("d.toml", off)], {})["options"]["enable"] is True
    assert read_files([("d.toml", off)], {})["options"]["enable"] is False


def test_the_mistakes_of_all_files_are_told() -> None:
    texts = [
        ("a.xml", b"<x/>"),
        ("d.toml", b"[apim.jwt]\nx = 1"),
        ("r.txt", b""),
        ("e.toml", b"[[apim.jwt.issuer]]\na=1"),
    ]
    with pytest.raises(ConfigError) as caught:
        read_files(texts, {})
    named = [problem.partition(":")[0] for problem in caught.value.problems]
    assert named == ["a.xml", "d.toml", "r.txt", "e.toml", "e.toml"]
