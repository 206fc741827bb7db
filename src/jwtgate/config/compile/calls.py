"""The calls of a route, as the plan has them."""

from __future__ import annotations

from collections.abc import Mapping

from jwtgate.config.compile.issued import compile_value
from jwtgate.config.sections.traffic.calls import CallSection
from jwtgate.config.sections.values import ValueSection
from jwtgate.policy.calls.call import BodyForm, Call
from jwtgate.policy.provisions import Origin, Value
from jwtgate.policy.traffic.upstreams import Upstream


def compile_call(name: str, section: CallSection, first: str, *, upstreams: Mapping[str, Upstream]) -> Call:
    """What is asked of an upstream. `first` is the slot meant where none is named."""
    forms = ((section.body, BodyForm.TEXT), (section.json_body, BodyForm.JSON), (section.form, BodyForm.FORM))
    body, form = next((each for each in forms if each[0] is not None), (None, BodyForm.TEXT))
    return Call(
        name=name,
        upstream=upstreams[section.upstream],
        path=_or_constant(section.path, "/", first),
        query=None if section.query is None else compile_value(section.query, first),
        method=_or_constant(section.method, "GET" if body is None else "POST", first),
        fields=tuple((field.encode(), compile_value(value, first)) for field, value in section.headers.items()),
        body=None if body is None else compile_value(body, first),
        form=form,
        passed_on=section.passes_request_fields,
        for_answers=section.for_answers,
        expected=frozenset(section.expected_status or ()),
        seconds=section.timeout_seconds,
        most_bytes=section.most_bytes,
    )


def _or_constant(section: ValueSection | None, otherwise: str, first: str) -> Value:
    return Value(Origin.CONSTANT, constant=otherwise) if section is None else compile_value(section, first)
