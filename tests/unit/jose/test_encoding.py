from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwtgate.jose.encoding import (
    MOST_DEPTH,
    base64_encode,
    base64url_decode,
    base64url_encode,
    decode_segment,
    json_bytes,
    parse_json,
    parse_json_object,
)


def parse(text: str | bytes, **limits: int) -> object:
    data = text.encode() if isinstance(text, str) else text
    return parse_json(data, limit_bytes=limits.pop("limit_bytes", 1_000_000), **limits)


@given(st.binary(max_size=200))
def test_what_is_encoded_decodes_to_itself_from_text_and_from_bytes(data: bytes) -> None:
    text = base64url_encode(data)
    assert base64url_decode(text) == base64url_decode(text.encode()) == data


def test_the_two_alphabets_differ_where_they_must() -> None:
    assert base64_encode(b"<<???>>") == "PDw/Pz8+Pg=="
    assert base64url_encode(b"<<???>>") == "PDw_Pz8-Pg"


@given(st.text(alphabet="ABCDEQgwxyz019-_", max_size=12))
def test_sec_5_one_byte_string_has_one_accepted_encoding(text: str) -> None:
    try:
        data = base64url_decode(text)
    except ValueError:
        return
    assert base64url_encode(data) == text


@pytest.mark.parametrize(
    "text", ["QQ==", "QQ=", "Q", "QQQQQ", "a+b/", "a b=", "QQ\n", " QQ", "QUI=", "é", "QQ.", "Q\0Q"]
)
def test_sec_5_padding_foreign_characters_and_odd_lengths_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not base64url$"):
        base64url_decode(text)


@pytest.mark.parametrize("text", ["QR", "QUJ", "AB", "AAB", "__", "___"])
def test_sec_5_unused_trailing_bits_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not base64url$"):
        base64url_decode(text)


@given(st.text(alphabet="ABCDEQgwxyz019-_", max_size=12))
def test_sec_5_a_segment_is_read_as_any_base64url_is(text: str) -> None:
    try:
        data = base64url_decode(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"^not base64url$"):
            decode_segment(text.encode())
        return
    assert decode_segment(text.encode()) == data


@pytest.mark.parametrize("text", ["QQ", "QUI", "", "-_-_", "AA", "AAA"])
def test_sec_5_exact_encodings_are_accepted(text: str) -> None:
    assert base64url_encode(base64url_decode(text)) == text


def test_bytes_that_are_not_ascii_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^not base64url$"):
        base64url_decode(b"QQ\xff\xff")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[1,]",
        '{"a":1,}',
        "{'a':1}",
        "{a:1}",
        "1 2",
        "{} {}",
        "{}x",
        "// c\n{}",
        "{/**/}",
        "NaN",
        "Infinity",
        "-Infinity",
        "[NaN]",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e400",
        "-1e400",
        "0x10",
        "tru",
        '"\t"',
        '"\\x"',
        '"unclosed',
        '"\\',
        "\ufeff{}",
        "{}\0",
        "\v1",
        "1\u00a0",
    ],
)
def test_sec_7_what_is_not_strict_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_sec_7_other_encodings_and_byte_order_marks_are_refused(codec: str) -> None:
    with pytest.raises(ValueError):
        parse('{"a":1}'.encode(codec))


