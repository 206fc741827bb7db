"""Claims as a document speaks of them: where one lies, and what is asked of it.

A path is text split at dots, `\\.` being a dot of the name itself and `[0]` an element of a list; or it is a list
of names and whole numbers, taken as it stands. Nothing is ever found by half a name (SEC-46).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from jwtgate.config.patterns import Pattern
from jwtgate.config.sections.section import Flag, JsonValue, Maybe, Section, exactly_one
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
    any_of: tuple[JsonValue, ...] = Field(
        (), description="The values allowed, of which the claim is one, or a list that has one of them."
    )
    matches: Maybe[Annotated[str, AfterValidator(_checked_pattern)]] = Field(
        None, description="A pattern (RE2) the whole of the text must match."
    )
    if_present: Flag = Field(False, description="A token without the claim satisfies the rule.")

    @property
    def asked(self) -> str:
        """The name of what is asked."""
        return exactly_one(self.model_fields_set, ("required", "equals", "one_of", "contains", "any_of", "matches"))

    @model_validator(mode="after")
    def _asks_one_thing(self) -> ClaimRuleSection:
        asked = self.asked
        if (asked == "one_of" and not self.one_of) or (asked == "any_of" and not self.any_of):
            raise ValueError(f"{asked} must not be empty")
        if self.if_present and asked == "required":
            raise ValueError("if_present and required exclude each other")
        return self
