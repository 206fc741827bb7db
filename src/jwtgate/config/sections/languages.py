"""Expression languages that installed packages bring: entry points of the group `jwtgate.expressions`.

Only those a document names are loaded, while it is read. What an entry point leads to is a function
`compiled(text, given)` that gives a `KnownExpression`, or raises a `ValueError` with a sentence that says why there is
none.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from jwtgate.jose.encoding import JSON, json_bytes
from jwtgate.policy.expression import KnownExpression

GROUP = "jwtgate.expressions"
_MOST_KEPT = 4096


class Language(Protocol):
    """What an entry point leads to. `given` is JSON, what the document hands to this expression."""

    def __call__(self, text: str, given: Mapping[str, JSON]) -> KnownExpression:
        """The compiled expression. `ValueError` with a sentence when it cannot be one."""


def installed() -> Iterable[EntryPoint]:
    """The languages of this environment, not loaded."""
    return entry_points(group=GROUP)


class Languages:
    """The languages there are, each loaded when it is first named."""

    def __init__(self, installed: Callable[[], Iterable[EntryPoint]] = installed) -> None:
        self._installed = installed
        self._loaded: dict[str, Language] = {}
        self._compiled: dict[tuple[str, str, bytes], KnownExpression] = {}

    def compiled(self, language: str, text: str, given: Mapping[str, JSON]) -> KnownExpression:
        """The expression, one for all that write it. `ValueError` with a sentence when there is none."""
        written = (language, text, json_bytes(given))
        found = self._compiled.get(written)
        if found is None:
            if len(self._compiled) >= _MOST_KEPT:
                self._compiled.clear()
            found = self._compiled[written] = _made(language, self._language(language), text, given=given)
        return found

    def _language(self, name: str) -> Language:
        if name not in self._loaded:
            self._loaded[name] = _load(name, list(self._installed()))
        return self._loaded[name]


def _made(name: str, language: Language, text: str, *, given: Mapping[str, JSON]) -> KnownExpression:
    """The expression, which workers can be sent. `ValueError` with its own sentence, or with one of ours."""
    try:
        made = language(text, given)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"is of the language {name!r}, which failed: {error!r}") from error
    if not callable(made) or not isinstance(getattr(made, "text", None), str):
        raise ValueError(  # noqa: TRY004 - a mistake of whoever wrote the document
            f"is of the language {name!r}, which gives no expression: {type(made).__name__}"
        )
    try:
        pickle.dumps(made)
    except Exception as error:
        raise ValueError(
            f"is of the language {name!r}, which gives nothing that can be sent to another process: {error!r}"
        ) from error
    return made


INSTALLED = Languages()
"""The languages of this environment."""


def _load(name: str, found: list[EntryPoint]) -> Language:
    named = [each for each in found if each.name == name]
    if not named:
        others = ", ".join(sorted({each.name for each in found})) or "none"
        raise ValueError(
            f"names the language {name!r}, which is not installed: it needs a package with an entry point of this name "
            f"in the group {GROUP!r}; there are: {others}"
        )
    if len(named) > 1:
        origins = ", ".join(sorted(each.value for each in named))
        raise ValueError(f"names the language {name!r}, which several packages offer: {origins}")
    try:
        language = named[0].load()
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"names the language {name!r} ({named[0].value}), which cannot be loaded: {error!r}"
        ) from error
    if not callable(language):
        raise ValueError(  # noqa: TRY004 - a mistake of whoever wrote the document
            f"names the language {name!r} ({named[0].value}), which is no function"
        )
    checked: Language = language
    return checked