@pytest.mark.parametrize("data", [b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf5\x80\x80\x80"'])
def test_sec_7_malformed_utf_8_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not UTF-8$"):
        parse(data)


@pytest.mark.parametrize("text", [r'"\ud800"', r'["\udc00"]', r'{"\ud83d":1}', r'{"a":["\ud83dx"]}'])
def test_sec_7_lone_surrogates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a lone surrogate$"):
        parse(text)


def test_sec_7_a_surrogate_pair_is_one_character() -> None:
    assert parse(r'"\ud83d\ude00"') == "\U0001f600"


def test_sec_7_numbers_are_read_as_written() -> None:
    assert parse("[0, -0, 1.5, 1e3, -12, 1E-400]") == [0, 0, 1.5, 1000.0, -12, 0.0]


def test_blanks_around_a_value_are_allowed() -> None:
    assert parse(' \t\r\n{"a" : [ 1 ] }\n') == {"a": [1]}


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '{"x":{"a":1,"a":2}}', '[{"a":1,"\\u0061":2}]'])
def test_sec_8_repeated_names_are_refused_at_any_depth(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a name is repeated$"):
        parse(text)


def test_sec_8_the_same_name_in_two_objects_is_fine() -> None:
    assert parse('[{"a":1},{"a":2}]') == [{"a": 1}, {"a": 2}]


def test_sec_9_nesting_is_allowed_to_the_limit_and_not_beyond() -> None:
    assert parse("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    with pytest.raises(ValueError, match=r"^nested too deeply$"):
        parse("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1))


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_sec_9_no_depth_ends_in_a_recursion_error(opening: str) -> None:
    with pytest.raises(ValueError, match=r"^nested too deeply$"):
        parse(opening * 100_000)


def test_sec_9_brackets_in_strings_and_side_by_side_are_not_nesting() -> None:
    assert parse('{"a":"' + "[{" * 40 + '\\"[","b":[' + ",".join(["[]"] * 40) + "]}")


def test_sec_9_an_unclosed_string_is_searched_once() -> None:
    with pytest.raises(ValueError):
        parse('"' + '\\"' * 200_000 + "[" * 40)


def test_sec_9_members_are_counted_over_the_whole_document() -> None:
    def rows(count: int) -> str:
        return json.dumps([{"a": i, "b": ":::"} for i in range(count)])

    assert len(parse(rows(500))) == 500
    with pytest.raises(ValueError, match=r"^more members than are allowed$"):
        parse(rows(501))
    assert len(parse(rows(501), most_members=1002)) == 501


def test_sec_9_long_strings_are_refused() -> None:
    assert parse(json.dumps("a" * 16_384))
    for text in ("a" * 16_385, "é" * 8_193):
        with pytest.raises(ValueError, match=r"^a string is too long$"):
            parse(json.dumps({"a": [text]}, ensure_ascii=False))
        assert parse(json.dumps(text), most_string_bytes=20_000) == text


def test_a_caller_may_set_a_smaller_limit_for_strings() -> None:
    assert parse('"' + "a" * 10 + '"', most_string_bytes=10)
    with pytest.raises(ValueError, match=r"^a string is too long$"):
        parse('"' + "a" * 11 + '"', most_string_bytes=10)


@pytest.mark.parametrize("sign", ["", "-"])
def test_sec_9_integers_have_at_most_32_digits(sign: str) -> None:
    assert parse(sign + "9" * 32) == int(sign + "9" * 32)
    with pytest.raises(ValueError, match=r"^a number has too many digits$"):
        parse(sign + "9" * 33)


def test_a_document_over_its_limit_is_refused_before_it_is_read() -> None:
    assert parse(b"[1]", limit_bytes=3) == [1]
    with pytest.raises(ValueError, match=r"^longer than is allowed$"):
        parse(b"[1] ", limit_bytes=3)


@pytest.mark.parametrize("text", ["[]", '"a"', "1", "null", "true", '[{"a":1}]'])
def test_sec_10_only_an_object_is_an_object(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a JSON object$"):
        parse_json_object(text.encode(), limit_bytes=100)


def test_sec_35_an_error_never_quotes_the_input() -> None:
    for data in (b'{"k":"hush" oops', b'{"hush":1,"hush":2}', b'"hush\xff"', b"hush"):
        with pytest.raises(ValueError) as caught:
            parse(data)
        assert "hush" not in repr(caught.value)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**31), 10**31)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert parse(json_bytes(value)) == value


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_value_error(data: bytes) -> None:
    try:
        value = parse(data)
    except ValueError:
        return
    assert value == json.loads(data)


def test_json_is_written_compactly_and_keeps_its_characters() -> None:
    assert json_bytes({"a": ["é", 1, None]}) == '{"a":["é",1,null]}'.encode()


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        *(math.nan, math.inf, -math.inf, ["\ud800"], {"\udfff": 1}, {"a", "b"}, object(), b"a", {(1, 2): 3}),
        pytest.param(nested(100_000), id="nested"),
        pytest.param(10**5000, id="10**5000"),
    ],
)
def test_what_has_no_json_form_is_not_written(value: object) -> None:
    with pytest.raises(ValueError):
        json_bytes(value)
