"""What every section of a document is made of: frozen models that refuse unknown keys, and the plain types.

Numbers and flags are strict, so that text never becomes a number and a flag never counts as one. No message of
a validator quotes the input, which may be a secret; `problems.py` quotes what may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    Strict,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.policy.rooms.rewrite import fold

T = TypeVar("T")


class Section(BaseModel):
    """One mapping of the document: frozen, and without room for keys nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


def not_empty(value: T) -> T:
    """The value, unless it is an empty list or mapping."""
    # Before the items are looked at: pydantic's own check would count the good ones only.
    if isinstance(value, list | tuple | dict) and not value:
        raise ValueError("must not be empty")
    return value


def as_list(value: object) -> object:
    """A list of at least one, where the document may give a single item instead."""
    return not_empty(value) if isinstance(value, list | tuple) else [value]


class _AsList:
    """Takes a single item for a list of one, and says so in the JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(as_list, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        many = handler(schema)
        return {"anyOf": [many["items"], {**many, "minItems": 1}]}


class _NotNull:
    """Refuses null: a key that may be left out is left out, and never given without a value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(not_null, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shown = handler(schema)
        kept = [choice for choice in shown.pop("anyOf") if choice != {"type": "null"}]
        return {**shown, **kept[0]} if len(kept) == 1 else {**shown, "anyOf": kept}


def not_null(value: T) -> T:
    """The value, unless it is null."""
    if value is None:
        raise ValueError("has no value; leave the key out to mean its default")
    return value


OneOrMore = Annotated[tuple[T, ...], _AsList()]
"""One item, or a list of at least one."""

Maybe = Annotated[T | None, _NotNull()]
"""Something that may be left out."""

Filled = Annotated[T, BeforeValidator(not_empty)]
"""A list or mapping with at least one entry."""

Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Count = Annotated[int, Strict(), Field(ge=1)]
Seconds = Annotated[float, Strict(), Field(gt=0, le=366 * 24 * 3600)]
LongSeconds = Annotated[float, Strict(), Field(ge=1, le=366 * 24 * 3600)]
Text = Annotated[str, Field(min_length=1)]
# Names stand in log lines and labels as they are, so neither a quote nor a backslash may be in one.
Name = Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,128}$")]


HIDDEN = "***"
"""What stands in the place of a secret wherever a document is shown."""

_SECRET = {"writeOnly": True}


def _not_hidden(value: str) -> str:
    if value == HIDDEN:
        raise ValueError("stands for a secret that is not shown; write the secret, or a reference to it")
    return value


Secret = Annotated[str, Field(min_length=1, json_schema_extra=_SECRET), AfterValidator(_not_hidden)]
"""Text that may be secret: its references are kept, and it is never shown. `writeOnly` in the schema marks it."""


Referable = Annotated[str, Field(min_length=1, json_schema_extra={"x-reference": True})]
"""Text that is no secret and may be kept like one: its references stay what they are, and it is shown."""

Sealed = Annotated[dict[str, Any], Field(json_schema_extra={**_SECRET, "x-sealed": True})]
"""Data that is secret as a whole: nothing of it is ever shown, and what looks like a reference in it is none."""


def _checked_jwks(value: object) -> object:
    entries: list[Any] = value if isinstance(value, list) else [value]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("must be a JWK Set, a JWK, or a list of JWKs")
    for entry in entries:
        held = entry.get("keys", ())
        for key in (entry, *(held if isinstance(held, list) else ())):
            if isinstance(key, dict) and HIDDEN in key.values():
                _not_hidden(HIDDEN)
    return value


JwkSet = Annotated[
    dict[str, Any] | list[dict[str, Any]],
    PlainValidator(_checked_jwks, json_schema_input_type=dict[str, Any] | list[dict[str, Any]]),
    Field(json_schema_extra=_SECRET),
]
"""Keys in the document itself, secret like `Secret` where they are."""


def _checked_alg(value: str) -> str:
    if value not in ALGORITHMS:
        raise ValueError(f"must be one of {', '.join(ALGORITHMS)}")
    return value


Alg = Annotated[str, AfterValidator(_checked_alg), Field(json_schema_extra={"enum": sorted(ALGORITHMS)})]


def _in_folder(value: str, info: ValidationInfo) -> str:
    folder: Path | None = (info.context or {}).get("folder")
    return str(folder / value) if folder else value


Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9._-]+(:[0-9]{1,5})?$")]
FileName = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*$"), AfterValidator(_in_folder)]
"""A file, found from the folder of the document."""

# What frames a message or belongs to one hop is the gateway's own; so is what it says about the client.
_NOT_SETTABLE = frozenset(
    b"connection content-length cookie expect forwarded host http2-settings keep-alive proxy-authenticate "
    b"proxy-authorization proxy-connection set-cookie te trailer transfer-encoding upgrade via".split()
)


def _settable(value: str) -> str:
    folded = fold(value.encode())
    if folded in _NOT_SETTABLE or folded.startswith(b"x-forwarded-"):
        raise ValueError("a field the gateway itself is responsible for cannot be set here")
    return value


FieldName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")]
SettableFieldName = Annotated[FieldName, AfterValidator(_settable)]
CookieName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$")]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,128}$")]
"""A query parameter whose name has only one way of being written."""

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})")


def parse_address(text: str) -> tuple[str, int]:
    """Host (an IPv6 address without brackets) and port of `host:port`. `ValueError` for anything else."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found[2]) > 65535:
        raise ValueError("must be written host:port, such as 127.0.0.1:8080 or [::]:8080")
    host = found[1]
    if host.startswith("["):
        host = host[1:-1]
        ip_address(host)
    return host, int(found[2])


def _checked_address(value: str) -> str:
    try:
        parse_address(value)
    except ValueError:
        raise ValueError("must be written host:port, such as 127.0.0.1:8080 or [::]:8080") from None
    return value


Address = Annotated[str, AfterValidator(_checked_address)]


def split_url(text: str) -> SplitResult:
    """The parts of an absolute http or https address. `ValueError` with a fixed sentence for anything else."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ValueError("must be an http or https address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("must be an http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if "#" in text:
        raise ValueError("must not have a fragment")
    return parts


def _checked_url(value: str) -> str:
    split_url(value)
    return value


Url = Annotated[str, AfterValidator(_checked_url)]


def is_url(text: str) -> bool:
    """Whether this is an absolute http or https address."""
    try:
        split_url(text)
    except ValueError:
        return False
    return True


def is_plain_http_elsewhere(url: str) -> bool:
    """Whether this address would be fetched without TLS from a host that is not this one (SEC-60)."""
    parts = split_url(url)
    if parts.scheme == "https":
        return False
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True


def raise_all(mistakes: Iterable[str]) -> None:
    """Raises a `ValueError` with all of these sentences, if there are any."""
    text = "; ".join(mistakes)
    if text:
        raise ValueError(text)


def exactly_one(given: set[str], names: tuple[str, ...]) -> str:
    """The one of `names` that was given. `ValueError` when none or several were."""
    found = [name for name in names if name in given]
    if len(found) != 1:
        raise ValueError(f"needs exactly one of {', '.join(names)}")
    return found[0]


JsonValue = Any
"""Any JSON value, taken as it stands."""
