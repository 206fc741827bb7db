"""What one file of settings says: values by the names of options, with their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.errors import ConfigError


@dataclass(slots=True)
class Said:
    """What a file says. `notes` are sentences about what has no effect, `mistakes` what stops it from being used."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    issuers: list[Mapping[str, Any]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    def set(self, option: str, value: Any, place: str) -> None:
        """Note the value of an option, which stands here."""
        self.values[option] = value
        self.places[option] = place

    def note(self, place: str, sentence: str) -> None:
        """Note what has no effect."""
        self.notes.append((place, sentence))

    def stop_at_mistakes(self) -> None:
        """`ConfigError` with all of them, if there are any."""
        if self.mistakes:
            raise ConfigError(*self.mistakes)
