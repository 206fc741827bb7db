"""Values as a document speaks of them: where each comes from, and how a header field shows it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationInfo, model_validator

from jwtgate.config.expression_text import OF_ANSWERS
from jwtgate.config.expressions import compiled_expression
from jwtgate.config.sections.claims import Path
from jwtgate.config.sections.languages import INSTALLED, Languages
from jwtgate.config.sections.section import FieldName, JsonValue, Maybe, Name, Referable, Section, exactly_one
from jwtgate.policy.expression import KnownExpression
from jwtgate.policy.requirements import ClaimPath

CONSUMER_MEMBERS = ("name", "id", "external_id", "groups", "labels", "attributes", "credential", "credential_labels")


def _checked_expression(value: str) -> str:
    compiled_expression(value)
    return value


def _not_of_a_refusal(value: str) -> str:
    if any(path[0] == OF_ANSWERS for path in compiled_expression(value).paths):
        raise ValueError("names refusal, which there is in answers only")
    return value


CelOfAnswer = Annotated[str, AfterValidator(_checked_expression)]
"""The text of an expression (CEL) that may look at the refusal it words."""
Cel = Annotated[CelOfAnswer, AfterValidator(_not_of_a_refusal)]
"""The text of an expression (CEL)."""


def _member_of_consumer(value: ClaimPath) -> ClaimPath:
    if value[0] not in CONSUMER_MEMBERS:
        raise ValueError(f"must begin with one of {', '.join(CONSUMER_MEMBERS)}")
    return value


ConsumerPath = Annotated[Path, AfterValidator(_member_of_consumer)]
PathParameter = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]

ORIGINS = ("claim", "consumer", "permissions", "header", "path_parameter", "request", "cel", "language", "constant")


class ValueSection(Section):
    """A value: exactly one of what is known of the caller, a part of the request, or a constant."""

    claim: Maybe[Path] = Field(None, description="The value of this claim of a verified token.")
    slot: Maybe[Name] = Field(None, description="The slot whose token is meant. Default: the first slot.")
    consumer: Maybe[ConsumerPath] = Field(
        None,
        description="A part of the consumer's record: `name`, `id`, `external_id`, `groups`, a path into `labels` or "
        "`attributes`; `credential`, the name of the credential the token was made with; or a path into "
        "`credential_labels`, those of that.",
    )
    permissions: Maybe[Literal[True]] = Field(None, description="The permissions the caller was granted, as a list.")
    header: Maybe[FieldName] = Field(None, description="The value of this header field of the request.")
    path_parameter: Maybe[PathParameter] = Field(
        None, description="What stands in the path for this `{name}` of the route's template."
    )
    request: Maybe[Literal["method", "host", "path", "query", "url", "origin", "client", "id"]] = Field(
        None,
        description="A part of the request; `client` is the caller's address, `url` the whole address as the client "
        "used it, `origin` its scheme and host, `id` the one under which the log knows the request.",
    )
    cel: Maybe[Cel] = Field(
        None, description="The result of an expression (CEL). A request for which it has none is refused."
    )
    language: Maybe[Name] = Field(
        None,
        description="The result of an expression in this language, which an installed package brings: an entry point "
        "of the group `jwtgate.expressions`. A request for which it fails is answered with 500.",
    )
    expression: Maybe[Referable] = Field(
        None, description="The text of that expression. What looks like a reference in it is a part of it."
    )
    given: dict[str, JsonValue] = Field({}, description="What that expression is given besides: any JSON values.")
    constant: JsonValue = Field(None, description="Any JSON value, as it stands.")
    _compiled: KnownExpression | None = PrivateAttr(None)

    def __hash__(self) -> int:
        # What is given may hold anything, and equal sections are given the same.
        return hash(tuple(value for name, value in self.__dict__.items() if name != "given"))

    @property
    def compiled(self) -> KnownExpression | None:
        """The expression of an installed language, where the value is one."""
        return self._compiled

    @property
    def looks_at(self) -> tuple[ClaimPath, ...]:
        """The parts of a request it looks at, as paths of an expression. What a language looks at nobody can see."""
        if self.cel is not None:
            return compiled_expression(self.cel).paths
        if self.header is not None:
            return (("request", "headers", self.header),)
        if self.path_parameter is not None:
            return (("request", "path_parameters", self.path_parameter),)
        if self.request == "url":
            return (("request", "path"), ("request", "query"))
        return (("request", self.request),) if self.request is not None else ()

    @property
    def origin(self) -> str:
        """The name of where the value comes from."""
        return exactly_one(self.model_fields_set, ORIGINS)

    @model_validator(mode="after")
    def _has_one_origin(self) -> ValueSection:
        origin = self.origin
        if self.slot is not None and origin != "claim":
            raise ValueError("slot stands beside claim only")
        return self

    @model_validator(mode="after")
    def _is_of_a_language(self, info: ValidationInfo) -> ValueSection:
        if self.language is None and {"expression", "given"} & self.model_fields_set:
            raise ValueError("expression and given stand beside language only")
        if self.language is None:
            return self
        if self.expression is None:
            raise ValueError("a language needs an expression")
        languages: Languages = (info.context or {}).get("languages", INSTALLED)
        self._compiled = languages.compiled(self.language, self.expression, self.given)
        return self


def as_constant(value: object) -> object:
    """The value, where it is one already; else the form that stands for a constant."""
    return value if isinstance(value, dict | ValueSection) else {"constant": value}


SomeValue = Annotated[
    ValueSection,
    BeforeValidator(
        as_constant, json_schema_input_type=ValueSection | str | int | float | bool | None | list[JsonValue]
    ),
]
"""A JSON constant that is no object, or one of the forms of a value."""


class FieldSection(ValueSection):
    """The value of a header field the upstream receives: a value, or all claims of a token."""

    claims: Maybe[Literal[True]] = Field(None, description="All claims of the token, as one JSON object.")
    constant: Maybe[Annotated[str, Field(pattern=r"^[!-~]([ -~]*[!-~])?$")]] = Field(
        None, description="Text, as it stands: visible ASCII, blanks inside."
    )
    form: Maybe[Literal["text", "visible", "lines", "json", "base64url"]] = Field(
        None,
        description="How the value is written: `text` (plain values, and lists of them), `visible` (the same, of which "
        "the percent sign stands as it is), `lines` (as `visible` without blanks at the ends, each element of a list "
        "in a field of its own; objects make none), `json`, or `base64url` of the JSON text. Default: `text`, "
        "`base64url` for all claims. What is not there sets no field.",
    )
    separator: Annotated[str, Field(pattern=r"^[ -$&-/:-@\[-`{-~]{1,4}$")] = Field(
        ",", description="What stands between the elements of a list in the form `text`."
    )

    @property
    def origin(self) -> str:
        """The name of where the value comes from."""
        return exactly_one(self.model_fields_set, ("claims", *ORIGINS))

    @model_validator(mode="after")
    def _has_one_origin(self) -> FieldSection:
        origin = self.origin
        if self.slot is not None and origin not in ("claim", "claims"):
            raise ValueError("slot stands beside claim and claims only")
        if origin == "constant" and self.model_fields_set != {"constant"}:
            raise ValueError("nothing else stands beside a constant")
        if origin == "claims" and self.form in ("text", "visible", "lines"):
            raise ValueError("all claims have no form of plain text; json and base64url are possible")
        return self


def _constant_text(value: object) -> object:
    return {"constant": value} if isinstance(value, str) else value


SomeField = Annotated[FieldSection, BeforeValidator(_constant_text, json_schema_input_type=FieldSection | str)]

_METHOD = re.compile(r"[A-Z][A-Z0-9-]{0,31}|\*")


def _names_a_permission(value: ValueSection) -> ValueSection:
    if value.origin == "constant" and not isinstance(value.constant, str):
        raise ValueError("must name a permission: text, or a value that is text")
    return value


def _by_method(value: object) -> object:
    if isinstance(value, dict) and value and all(isinstance(name, str) and _METHOD.fullmatch(name) for name in value):
        return value
    return {"*": value}


_OnePermission = Annotated[SomeValue, AfterValidator(_names_a_permission)]
Permission = Annotated[
    dict[str, _OnePermission],
    BeforeValidator(_by_method, json_schema_input_type=str | ValueSection | dict[str, _OnePermission]),
]
"""The permission asked for, by method, `*` for those not named."""
