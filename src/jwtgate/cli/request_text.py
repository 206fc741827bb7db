"""A request written down by somebody: as the head of an HTTP message, or as a curl command.

Only what a decision looks at is read. Nothing is checked here: that is for the gateway's own reader.
"""

from __future__ import annotations

import getopt
import shlex
from dataclasses import dataclass
from urllib.parse import urlsplit

from jwtgate.errors import ConfigError

Fields = list[tuple[bytes, bytes]]

_SHORT = "H:X:b:d:u:A:e:o:m:F:T:x:w:c:E:IGksSivLfgN0"
_DATA = ("data", "data-raw", "data-binary", "data-ascii", "data-urlencode", "json", "form")
_READ = ("header", "request", "cookie", "user", "user-agent", "referer", "url", "oauth2-bearer", "upload-file", *_DATA)
_PASSED_OVER = ("output", "max-time", "connect-timeout", "proxy", "write-out", "cookie-jar", "cert", "key", "cacert")
_FLAGS = ("head", "get", "insecure", "silent", "show-error", "include", "verbose", "location", "fail", "compressed")
_LONG = [*(f"{name}=" for name in (*_READ, *_PASSED_OVER)), *_FLAGS]
_HEADER, _METHOD, _COOKIE = ("-H", "--header"), ("-X", "--request"), ("-b", "--cookie")
_NAMED = {"-A": b"User-Agent", "--user-agent": b"User-Agent", "-e": b"Referer", "--referer": b"Referer"}
_BODY = frozenset({"-d", "-F", *(f"--{name}" for name in _DATA)})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was written. `notes` say what of it was left out or added."""

    method: str
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    scheme: str = "http"
    notes: tuple[str, ...] = ()


def parse_http(data: bytes) -> Asked:
    """The request in the head of an HTTP/1.1 message; a body is left out. `ConfigError` names the line."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    words = lines[0].split(b" ")
    if len(words) not in (2, 3) or not all(words) or not words[0].isascii():
        raise ConfigError("request, line 1: write METHOD TARGET HTTP/1.1, such as GET /orders/1 HTTP/1.1")
    head = lines[1 : lines.index(b"", 1)] if b"" in lines[1:] else lines[1:]
    fields = [_field(line, f"request, line {number}") for number, line in enumerate(head, start=2)]
    return _asked(words[0].decode("ascii"), words[1], fields, scheme="http", host=b"localhost", notes=[])


def parse_curl(command: str) -> Asked:
    """The request a curl command would send. `ConfigError` names what cannot be understood."""
    try:
        words = shlex.split(command.replace("\\\n", " "))
        options, rest = getopt.gnu_getopt(words[1:] if words[:1] == ["curl"] else words, _SHORT, _LONG)
    except (ValueError, getopt.GetoptError) as error:
        raise ConfigError(f"--curl: {error}") from None
    addresses = [value for name, value in options if name == "--url"] + rest
    if len(addresses) != 1:
        raise ConfigError(f"--curl: one address is needed, and there are {len(addresses)}")
    address = urlsplit(addresses[0] if "://" in addresses[0] else f"http://{addresses[0]}")
    target = f"{address.path or '/'}{f'?{address.query}' if address.query else ''}"
    notes: list[str] = []
    fields = [field for name, value in options for field in _fields(name, value, notes)]
    host = address.netloc.rpartition("@")[2].encode()
    return _asked(_method(options), target.encode(), fields, scheme=address.scheme, host=host, notes=notes)


def _fields(option: str, value: str, notes: list[str]) -> Fields:
    """The fields one option of curl adds."""
    if option in _HEADER:
        # "Name:" alone takes away a field curl would add by itself, "Name;" sends an empty one.
        if value.endswith(":"):
            return []
        return [_field((value.removesuffix(";") + ":" if value.endswith(";") else value).encode(), "--curl")]
    if option in _COOKIE:
        if "=" in value:
            return [(b"Cookie", value.encode())]
        notes.append(f"the cookie file {value} is not read")
    elif option == "--oauth2-bearer":
        return [(b"Authorization", b"Bearer " + value.encode())]
    elif option in ("-u", "--user"):
        notes.append("-u is left out: the gateway reads tokens, not passwords")
    elif option in _NAMED:
        return [(_NAMED[option], value.encode())]
    return []


def _method(options: list[tuple[str, str]]) -> str:
    names = {name for name, _ in options}
    for name, value in options:
        if name in _METHOD:
            return value
    if names & {"-I", "--head"}:
        return "HEAD"
    if names & {"-T", "--upload-file"}:
        return "PUT"
    return "POST" if names & _BODY and not names & {"-G", "--get"} else "GET"


def _field(line: bytes, place: str) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name.strip() != name:
        raise ConfigError(f"{place}: write a header field as Name: value")
    return name, value.strip(b" \t")


def _asked(method: str, target: bytes, fields: Fields, *, scheme: str, host: bytes, notes: list[str]) -> Asked:
    if all(name.lower() != b"host" for name, _ in fields):
        if not target.startswith(b"/"):
            host = urlsplit(target).netloc
        fields = [(b"Host", host), *fields]
    return Asked(method, target, tuple(fields), scheme, tuple(notes))
