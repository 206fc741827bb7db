"""Everything that is wrong with a configuration, in the two forms Couper's users know, all at once."""

from __future__ import annotations

from jwtgate.dialects.couper.reading.configuration import Place
from jwtgate.errors import ConfigError


class Mistakes:
    """What was found so far."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, int, int]] = {}
        self._causes: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def at(self, place: Place, text: str, *, detail: str = "") -> None:
        """Note what is wrong at this place; the line begins with it."""
        self._note(place, f"{place}: {text}; {detail}")

    def of(self, label: str, text: str, *, place: Place) -> None:
        """Note what is wrong with the block of this label, which stands there."""
        self._note(place, f"{place}: configuration error: {label}: {text}")

    def whole(self, text: str, *, place: Place) -> None:
        """Note what is wrong with the configuration as a whole."""
        self._note(place, f"{place}: configuration error: {text}")

    def cause(self, sentence: str) -> None:
        """Note what is no mistake, but may well be why there is one."""
        self._causes.setdefault(sentence)

    def error(self) -> ConfigError:
        """All of them, in the order of their places, and what may have caused them."""
        return ConfigError(*sorted(self._found, key=self._found.__getitem__), *self._causes)

    def _note(self, place: Place, line: str) -> None:
        self._found.setdefault(line, (place.file, place.line, place.column))
