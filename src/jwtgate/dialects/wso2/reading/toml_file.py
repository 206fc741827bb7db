"""`deployment.toml`, read for what it says of backend JWTs. Tables about anything else are ignored."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from jwtgate.dialects.wso2.reading.options import CACHE, GATEWAY, JWT, OPTIONS, valued
from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.errors import ConfigError

MOST_BYTES = 4 * 1024 * 1024
MOST_DEPTH = 16
Place = tuple[str, ...]
_READ_WHOLE = (JWT, GATEWAY, (*CACHE, "gateway_token"), (*CACHE, "km_token"), (*CACHE, "jwt_claim"))
_ISSUERS = (*JWT, "issuer")
_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")


def read_toml(data: bytes, name: str) -> Said:
    """What this file sets. `ConfigError` with every mistake."""
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{name}: is larger than {MOST_BYTES // 1024 // 1024} MiB")
    try:
        text = data.decode()
        held = tomllib.loads(text)
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: is not TOML: {error}") from None
    except (RecursionError, ValueError):
        raise ConfigError(f"{name}: is nested too deeply, or a number has too many digits") from None
    said, lines = Said(name), dict(_lines(text))
    places = {place: option for option, places in _places().items() for place in places}
    for place, value in _leaves(held, ()):
        where = f"{name}:{lines.get(place, 1)}"
        option = places.get(place)
        if option is None:
            _look_at_unknown(said, place, where, places)
            continue
        try:
            _set(said, option, value, where)
        except ValueError as error:
            said.mistakes.append(f"{where}: {'.'.join(place)} {error}")
    issuers = _at(held, _ISSUERS, [])
    if not isinstance(issuers, list) or not all(isinstance(each, dict) for each in issuers):
        said.mistakes.append(f"{name}:{lines.get(_ISSUERS, 1)}: apim.jwt.issuer must be written [[apim.jwt.issuer]]")
    else:
        said.issuers.extend(issuers)
    said.stop_at_mistakes()
    return said


def _places() -> Mapping[str, tuple[Place, ...]]:
    return {name: ((*JWT, name), *option.toml) for name, option in OPTIONS.items()}


def _set(said: Said, option: str, value: Any, where: str) -> None:
    # On in the gateway's table or in the key manager's: here they are one.
    if option == "enable" and said.values.get("enable"):
        return
    said.set(option, valued(OPTIONS[option], value), where)


def _look_at_unknown(said: Said, place: Place, where: str, places: Mapping[Place, str]) -> None:
    table = place[:-1]
    if table not in _READ_WHOLE and place[:2] != JWT:
        return
    if place[: len(_ISSUERS)] == _ISSUERS:
        return
    beside = [known[-1] for known in places if known[:-1] == table]
    nearest = difflib.get_close_matches(place[-1], beside, n=1)
    meant = f"; did you mean {nearest[0]}?" if nearest else ""
    said.mistakes.append(f"{where}: {'.'.join(place)} is not known{meant}")


def _leaves(value: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, Any]]:
    """Every value with its place; a mapping that is the value of an option is one."""
    for name, each in value.items():
        here = (*place, name)
        is_map = here[:-1] == JWT and name in OPTIONS and OPTIONS[name].kind == "map"
        if isinstance(each, dict) and not is_map and len(here) < MOST_DEPTH:
            yield from _leaves(each, here)
        elif here[: len(_ISSUERS)] != _ISSUERS:
            yield here, each


def _at(value: Any, place: Place, otherwise: Any) -> Any:
    for step in place:
        value = value.get(step, otherwise) if isinstance(value, dict) else otherwise
    return value


def _lines(text: str) -> Iterator[tuple[Place, int]]:
    """The line of every key, as well as that can be told from its look."""
    table: Place = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _steps(header[1])
            yield table, number
        elif key := _KEY.match(line):
            yield (*table, *_steps(key[1])), number


def _steps(text: str) -> Place:
    return tuple(step.strip().strip("\"'") for step in re.findall(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""", text))
