from __future__ import annotations

import pytest

from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.dialects.wso2.reading.toml_file import MOST_BYTES, read_toml
from jwtgate.errors import ConfigError

WHOLE = """
[server]
hostname = "localhost"

[apim.jwt]
enable = true
claim_dialect = "http://example.org/c"
java_class_map = {"a.B" = "c:D"}
gateway_generator.excluded_claims = ["x"]

[[apim.jwt.issuer]]
name = "https://idp"
[apim.jwt.issuer.jwks]
url = "https://idp/keys"
[[apim.jwt.issuer.claim_mapping]]
remote_claim = "a"
local_claim = "b"

[apim.cache.gateway_token]
enable = false
expiry_time = "600"

[apim.devportal]
url = "https://x"
enable_empty_values_in_application_attributes = true
"""


def read(text: str) -> Said:
    return read_toml(text.encode(), "d.toml")


def problems(text: bytes) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_toml(text, "d.toml")
    return caught.value.problems


def test_what_is_said_of_tokens_is_read_and_all_else_ignored() -> None:
    said = read(WHOLE)
    assert said.values == {
        "enable": True,
        "claim_dialect": "http://example.org/c",
        "java_class_map": {"a.B": "c:D"},
        "excluded_claims": ["x"],
        "gateway_token_cache": False,
        "token_cache_expiry": 600,
        "enable_empty_values_in_application_attributes": True,
    }
    assert said.places["token_cache_expiry"] == "d.toml:21"
    assert [issuer["name"] for issuer in said.issuers] == ["https://idp"]


def test_dotted_keys_and_tables_are_the_same() -> None:
    assert read('apim.jwt.header = "X-A"').values == read('[apim]\njwt = {header = "X-A"}').values == {"header": "X-A"}


def test_on_in_either_table_is_on() -> None:
    assert read("[apim.jwt]\nenable = true\n[apim.jwt.gateway_generator]\nenable = false").values["enable"] is True
    assert read("[apim.jwt]\nenable = false\n[apim.jwt.gateway_generator]\nenable = true").values["enable"] is True
    assert read("[apim.jwt]\nenable = false").values["enable"] is False


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[apim.jwt]\nheaders = 1", "d.toml:2: apim.jwt.headers is not known; did you mean header?"),
        (b"[apim.jwt]\nzzz = 1", "d.toml:2: apim.jwt.zzz is not known"),
        (b"[apim.jwt.other]\na = 1", "d.toml:2: apim.jwt.other.a is not known"),
        (b"[apim.cache.jwt_claim]\nexpiry = 1", "apim.cache.jwt_claim.expiry is not known; did you mean expiry_time?"),
        (b"[apim.jwt]\nenable = 1", "d.toml:2: apim.jwt.enable must be true or false"),
        (b"[apim.jwt.issuer]\nname = 'a'", "must be written [[apim.jwt.issuer]]"),
        (b"[apim", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b" " * (MOST_BYTES + 1), "is larger than 4 MiB"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(text: bytes, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(text))


def test_tables_about_anything_else_may_hold_anything() -> None:
    assert read("[apim.cache.other]\na = 1\n[apim.throttling]\nb = 2\n[apim.devportal]\nc = 3").values == {}


@pytest.mark.parametrize(
    "text", [b"x = " + b"[" * 100_000, b"x = " + b"{a=" * 10_000, b"x = " + b"1" * 10_000], ids=["[", "{", "digits"]
)
def test_sec_161_what_is_too_deep_or_too_long_is_told(text: bytes) -> None:
    assert problems(text) == ("d.toml: is nested too deeply, or a number has too many digits",)


def test_sec_161_tables_may_lie_as_deep_as_they_like_elsewhere() -> None:
    deep = ".".join(["a"] * 500)
    assert read(f"{deep} = 1").values == {}
    assert problems(f"apim.jwt.{deep} = 1".encode())[0].startswith("d.toml:1: apim.jwt.a.a")


def test_sec_161_a_long_line_in_a_text_is_soon_looked_through() -> None:
    assert read('x = """\n[' + " " * 200_000 + '\n"""\n[apim.jwt]\nheader = "X-A"').places == {"header": "d.toml:5"}


def test_numbers_may_be_text_and_flags_of_the_product_too() -> None:
    said = read('[apim.cache]\ntoken_expiry_time = "600"\njwt_claim.expiry_time = 30\nkm_token.enable = "TRUE"')
    assert said.values == {"token_cache_expiry": 600, "jwt_claim_cache_expiry": 30, "km_token_cache": True}
    assert problems(b'[apim.cache.gateway_token]\nexpiry_time = "soon"') == (
        "d.toml:2: apim.cache.gateway_token.expiry_time must be a whole number of seconds",
    )


def test_every_mistake_is_told_at_once() -> None:
    text = (
        b'[apim.jwt]\nheaders = 1\nexp_unit = "h"\nstrip_client_assertion = "no"\n[apim.cache.km_token]\nenabled = true'
    )
    assert [problem.partition(" ")[0] for problem in problems(text)] == [f"d.toml:{line}:" for line in (2, 3, 4, 6)]
