"""Claims as a document speaks of them: where one lies, what is asked of it, and where its value may go.

A path is text split at dots, `\\.` being a dot of the name itself and `[0]` an element of a list; or it is a list
of names and whole numbers, taken as it stands. Nothing is ever found by half a name (SEC-46).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, model_validator

from jwtgate.config.patterns import Pattern
from jwtgate.config.sections.section import FieldName, JsonValue, Maybe, Name, Section, exactly_one
from jwtgate.policy.requirements import ClaimPath

_MOST_STEPS = 32
_NO_PATH = r"must be the path of a claim, such as realm_access.roles, groups[0] or a\.b"
_NAME = re.compile(r"(?:[^\\.\[\]]|\\[\\.\[\]])+")
_INDEX = re.compile(r"\[(0|[1-9][0-9]{0,5})\]")


def parse_claim_path(value: object) -> ClaimPath:
    """The steps to a claim. `ValueError` for what is no path."""
    if isinstance(value, str):
        steps = _parse_text(value)
    elif isinstance(value, list | tuple) and all(map(_is_step, value)):
        steps = tuple(value)
    else:
        raise ValueError("must be the path of a claim: text, or a list of names and whole numbers")
    if not steps or not isinstance(steps[0], str) or len(steps) > _MOST_STEPS:
        raise ValueError("must be the path of a claim, beginning with a name")
    return steps


def _is_step(value: object) -> bool:
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


@lru_cache(maxsize=1024)
def _parse_text(text: str) -> ClaimPath:
    if re.search(r"://.*(?<!\\)\.", text):
        raise ValueError(r"splits an address at its dots; write each of them \. or give the path as a list")
    steps: list[str | int] = []
    position = 0
    while True:
        name = _NAME.match(text, position)
        if name is None:
            raise ValueError(_NO_PATH)
        steps.append(re.sub(r"\\(.)", r"\1", name[0]))
        position = name.end()
        while index := _INDEX.match(text, position):
            steps.append(int(index[1]))
            position = index.end()
        if position == len(text):
            return tuple(steps)
        if text[position] != ".":
            raise ValueError(_NO_PATH)
        position += 1


Path = Annotated[ClaimPath, PlainValidator(parse_claim_path, json_schema_input_type=str | list[str | int])]


def _checked_pattern(value: str) -> str:
    Pattern(value)
    return value


class ClaimRuleSection(Section):
    """One rule about one claim: where it lies, and exactly one thing that is asked of it."""

    claim: Path = Field(description="Path of the claim.")
    required: Maybe[Literal[True]] = Field(None, description="The claim must be there, whatever its value.")
    equals: JsonValue = Field(None, description='The one value allowed. `1`, `"1"` and `true` are three things.')
    one_of: tuple[JsonValue, ...] = Field((), description="The values allowed.")
    contains: JsonValue = Field(None, description="An element the list must have.")
    matches: Maybe[Annotated[str, AfterValidator(_checked_pattern)]] = Field(
        None, description="A pattern (RE2) the whole of the text must match."
    )

    @property
    def asked(self) -> str:
        """The name of what is asked."""
        return exactly_one(self.model_fields_set, ("required", "equals", "one_of", "contains", "matches"))

    @model_validator(mode="after")
    def _asks_one_thing(self) -> ClaimRuleSection:
        asked = self.asked
        if asked == "one_of" and not self.one_of:
            raise ValueError("one_of must not be empty")
        return self


class ValueSection(Section):
    """A value for the upstream: exactly one of a claim, a field or a part of the request, or a constant."""

    claim: Maybe[Path] = Field(None, description="The value of this claim of a verified token.")
    slot: Maybe[Name] = Field(None, description="The slot whose token is meant. Default: the first slot.")
    header: Maybe[FieldName] = Field(None, description="The value of this header field of the request.")
    request: Maybe[Literal["method", "host", "path", "client"]] = Field(
        None, description="A part of the request; `client` is the caller's address."
    )
    constant: JsonValue = Field(None, description="Any JSON value, as it stands.")

    @property
    def origin(self) -> str:
        """The name of where the value comes from."""
        return exactly_one(self.model_fields_set, ("claim", "header", "request", "constant"))

    @model_validator(mode="after")
    def _has_one_origin(self) -> ValueSection:
        origin = self.origin
        if self.slot is not None and origin != "claim":
            raise ValueError("slot stands beside claim only")
        return self


def _constant(value: object) -> object:
    return value if isinstance(value, dict | ValueSection) else {"constant": value}


SomeValue = Annotated[
    ValueSection,
    BeforeValidator(_constant, json_schema_input_type=ValueSection | str | int | float | bool | None | list[JsonValue]),
]
"""A JSON constant that is no object, or one of the forms of a value."""


class FieldSection(Section):
    """The value of a header field the upstream receives: a claim, all claims, or constant text."""

    constant: Maybe[Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]] = Field(
        None, description="Text, as it stands: visible ASCII, blanks inside."
    )
    claim: Maybe[Path] = Field(None, description="The value of this claim. Without it the field is not set.")
    claims: Maybe[Literal[True]] = Field(None, description="All claims of the token, as one JSON object.")
    slot: Maybe[Name] = Field(None, description="The slot whose token is meant. Default: the first slot.")
    form: Maybe[Literal["text", "json", "base64url"]] = Field(
        None,
        description="How the value is written: `text` (plain values, and lists of them), `json`, or `base64url` of "
        "the JSON text. Default: `text` for a claim, `base64url` for all claims.",
    )
    separator: Annotated[str, Field(pattern=r"^[ -$&-/:-@\[-`{-~]{1,4}$")] = Field(
        ",", description="What stands between the elements of a list in the form `text`."
    )

    @property
    def origin(self) -> str:
        """The name of where the value comes from."""
        return exactly_one(self.model_fields_set, ("constant", "claim", "claims"))

    @model_validator(mode="after")
    def _has_one_origin(self) -> FieldSection:
        origin = self.origin
        if origin == "constant" and self.model_fields_set != {"constant"}:
            raise ValueError("nothing else stands beside a constant")
        if origin == "claims" and self.form == "text":
            raise ValueError("all claims have no form of plain text; json and base64url are possible")
        return self


def _constant_text(value: object) -> object:
    return {"constant": value} if isinstance(value, str) else value


SomeField = Annotated[FieldSection, BeforeValidator(_constant_text, json_schema_input_type=FieldSection | str)]
