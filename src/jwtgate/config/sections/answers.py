"""The `answers` and `log` of a route: what a refusal looks like to a client, and what the access log says besides.

An answer is named by a reason of the catalogue, by a class of reasons, or by `*`; the most particular is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jwtgate.config.checks import did_you_mean
from jwtgate.config.expressions import compiled_expression
from jwtgate.config.sections.section import (
    FieldName,
    Filled,
    Flag,
    JsonValue,
    Maybe,
    Name,
    OneOrMore,
    Section,
    Whole,
    exactly_one,
    raise_all,
)
from jwtgate.config.sections.values import ORIGINS, CelOfAnswer, SomeValue, ValueSection, as_constant
from jwtgate.errors import CATALOGUE, Fault, KeyRefused, Refusal, RouteUnknown
from jwtgate.policy.rooms.rewrite import fold

EVERY = "*"
# A key is refused while it is loaded, and what no route takes has no route to say how: only the document can.
_ALL_REASONS = {
    name: entry.raised_as for name, entry in CATALOGUE.items() if not issubclass(entry.raised_as, KeyRefused)
}
_REASONS = {name: kind for name, kind in _ALL_REASONS.items() if not issubclass(kind, RouteUnknown)}
_KINDS: tuple[type[Exception], ...] = (Refusal, Fault, *dict.fromkeys(_REASONS.values()))
CLASSES = {re.sub(r"\B([A-Z])", r"_\1", kind.__name__).lower(): kind for kind in _KINDS}
"""The words for classes of reasons. `credential_missing` is a reason, too; it is the only one of its class."""
_OF_TOKENS = {EVERY, "refusal", "token_refused"}
_OF_FAULTS = {EVERY, *(name for name, kind in (*CLASSES.items(), *_REASONS.items()) if issubclass(kind, Fault))}

# What frames an answer, or what the gateway says in every answer.
_NOT_SETTABLE = frozenset(
    b"connection content-length content-type date keep-alive te trailer transfer-encoding upgrade x-request-id".split()
)
_MEDIA_TYPE = re.compile(r"[!-~]+/[!-~]([ -~]*[!-~])?")
_FIELD_TEXT = re.compile(r"[!-~]([ -~]*[!-~])?")
_MOST_LOGGED = 16

Logged = TypeVar("Logged", bound=ValueSection)


def _known_to_route(name: str) -> str:
    return _known(name, _REASONS)


def _known_to_document(name: str) -> str:
    return _known(name, _ALL_REASONS)


def _known(name: str, reasons: Mapping[str, type[Exception]]) -> str:
    if name != EVERY and name not in reasons and name not in CLASSES:
        raise ValueError(f"is no reason of an answer, nor a class of them{did_you_mean(name, (*reasons, *CLASSES))}")
    return name


def _answerable(name: str) -> str:
    if fold(name.encode()) in _NOT_SETTABLE:
        raise ValueError("a field the gateway itself is responsible for cannot be set here")
    return name


def _of_a_field(value: ValueSection) -> ValueSection:
    text = value.constant
    if value.origin == "constant" and text is not None and not (isinstance(text, str) and _FIELD_TEXT.fullmatch(text)):
        raise ValueError("must be text of visible ASCII, blanks inside, null, or a value")
    return value


def _known_reason(name: str) -> str:
    if name not in _ALL_REASONS:
        raise ValueError(f"is no reason of an answer{did_you_mean(name, _ALL_REASONS)}")
    return name


def _with_body(status: int) -> int:
    if status in (204, 205, 304):
        raise ValueError("an answer of this status has no body, which says why")
    return status


Found = TypeVar("Found", bound=ValueSection)


def _of_status(value: Found) -> Found:
    if value.origin == "constant" and (type(value.constant) is not int or not 200 <= value.constant <= 599):
        raise ValueError("must be a status from 200 to 599, or a value")
    return value


def _of_media_type(value: Found) -> Found:
    text = value.constant
    if value.origin == "constant" and not (isinstance(text, str) and _MEDIA_TYPE.fullmatch(text)):
        raise ValueError("must be a media type, or a value")
    return value


AnyReason = Annotated[str, AfterValidator(_known_reason)]
AnswerStatus = Annotated[Whole, Field(ge=200, le=599), AfterValidator(_with_body)]
MediaType = Annotated[str, Field(pattern=r"^[!-~]+/[!-~]([ -~]*[!-~])?$")]
_StatusInput = BeforeValidator(as_constant, json_schema_input_type=ValueSection | int)
_TextInput = BeforeValidator(as_constant, json_schema_input_type=ValueSection | str)
SomeStatus = Annotated[ValueSection, _StatusInput, AfterValidator(_of_status)]
"""A status, or a value that is one."""
SomeMediaType = Annotated[ValueSection, _TextInput, AfterValidator(_of_media_type)]
"""A media type, or a value that is one."""


class AnswerValueSection(ValueSection):
    """A value in an answer, which may also be a part of the refusal it words."""

    cel: Maybe[CelOfAnswer] = Field(
        None, description="The result of an expression (CEL), which may look at `refusal` as well. No result: no value."
    )
    refusal: Maybe[Literal["reason", "sentence", "request_id", "claim", "exp", "nbf"]] = Field(
        None,
        description="A part of the refusal: its reason, the sentence that says it, the id under which the log knows "
        "the request, the name of the claim it is about, or the reason why `exp` or `nbf` does not hold.",
    )

    @property
    def origin(self) -> str:
        """The name of where the value comes from."""
        return exactly_one(self.model_fields_set, (*ORIGINS, "refusal"))


AnswerValue = Annotated[
    AnswerValueSection,
    BeforeValidator(
        as_constant, json_schema_input_type=AnswerValueSection | str | int | float | bool | None | list[JsonValue]
    ),
]
"""A JSON constant that is no object, or one of the forms of a value."""
AnswerFieldName = Annotated[FieldName, AfterValidator(_answerable)]


def _not_too_many(values: dict[str, Logged]) -> dict[str, Logged]:
    if len(values) > _MOST_LOGGED:
        raise ValueError(f"must not have more than {_MOST_LOGGED} entries")
    return values


LogName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
LoggedValues = Annotated[dict[LogName, SomeValue], AfterValidator(_not_too_many)]
"""What a line of the access log says besides, by name."""


_Status = Annotated[
    AnswerValueSection,
    BeforeValidator(as_constant, json_schema_input_type=AnswerValueSection | int),
    AfterValidator(_of_status),
]
_MediaType = Annotated[
    AnswerValueSection,
    BeforeValidator(as_constant, json_schema_input_type=AnswerValueSection | str),
    AfterValidator(_of_media_type),
]


class AnswerSection(Section):
    """What a refusal or a fault looks like to the client. What is left out is as the gateway would say it."""

    status: Maybe[_Status] = Field(
        None,
        description="The status, or a value that is one; for faults at least 400 and never 401. Below 300 it looks "
        "like success: dangerous. Of 204, 205 and 304 there is no body.",
    )
    headers: dict[AnswerFieldName, Annotated[AnswerValue, AfterValidator(_of_a_field)]] = Field(
        {},
        description="Header fields of the answer instead of ours of the same names: text, or values. What is not "
        "there, or null, sets no field.",
    )
    body: Maybe[AnswerValue] = Field(
        None, description="The body: text as it stands, or a value; what is no text as JSON."
    )
    content_type: Maybe[_MediaType] = Field(
        None, description="The media type of that body, or a value that is one. Default: `application/json`."
    )
    challenge: Flag = Field(True, description="With the `WWW-Authenticate` that belongs to the refusal.")
    fault_may_answer_401_for_legacy_clients: Flag = Field(
        False,
        description="`status` may be 401 for faults of ours, after which clients throw good tokens away. Dangerous.",
    )
    log: Annotated[dict[LogName, AnswerValue], AfterValidator(_not_too_many)] = Field(
        {}, description="Values the line of the access log has besides, merged into the `log` of the route."
    )

    calls: Maybe[OneOrMore[Name]] = Field(
        None,
        description="Calls of the route (with `for_answers`) that are made first, in this order, so that values may "
        "look at them. The answer goes out as well where one of them fails.",
    )

    @property
    def status_written(self) -> int | None:
        """The status, where it stands in the document."""
        return None if self.status is None or self.status.origin != "constant" else int(self.status.constant)

    @property
    def values(self) -> tuple[AnswerValueSection, ...]:
        """Every value the client may see."""
        return tuple(value for here, value in self.placed_values if here[0] != "log")

    @property
    def placed_values(self) -> Iterator[tuple[tuple[str, ...], AnswerValueSection]]:
        """Every value, with its place."""
        yield from ((("headers", name), value) for name, value in self.headers.items())
        written = {"status": self.status, "body": self.body, "content_type": self.content_type}
        yield from (((name,), value) for name, value in written.items() if value is not None)
        yield from ((("log", name), value) for name, value in self.log.items())

    @model_validator(mode="after")
    def _says_something(self) -> AnswerSection:
        if not self.model_fields_set:
            raise ValueError("needs at least one of status, headers, body, challenge, log, calls")
        if self.body is None and "content_type" in self.model_fields_set:
            raise ValueError("content_type stands beside body only")
        return self


def _faults_stay_failures(answers: dict[str, AnswerSection]) -> dict[str, AnswerSection]:
    raise_all(_mistakes(answers))
    return answers


def _mistakes(answers: Mapping[str, AnswerSection]) -> Iterator[str]:
    for name, answer in answers.items():
        status = answer.status_written
        if name not in _OF_FAULTS or status is None:
            continue
        if status < 400 or (status == 401 and not answer.fault_may_answer_401_for_legacy_clients):
            yield f"{name} means faults, too, which are answered from 400 on and never with 401; refusal means the rest"


def _of_any_route(answers: dict[str, AnswerSection]) -> dict[str, AnswerSection]:
    for answer in answers.values():
        if any(value.origin in ("claim", "path_parameter") for _, value in answer.placed_values):
            raise ValueError("claims and path parameters are those of a route; say this on each")
        if answer.calls:
            raise ValueError("calls are those of a route; say this on each")
    return answers


Answers = Annotated[
    Filled[dict[Annotated[str, AfterValidator(_known_to_route)], AnswerSection]], AfterValidator(_faults_stay_failures)
]
"""Answers by reason, by class of reasons, or for all (`*`)."""
DocumentAnswers = Annotated[
    Filled[dict[Annotated[str, AfterValidator(_known_to_document)], AnswerSection]],
    AfterValidator(_faults_stay_failures),
    AfterValidator(_of_any_route),
]
"""The same for requests no route takes, and for routes that say nothing of it."""


def tells_why(name: str, answer: AnswerSection) -> bool:
    """Whether a caller would learn what is wrong with a token, which nobody else is told (SEC-141)."""
    if name in CATALOGUE:
        return CATALOGUE[name].sentence == CATALOGUE["signature_wrong"].sentence
    return name in _OF_TOKENS and any(map(_names_reason, answer.values))


def _names_reason(value: AnswerValueSection) -> bool:
    looked_at = compiled_expression(value.cel).paths if value.cel is not None else ()
    parts = {value.refusal, *(path[1] if len(path) > 1 else "reason" for path in looked_at if path[0] == "refusal")}
    return not parts.isdisjoint({"reason", "claim"})


def blames_the_caller(name: str, answer: AnswerSection) -> bool:
    """Whether a fault of ours would look like a mistake of the caller's."""
    status = answer.status_written
    return name in _OF_FAULTS and status is not None and status < 500
