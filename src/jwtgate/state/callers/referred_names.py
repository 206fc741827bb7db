"""What credentials are found by whose names or API keys are kept elsewhere.

Such a credential waits until its reference leads somewhere, and nobody finds it before. What a reference says itself is
never a name.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from jwtgate.errors import ConfigError
from jwtgate.policy.callers import API_KEY, api_key_name
from jwtgate.policy.sources import ConsumerSource

Resolve = Callable[[str], str]

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Referring:
    """One credential, and the text whose reference leads to what it is found by."""

    consumer: str
    credential: str
    text: str = field(repr=False)
    is_api_key: bool


_Place = tuple[str, str]


class ReferredNames:
    """All of them. Not for several threads at once.

    `resolve` is asked again when it is another one than before, when `forget` was called, and by `try_again`.
    """

    def __init__(self, sources: Iterable[ConsumerSource] = ()) -> None:
        self._all: dict[_Place, Referring] = {}
        self._untried: dict[_Place, Referring] = {}
        self._waiting: dict[_Place, Referring] = {}
        self._found: dict[str, Referring] = {}
        self._resolve: Resolve | None = None
        for source in sources:
            self.add(source)

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that are referred by, once each."""
        return tuple(dict.fromkeys(each.text for each in self._all.values()))

    @property
    def waiting(self) -> tuple[str, ...]:
        """The texts of those that led nowhere when they were tried last, once each."""
        return tuple(dict.fromkeys(each.text for each in self._waiting.values()))

    def add(self, source: ConsumerSource) -> None:
        """Know the credentials of this consumer, which is a new one."""
        for each in source.credentials:
            if each.refers is not None:
                consumer = source.consumer.name
                referring = Referring(consumer, each.name, each.refers, each.is_api_key)
                self._all[consumer, each.name] = self._untried[consumer, each.name] = referring

    def remove(self, consumer: str) -> None:
        """Forget the credentials of this consumer."""
        for place in [place for place in self._all if place[0] == consumer]:
            gone = self._all.pop(place)
            self._untried.pop(place, None)
            self._waiting.pop(place, None)
            self._found = {name: each for name, each in self._found.items() if each is not gone}

    def forget(self) -> None:
        """Ask for all of them anew: what references lead to may have changed."""
        self._untried, self._waiting, self._found = dict(self._all), {}, {}

    def find(self, name: str, resolve: Resolve) -> Referring | None:
        """The credential that is found by this name, or None. The first of several in the order of their consumers."""
        if not self._all:
            return None
        if resolve != self._resolve:
            self._resolve = resolve
            self.forget()
        if self._untried:
            problems = self._try(self._untried)
            if problems:
                _log.warning("%d credentials wait for what they are found by: %s", len(problems), problems[0])
        return self._found.get(name)

    def try_again(self, resolve: Resolve) -> bool:
        """Whether something that was waited for is there now."""
        if resolve != self._resolve or not self._waiting:
            return False
        before = len(self._found)
        self._try(self._waiting)
        found = len(self._found) - before
        if found:
            _log.info("%d credentials can be found now", found)
        return found > 0

    def _try(self, trying: dict[_Place, Referring]) -> list[str]:
        assert self._resolve is not None  # noqa: S101 - there is one as soon as something was looked for
        trying, problems = dict(trying), []
        for place, each in trying.items():
            self._untried.pop(place, None)
            self._waiting[place] = each
            try:
                name = _name(each, self._resolve(each.text))
            except ConfigError as error:
                problems.append(f"consumer {each.consumer!r}, credential {each.credential!r}: {error.problems[0]}")
                continue
            if self._found.setdefault(name, each) is each:
                del self._waiting[place]
            else:
                problems.append(
                    f"consumer {each.consumer!r}, credential {each.credential!r}: "
                    f"the consumer {self._found[name].consumer!r} is found so already"
                )
        return problems


def _name(each: Referring, value: str) -> str:
    if each.is_api_key:
        if not value:
            raise ConfigError("The API key is empty.")
        return api_key_name(value)
    if not _NAME.fullmatch(value) or value.startswith(API_KEY):
        raise ConfigError("What its reference leads to is no name of a credential.")
    return value
