"""What refusals of a route look like, as the plan has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from jwtgate.config.compile.issued import compile_value
from jwtgate.config.sections.answers import CLASSES, AnswerSection, AnswerValueSection
from jwtgate.policy.provisions import Answer, Origin, Value

_JSON = "application/json"


def compile_answers(sections: Mapping[str, AnswerSection], first: str) -> dict[str, Answer]:
    """Answers by reason, by the name of an error's class, or `*`. `first` is the slot meant where none is named."""
    return {CLASSES[name].__name__ if name in CLASSES else name: _answer(sections[name], first) for name in sections}


def of_answers(answers: Mapping[str, Answer]) -> Iterator[Value]:
    """Every value in these answers."""
    for answer in answers.values():
        yield from _values(answer)


def _values(answer: Answer) -> Iterator[Value]:
    yield from (value for _, value in (*answer.fields, *answer.log))
    yield from (value for value in (answer.status, answer.body, answer.content_type) if isinstance(value, Value))


def _answer(section: AnswerSection, first: str) -> Answer:
    answer = Answer(
        status=None if section.status is None else _plain_or_value(section.status, first),
        fields=tuple((name.encode(), _value(value, first)) for name, value in section.headers.items()),
        body=None if section.body is None else _value(section.body, first),
        content_type=_JSON if section.content_type is None else _plain_or_value(section.content_type, first),
        challenge=section.challenge,
        log=tuple((name, _value(value, first)) for name, value in section.log.items()),
        may_fault_with_401=section.fault_may_answer_401_for_legacy_clients,
        calls=tuple(section.calls or ()),
    )
    return replace(answer, asking=tuple(value for value in _values(answer) if value.asks))


def _plain_or_value(section: AnswerValueSection, first: str) -> Any:
    return section.constant if section.origin == "constant" else _value(section, first)


def _value(section: AnswerValueSection, first: str) -> Value:
    if section.refusal is not None:
        return Value(Origin.REFUSAL, path=(section.refusal,))
    return compile_value(section, first)
