"""Expressions of a configuration as values: constants where nothing varies, else in their own language."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from jwtgate.dialects.couper.expressions.language import Needed, evaluated_statically, given_needed, members_of
from jwtgate.dialects.couper.reading.configuration import Text
from jwtgate.dialects.couper.translation.draft import Draft, Section
from jwtgate.dialects.dialect import as_name, literal, literals

LANGUAGE = "couper"
_NOBODY = frozenset[str]()
_FIRST_STATUS, _LAST_STATUS = 200, 599


class Varies(Enum):
    """What an expression is that cannot be worked out while a configuration is read."""

    VARIES = "varies"


VARIES = Varies.VARIES


@dataclass(frozen=True, slots=True)
class Around:
    """Where an expression stands: the access controls that come before, the calls it may read by Couper's names.

    `permission` is the `required_permission` that handlers may read.
    """

    labels: tuple[str, ...] = ()
    calls: Mapping[str, str] = field(default_factory=dict)
    permission: Text | None = None


def constant_of(draft: Draft, text: Text) -> Any:
    """The value of an expression that looks at nothing of a request; `VARIES` for another, or one that fails."""
    needed = given_needed(text.source)
    if needed.of_request or needed.body or needed.slots or needed.profiles or needed.calls:
        return VARIES
    configuration = draft.configuration
    try:
        return evaluated_statically(text.source, configuration.environ, environment=configuration.environment or "")
    except ValueError:
        return VARIES


def value_of(draft: Draft, text: Text, around: Around) -> Section:
    """The expression as a value."""
    needed = given_needed(text.source)
    if needed.env == _NOBODY:
        constant = constant_of(draft, text)
        if constant is not VARIES:
            return {"constant": literals(constant)}
    given = given_of(draft, needed, around)
    place = text.place
    given["place"] = literal(f"{place.file}:{place.line},{place.column}")
    return {"language": LANGUAGE, "expression": text.source, "given": given}


def whole_status(text: Text | None) -> Text | None:
    """The status of a `response`: 200 where the expression has no value; also a text of digits is a number."""
    return None if text is None else Text(f"to_number(default({text.source}, 200))", text.place)


def status_of(draft: Draft, text: Text, around: Around) -> Any:
    """A status as a number, else as a value; None for none. What no status can be is found out with the request."""
    constant = constant_of(draft, text)
    if constant is VARIES:
        return value_of(draft, text, around)
    if isinstance(constant, int | float) and constant in range(_FIRST_STATUS, _LAST_STATUS + 1):
        return int(constant)
    return None if constant is None else special(source_of(constant))


def special(expression: str, **given: Any) -> Section:
    """One of the words of the language that are no expressions of Couper's."""
    return {"language": LANGUAGE, "expression": expression, **({"given": given} if given else {})}


def given_of(draft: Draft, needed: Needed, around: Around) -> Section:
    """What an expression that looks at this has to be given."""
    given: Section = {}
    profiles = _wanted(needed.profiles, draft.profiles)
    for profile in profiles:
        for part in ("claims", "headers"):
            if part in draft.profiles[profile]:
                needed = _with(needed, given_needed(draft.profiles[profile][part]))
    environ = _environ(draft, needed.env)
    slots = {label: as_name(label) for label in _wanted(needed.slots, around.labels)}
    calls = {name: around.calls[name] for name in _wanted(needed.calls, around.calls)}
    held = {"env": environ, "slots": slots, "calls": calls}
    given |= {name: value for name, value in held.items() if value}
    if profiles:
        given["profiles"] = {label: literals(draft.profiles[label]) for label in profiles}
    if needed.environment and draft.configuration.environment is not None:
        given["environment"] = literal(draft.configuration.environment)
    if needed.required_permission and around.permission is not None:
        given["required_permission"] = literal(around.permission.source)
    return given


def _wanted(names: frozenset[str] | None, there: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in there if names is None or name in names)


def _with(one: Needed, other: Needed) -> Needed:
    """What both need together."""
    return Needed(
        env=_both(one.env, other.env),
        slots=_both(one.slots, other.slots),
        profiles=_both(one.profiles, other.profiles),
        calls=_both(one.calls, other.calls),
        body=one.body or other.body,
        of_request=one.of_request or other.of_request,
        required_permission=one.required_permission or other.required_permission,
        environment=one.environment or other.environment,
    )


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other


def _environ(draft: Draft, names: frozenset[str] | None) -> dict[str, str]:
    """Variables as references; what only the defaults of the configuration say as it stands."""
    environ = draft.configuration.environ
    wanted = environ if names is None else sorted(names & environ.keys())
    own = draft.settings.environ
    return {name: f"${{env:{name}}}" if own.get(name) == environ[name] else literal(environ[name]) for name in wanted}


def reference_of(draft: Draft, text: Text) -> str | None:
    """The reference to the one variable this expression is; None for another, or one that the defaults set."""
    name = text.source.strip().removeprefix("env.")
    if f"env.{name}" != text.source.strip() or name not in draft.settings.environ:
        return None
    return f"${{env:{name}}}"


def reads_body(texts: Iterable[Text | None]) -> bool:
    """Whether one of these expressions looks at the body of the request."""
    return any(given_needed(text.source).body for text in texts if text is not None)


def members(draft: Draft, text: Text | None, place: str) -> dict[str, Text]:
    """The members of an object by their names; what is no literal with fixed names is refused."""
    if text is None:
        return {}
    found = members_of(text.source)
    if found is not None:
        return {name: Text(source, text.place) for name, source in found.items()}
    constant = constant_of(draft, text)
    if isinstance(constant, dict):
        return {name: Text(source_of(value), text.place) for name, value in constant.items()}
    if constant is not None:
        draft.notes.refused(place, "Its names must stand in it: { name = value }, and no other expression.")
    return {}


def source_of(value: Any) -> str:
    """A plain value as the source of an expression."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def listed(items: Iterable[Text], place: Text) -> Text:
    """The expression of a list of these, and of the elements of those that are lists."""
    return Text(f"merge({', '.join(f'({item.source})[*]' for item in items)})", place.place)
