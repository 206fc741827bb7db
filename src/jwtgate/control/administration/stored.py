"""What operators added to the file's document, in versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwtgate.control.administration.layers import Added
from jwtgate.state.stores.registry import DocumentVersion


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store adds, and its version, 0 before the first.

    `changed` tells of each entry, named `SECTION/NAME`, the version that changed it last and when that was.
    """

    version: int = 0
    added: Added = field(default_factory=dict, repr=False)
    changed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    at: int = 0
    by: str = ""

    def after(self, added: Added, *, at: int) -> dict[str, Any]:
        """What is kept of the next version, which adds this."""
        changed = {
            f"{section}/{name}": self._changed(section, name, value, at)
            for section, names in added.items()
            for name, value in names.items()
        }
        return {"added": added, "changed": changed}

    def _changed(self, section: str, name: str, value: object, at: int) -> Mapping[str, int]:
        if self.added.get(section, {}).get(name) == value:
            return self.changed[f"{section}/{name}"]
        return {"version": self.version + 1, "at": at}


def stored_in(kept: DocumentVersion | None) -> Stored:
    """A version as a registry keeps it."""
    if kept is None:
        return Stored()
    value: Any = kept.value
    return Stored(kept.version, value["added"], value["changed"], kept.changed_at, kept.changed_by)
