"""Text to plain data: one reading for every document, and a line for everything in it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.config.source import LIMIT_BYTES, read_source
from jwtgate.errors import ConfigError


def read(text: str, name: str = "gate.yaml") -> object:
    return read_source(text.encode(), name).data


def refusal(text: str | bytes, name: str = "gate.yaml") -> str:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(ConfigError) as error:
        read_source(data, name)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("~", None),
        ("", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ('"true"', "true"),
    ],
)
def test_core_scalars_are_values(text: str, value: object) -> None:
    found = read(f"a: {text}\n")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize(
    "text", ["no", "on", "yes", "off", "1_000", "12:30", "2001-01-01", "0755", "+", "1.", ".5", "0b11", "-", "tRue"]
)
def test_what_other_readers_of_yaml_take_for_something_else_stays_text(text: str) -> None:
    assert read(f"a: {text if text != '-' else '+'}\n") == {"a": text if text != "-" else "+"}


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("on: 1\n1: 2\ntrue: 3\n") == {"on": 1, "1": 2, "true": 3}


def test_sec_160_a_repeated_key_is_refused_with_its_line() -> None:
    assert refusal("a: 1\nb:\n  c: 1\n  c: 2\n") == "gate.yaml:4: the key is given twice in one mapping"


def test_sec_160_every_repeated_key_is_reported() -> None:
    assert refusal("a: 1\na: 2\na: 3\n").count("given twice") == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: !!int 3\n", "tags"),
        ("a: !!python/object/apply:os.system [x]\n", "tags"),
        ("a: !foo {b: 1}\n", "tags"),
        ("a: &x 1\n", "anchors"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("<<: {a: 1}\n", "merge keys"),
        ("? [1]\n: 2\n", "a key must be plain text"),
        ("a: 1\n---\nb: 1\n", "a second document"),
        ("a: .inf\n", "finite"),
        ("a: -.INF\n", "finite"),
        ("a: .nan\n", "finite"),
        ("a: 1.0e999\n", "too large"),
        ("a: " + "9" * 40 + "\n", "too many digits"),
        ("a: [1\n", "is not YAML"),
        ("a:\tb: c\n", "is not YAML"),
        ("a: \x01\n", "is not YAML"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
    ],
)
def test_sec_160_what_is_not_plain_yaml_is_refused(text: str, sentence: str) -> None:
    assert sentence in refusal(text)


def test_sec_160_an_anchor_bomb_costs_nothing() -> None:
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    assert "aliases are not read here" in refusal(bomb)


def test_sec_160_deep_nesting_is_refused_in_every_kind_of_text() -> None:
    assert "nested too deeply" in refusal("[" * 100_000 + "]" * 100_000, "gate.json")
    assert "nested too deeply" in refusal("a = " + "[" * 40 + "]" * 40, "gate.toml")
    assert "nested too deeply" in refusal("a = " + "[" * 9000 + "]" * 9000, "gate.toml")


def test_a_line_is_known_for_every_place() -> None:
    source = read_source(b"a: 1\nb:\n  - x\n  -\n    c: 1\n    d: {e: 1,\n      f: 2}\n", "gate.yaml")
    assert source.line(("a",)) == 1
    assert source.line(("b",)) == 2
    assert source.line(("b", 0)) == 3
    assert source.line(("b", 1, "c")) == 5
    assert source.line(("b", 1, "d", "f")) == 7
    assert source.line(("b", 1, "missing")) == 5
    assert source.line(("nowhere",)) == 1


def test_json_is_read_strictly_and_keeps_lines() -> None:
    source = read_source(b'{\n "a": [1,\n 2.5, "\\ud83d\\ude00\\n{"],\n "b": {"c": null, "d": true}}', "gate.json")
    assert source.data == {"a": [1, 2.5, "\U0001f600\n{"], "b": {"c": None, "d": True}}
    assert source.line(("a", 1)) == 3
    assert source.line(("b", "c")) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": 1,\n "a": 2}', "gate.json:2: the key is given twice"),
        ("{'a': 1}", "is not JSON"),
        ('{"a": 1,}', "is not JSON"),
        ('{"a": NaN}', "must be finite"),
        ('{"a": -Infinity}', "must be finite"),
        ('{"a": 1e999}', "too large"),
        ('{"a": "\\ud800"}', "lone surrogate"),
        ('{"\\ud800": 1}', "lone surrogate"),
        ('{"a": ' + "9" * 33 + "}", "too many digits"),
        ('{"a": ' + "9" * 9000 + "}", "too many digits"),
        ("# a\n{}", "is not JSON"),
        ("{} {}", "is not JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(text: str, sentence: str) -> None:
    assert sentence in refusal(text, "gate.json")


def test_toml_is_read_and_keeps_lines_of_keys() -> None:
    text = 'listen = "a"\n[issuers.main]\nissuer = "x"\n"odd key" = 1\n[[list]]\nb = [1, 2]\n'
    source = read_source(text.encode(), "gate.toml")
    assert source.data == {
        "listen": "a",
        "issuers": {"main": {"issuer": "x", "odd key": 1}},
        "list": [{"b": [1, 2]}],
    }
    assert source.line(("issuers", "main", "issuer")) == 3
    assert source.line(("issuers", "main", "odd key")) == 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = 2001-01-01\n", "dates and times"),
        ("a = 1\nb = \n", "gate.toml:2: is not TOML"),
        ("a = 1\na = 2\n", "is not TOML"),
        ("a = inf\n", "finite"),
        ("a = nan\n", "finite"),
    ],
)
def test_what_toml_has_and_json_has_not_is_refused(text: str, sentence: str) -> None:
    assert sentence in refusal(text, "gate.toml")


def test_a_name_that_tells_no_kind_of_text_is_refused() -> None:
    assert "must end in .yaml, .yml, .json or .toml" in refusal("{}", "gate.conf")


def test_text_that_is_not_utf_8_is_refused_with_its_line() -> None:
    assert refusal(b"a: 1\nb: \xff\n") == "gate.yaml:2: is not UTF-8"


def test_a_document_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert "is larger than 64 MiB" in refusal(b" " * (LIMIT_BYTES + 1))


@given(st.binary(max_size=400) | st.text(alphabet="{}[]:,-&*!|>'\"%@`#?~<\n\t ab01.eE", max_size=200).map(str.encode))
def test_any_bytes_give_data_or_a_config_error(data: bytes) -> None:
    for kind in ("yaml", "json", "toml"):
        with suppress(ConfigError):
            read_source(data, f"gate.{kind}")


@pytest.mark.parametrize(
    "text", ['{"a": {"b": [1, 2.5, "x", null, true]}}', '{"a": 1, "a": 2}', '{"a": 1e999}', "{", '{"a": NaN}']
)
def test_json_of_one_line_is_read_as_json_of_several_is(text: str) -> None:
    def told(data: str) -> object:
        try:
            return read_source(data.encode(), "x.json").data
        except ConfigError as error:
            return [problem.partition(": ")[2] for problem in error.problems]

    assert told(text) == told(f"\n{text}\n")


def test_a_place_in_json_of_one_line_is_in_its_first() -> None:
    assert read_source(b'{"a": {"b": 1}}', "x.json").line(("a", "b")) == 1
