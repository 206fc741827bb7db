"""Mistakes in a document as sentences: file, line, place, cause, suggestion; all at once, in the order of lines.

What was written is quoted only when it is short text that cannot be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from jwtgate.config.checks import Mistake, Mistakes, Place, did_you_mean
from jwtgate.config.schema import is_secret, keys_at
from jwtgate.config.source import Plain, Source

_LONGEST_QUOTED = 60

_SENTENCES = {
    "missing": "is missing",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_pattern_mismatch": "has characters or a form that cannot stand here",
    "string_unicode": "holds a lone surrogate",
}


class Sentence(str):
    """A mistake as one sentence that still knows its parts: the place, and what is wrong there."""

    place: Place
    cause: str

    def __new__(cls, whole: str, place: Place, cause: str) -> Self:
        """The sentence."""
        made = super().__new__(cls, whole)
        made.place, made.cause = place, cause
        return made


def mistakes_of(error: ValidationError, data: Plain, holder: Place = ()) -> Iterator[Mistake]:
    """The mistakes pydantic found, each at its place in the document as it was written.

    `data` is the whole document, or no more of it than leads to the part that was looked at, which is at `holder`.
    """
    for details in error.errors(include_url=False, include_input=False):
        cause = (details.get("ctx") or {}).get("error")
        if isinstance(cause, Mistakes):
            yield from (Mistake(_place_in(data, place), text) for place, text in cause.mistakes)
            continue
        place = _place_in(data, (*holder, *details["loc"]))
        yield Mistake(place, _sentence(details, place, data))


def sentences(mistakes: Iterable[Mistake], source: Source, added: frozenset[Place] = frozenset()) -> tuple[str, ...]:
    """One sentence for each mistake, in the order of their lines, none of them twice.

    What stands at the places `added` is not in the file; its sentences come last.
    """
    once = dict.fromkeys(mistakes)
    of_store = [mistake for mistake in once if {mistake.place[:2], mistake.place[:3]} & added]
    placed = sorted(
        ((source.line(mistake.place), *mistake) for mistake in once if mistake not in of_store),
        key=lambda each: each[0],
    )
    return (
        *(Sentence(f"{source.name}:{line}: {shown(place)}: {text}", place, text) for line, place, text in placed),
        *(Sentence(f"{shown(place)} (store): {text}", place, text) for place, text in of_store),
    )


def shown(place: Place) -> str:
    """A place as people write it: `routes.orders.issue[0].copy`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(c if c.isprintable() else "?" for c in text.removeprefix("."))[:300] or "the document"


def _place_in(data: Plain, place: Place) -> Place:
    """The part of a place that stands in the document: shorthand leaves out steps the models have."""
    kept: list[str | int] = []
    for index, step in enumerate(place):
        if isinstance(data, dict):
            if isinstance(step, str) and step in data:
                data = data[step]
            elif index < len(place) - 1 or not isinstance(step, str) or step == "[key]":
                continue
            kept.append(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
            kept.append(step)
    return tuple(kept)


def _sentence(details: ErrorDetails, place: Place, data: Plain) -> str:
    kind, context = details["type"], details.get("ctx") or {}
    if kind == "extra_forbidden":
        return f"is no key of this section{did_you_mean(str(place[-1]), keys_at(place[:-1]))}"
    if kind == "literal_error":
        expected = context["expected"]
        return f"must be {expected}{_quoted(place, data)}"
    if kind == "value_error":
        return f"{context['error']}{_quoted(place, data)}"
    if kind == "string_pattern_mismatch":
        return f"{_SENTENCES[kind]}{_quoted(place, data)}"
    if kind in ("greater_than_equal", "greater_than"):
        return f"must be {'at least' if 'ge' in context else 'more than'} {context.get('ge', context.get('gt'))}"
    if kind == "less_than_equal":
        return f"must be at most {context['le']}"
    return _SENTENCES.get(kind, "cannot be used here")


def _quoted(place: Place, data: Plain) -> str:
    """What stands at a place, in brackets: short text as it was written, and never where a secret may stand."""
    value = data
    for step in place:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
    if not isinstance(value, str) or len(value) > _LONGEST_QUOTED or not value.isprintable():
        return ""
    return "" if _may_be_secret(place) else f" (not {value!r})"


def _may_be_secret(place: Place) -> bool:
    """Whether what stands at this place may be a secret: what is marked so, and constant values for the upstream."""
    constant = place[:1] == ("routes",) and any(part in place[2:] for part in ("headers", "add", "set"))
    return constant or place[:2] == ("signing", "profiles") or place[:1] == ("consumers",) or is_secret(place)
