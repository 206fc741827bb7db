"""The plain types every section is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from jwtgate.config.sections import section


def accepts(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:0", ("::1", 0)), ("localhost:65535", ("localhost", 65535))],
)
def test_an_address_is_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    assert section.parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", ":80", "80", "a", "a:", "a:65536", "::1:80", "[zz]:80", "[1.2]:8", "a:８", "a:1 "]
)
def test_anything_else_is_no_address(text: str) -> None:
    assert not accepts(section.Address, text)


@pytest.mark.parametrize("url", ["https://a.example", "http://127.0.0.1:80/x?y=1", "https://[::1]:8443/"])
def test_an_absolute_http_address_is_a_url(url: str) -> None:
    assert accepts(section.Url, url)
    assert section.is_url(url)


@pytest.mark.parametrize(
    "url",
    ["", "a.example", "ftp://a", "file:///etc/passwd", "https://", "https://u@a", "https://u:p@a", "https://a#b",
     "https://a:99999", "https://a b", "https://é.example", "https://[", "data:x", "unix:/x", "//a"],
)  # fmt: skip
def test_sec_60_nothing_else_is_a_url(url: str) -> None:
    assert not accepts(section.Url, url)
    assert not section.is_url(url)


@pytest.mark.parametrize(
    "url", ["https://a", "http://localhost", "http://127.9.9.9", "http://[::1]", "http://a.localhost"]
)
def test_sec_60_https_and_this_host_are_safe(url: str) -> None:
    assert not section.is_plain_http_elsewhere(url)


@pytest.mark.parametrize("url", ["http://a", "http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example"])
def test_sec_60_plain_http_to_another_host_is_not(url: str) -> None:
    assert section.is_plain_http_elsewhere(url)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer_Encoding",
        "Connection",
        "Cookie",
        "X-Forwarded-For",
        "Upgrade",
        "TE",
        "Keep.Alive",
    ],
)
def test_fields_that_frame_a_message_cannot_be_set(name: str) -> None:
    assert not accepts(section.SettableFieldName, name)


def test_other_fields_can_be_set() -> None:
    assert accepts(section.SettableFieldName, "X-User")
    assert accepts(section.SettableFieldName, "Authorization")
    assert not accepts(section.SettableFieldName, "X User")


def test_numbers_and_flags_are_strict() -> None:
    assert accepts(section.Whole, 1)
    assert not any(accepts(section.Whole, value) for value in (True, "1", 1.0, None))
    assert accepts(section.Seconds, 1)
    assert not any(accepts(section.Seconds, value) for value in (0, -1, "1", True, float("inf"), float("nan")))
    assert accepts(section.Flag, False)
    assert not any(accepts(section.Flag, value) for value in (0, 1, "true", "no", None))


def test_one_item_stands_for_a_list_of_one_and_no_list_is_empty() -> None:
    adapter = TypeAdapter(section.OneOrMore[section.Text])
    assert adapter.validate_python("a") == ("a",)
    assert adapter.validate_python(["a", "b"]) == ("a", "b")
    assert not accepts(section.OneOrMore[section.Text], [])
    assert not accepts(section.OneOrMore[section.Text], None)


def test_null_is_not_a_way_of_leaving_something_out() -> None:
    assert accepts(section.Maybe[section.Text], "a")
    assert not accepts(section.Maybe[section.Text], None)


def test_a_file_is_found_from_the_folder_of_the_document() -> None:
    adapter = TypeAdapter(section.FileName)
    assert adapter.validate_python("a.pem", context={"folder": Path("/etc/gate")}) == "/etc/gate/a.pem"
    assert adapter.validate_python("/a.pem", context={"folder": Path("/etc/gate")}) == "/a.pem"
    assert adapter.validate_python("a.pem") == "a.pem"
    assert not accepts(section.FileName, "a\x00b")


@pytest.mark.parametrize(
    ("name", "good"), [("a-b.c/d:e", True), ('a"b', False), ("a\\b", False), ("a b", False), ("", False)]
)
def test_sec_144_a_name_can_stand_in_a_log_line_as_it_is(name: str, good: bool) -> None:
    assert accepts(section.Name, name) is good
