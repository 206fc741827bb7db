"""Plug-ins that add claims to issued tokens: entry points of the group `jwtgate.claims`.

Only those a document names are loaded, while a generation is built (SEC-163). A plug-in is one class with two
methods, `standard_claims(context)` and `custom_claims(context)`, which may be called from several threads at once. What
it waits for, its request waits for. One a document gives something is made with that; it may raise `ConfigError`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from jwtgate.errors import ConfigError, DependencyFault
from jwtgate.jose.encoding import JSON, json_bytes, parse_json_object
from jwtgate.policy.facts import NeedClaims
from jwtgate.policy.rooms.issue import OURS
from jwtgate.policy.sources import ClaimGenerator

GROUP = "jwtgate.claims"
MOST_CLAIMS_BYTES = 64 * 1024
_METHODS = ("standard_claims", "custom_claims")
_NEVER_GENERATED = OURS | {"aud"}


class MakesClaims(Protocol):
    """What the class behind an entry point offers. `context` is JSON, and the plug-in's own copy of it."""

    def standard_claims(self, context: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """The claims that stand first."""

    def custom_claims(self, context: Mapping[str, JSON]) -> Mapping[str, JSON] | None:
        """The claims that stand where the others leave room; None for none."""


def installed() -> Iterable[EntryPoint]:
    """The plug-ins of this environment, not loaded."""
    return entry_points(group=GROUP)


class ClaimGenerators:
    """These plug-ins, each made once; a name alone is that of one. `ConfigError` names all that cannot be used."""

    def __init__(
        self, named: Iterable[str | ClaimGenerator], *, installed: Callable[[], Iterable[EntryPoint]] = installed
    ) -> None:
        every = (ClaimGenerator(each, each) if isinstance(each, str) else each for each in named)
        wanted = {each.name: each for each in every}
        found = list(installed()) if wanted else []
        self._generators: dict[str, MakesClaims] = {}
        problems: list[str] = []
        for each in sorted(wanted.values(), key=lambda each: each.name):
            try:
                self._generators[each.name] = _load(each, found)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(*problems)

    def generate(self, need: NeedClaims) -> Mapping[str, JSON]:
        """The claims of this plug-in: its standard ones, and its custom ones where those leave room.

        Claims that are the gateway's own are left out. `DependencyFault("claims_not_generated")` when the plug-in
        raises, or gives anything but claims.
        """
        generator = self._generators.get(need.generator)
        if generator is None:
            raise DependencyFault("claims_not_generated", generator=need.generator, cause="it is not loaded")
        try:
            context = {name: _copied(value) for name, value in need.context.items()}
            standard = _claims(generator.standard_claims(context))
            custom = generator.custom_claims(context)
            claims = standard if custom is None else {**_claims(custom), **standard}
        except (Exception, SystemExit) as error:
            # Its text is not ours to log: it may quote a claim.
            cause = type(error).__name__
            raise DependencyFault("claims_not_generated", generator=need.generator, cause=cause) from None
        return {name: value for name, value in claims.items() if name not in _NEVER_GENERATED}


def _load(wanted: ClaimGenerator, found: Iterable[EntryPoint]) -> MakesClaims:
    name = wanted.plug_in
    named = [each for each in found if each.name == name]
    if not named:
        others = ", ".join(sorted({each.name for each in found})) or "none"
        raise ConfigError(
            f"The claim generator {name!r} is not installed: install a package with an entry point of this name in the "
            f"group {GROUP!r} beside jwtgate. Installed: {others}."
        )
    if len(named) > 1:
        origins = ", ".join(sorted(each.value for each in named))
        raise ConfigError(
            f"The claim generator {name!r} is offered by several packages: {origins}. Uninstall all but one."
        )
    try:
        made = named[0].load()
        generator = made() if wanted.given is None else made(_copied(dict(wanted.given)))
    except ConfigError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigError(f"The claim generator {name!r} ({named[0].value}) cannot be loaded: {error!r}.") from error
    lacking = [method for method in _METHODS if not _is_method(getattr(generator, method, None))]
    if lacking:
        raise ConfigError(f"The claim generator {name!r} ({named[0].value}) lacks the method {' and '.join(lacking)}.")
    checked: MakesClaims = generator
    return checked


def _is_method(value: object) -> bool:
    # An `async` method would give something to wait for instead of claims, each time.
    return callable(value) and not inspect.iscoroutinefunction(value)


def _copied(value: JSON) -> JSON:
    """What a plug-in may change without changing what the gateway knows."""
    if isinstance(value, Mapping):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value


def _claims(given: object) -> dict[str, JSON]:
    """The claims as JSON of our own. `TypeError` or `ValueError` when they are none."""
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise TypeError("not a mapping of names")
    return parse_json_object(json_bytes(dict(given)), limit_bytes=MOST_CLAIMS_BYTES)
