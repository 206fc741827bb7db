import pytest

from jwtgate.cli.request_text import parse_curl, parse_http
from jwtgate.errors import ConfigError


def test_the_head_of_a_message_is_read_and_its_body_left_out() -> None:
    asked = parse_http(b"POST /orders?a=1 HTTP/1.1\r\nHost: h\r\nX-A:  b \r\n\r\nnot: a field\r\n")
    assert (asked.method, asked.target, asked.scheme) == ("POST", b"/orders?a=1", "http")
    assert asked.fields == ((b"Host", b"h"), (b"X-A", b"b"))


def test_line_feeds_alone_will_do_and_a_host_is_added() -> None:
    assert parse_http(b"GET /\nA: b").fields == ((b"Host", b"localhost"), (b"A", b"b"))


def test_the_host_of_an_absolute_target_is_its_own() -> None:
    assert parse_http(b"GET http://h:1/ HTTP/1.1\n\n").fields == ((b"Host", b"h:1"),)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"", "line 1"),
        (b"GET", "line 1"),
        (b"GET / HTTP/1.1 x", "line 1"),
        (b"GET  /", "line 1"),
        (b"GET / HTTP/1.1\nA: b\nno field\n", "line 3"),
        (b"GET / HTTP/1.1\nA: b\n folded: on\n", "line 3"),
        (b"GET / HTTP/1.1\n: x\n", "line 2"),
    ],
)
def test_a_message_that_cannot_be_read_names_the_line(text: bytes, place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        parse_http(text)


def test_a_curl_command_as_a_browser_copies_it() -> None:
    asked = parse_curl(
        "curl 'https://h.example:8443/orders/1?x=%20' \\\n  -H 'Authorization: Bearer t' --compressed -sS "
        "-b 'sid=v; b=c'"
    )
    assert (asked.method, asked.scheme, asked.target) == ("GET", "https", b"/orders/1?x=%20")
    assert asked.fields == ((b"Host", b"h.example:8443"), (b"Authorization", b"Bearer t"), (b"Cookie", b"sid=v; b=c"))


@pytest.mark.parametrize(
    ("options", "method"),
    [
        ("", "GET"),
        ("-d a=b", "POST"),
        ("--data-raw '{}'", "POST"),
        ("--json '{}'", "POST"),
        ("-F a=b", "POST"),
        ("-G -d a=b", "GET"),
        ("-I", "HEAD"),
        ("-T file", "PUT"),
        ("-XPATCH -d a", "PATCH"),
        ("--request DELETE", "DELETE"),
    ],
)
def test_the_method_is_the_one_curl_would_take(options: str, method: str) -> None:
    assert parse_curl(f"curl {options} http://h/").method == method


@pytest.mark.parametrize(
    ("option", "field"),
    [
        ("-HA:b", (b"A", b"b")),
        ("-H 'A;'", (b"A", b"")),
        ("--header 'A: b: c'", (b"A", b"b: c")),
        ("-A me", (b"User-Agent", b"me")),
        ("-e http://x/", (b"Referer", b"http://x/")),
        ("--oauth2-bearer t", (b"Authorization", b"Bearer t")),
    ],
)
def test_options_become_fields(option: str, field: tuple[bytes, bytes]) -> None:
    assert parse_curl(f"curl {option} h/x").fields == ((b"Host", b"h"), field)


@pytest.mark.parametrize("option", ["-H 'Accept:'", "-o file", "-m 5", "-k", "--max-time 5"])
def test_what_sends_nothing_adds_nothing(option: str) -> None:
    asked = parse_curl(f"curl {option} --url http://h/")
    assert (asked.fields, asked.notes) == (((b"Host", b"h"),), ())


def test_a_host_that_is_given_stays_and_no_user_info_enters_it() -> None:
    assert parse_curl("curl -H 'host: other' http://h/").fields == ((b"host", b"other"),)
    assert parse_curl("curl http://u:p@h/").fields == ((b"Host", b"h"),)


@pytest.mark.parametrize(("option", "note"), [("-u a:b", "passwords"), ("-b jar.txt", "jar.txt is not read")])
def test_what_is_left_out_is_said(option: str, note: str) -> None:
    asked = parse_curl(f"curl {option} http://h")
    assert note in asked.notes[0]
    assert asked.fields == ((b"Host", b"h"),)
    assert asked.target == b"/"


@pytest.mark.parametrize(
    "command", ["curl", "curl a b", "curl --frobnicate a", "curl 'a", "curl -H nofield a", "curl -H"]
)
def test_a_command_that_cannot_be_read_is_a_mistake(command: str) -> None:
    with pytest.raises(ConfigError, match="--curl"):
        parse_curl(command)
