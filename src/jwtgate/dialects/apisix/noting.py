"""What became of every setting, collected while objects are translated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jwtgate.dialects.dialect import Meaning, Note

Place = tuple[str, ...]


class Noting:
    """Notes on places of the objects. What nobody has noted anything on is taken over as it stands."""

    def __init__(self) -> None:
        self._notes: dict[Place, Note] = {}
        self._unusable: set[Place] = set()

    def changed(self, place: Place, sentence: str) -> None:
        """This setting means something else here."""
        self._put(place, Note("/".join(place), Meaning.CHANGED, sentence))

    def danger(self, place: Place, sentence: str) -> None:
        """This setting is taken over as it is, and worth a second look."""
        self._put(place, Note("/".join(place), Meaning.EXACT, sentence, dangerous=True))

    def refused(self, place: Place, sentence: str) -> None:
        """This setting cannot be had here."""
        self._put(place, Note("/".join(place), Meaning.REFUSED, sentence))
        self._mark(place)

    def missing(self, place: Place, sentence: str) -> None:
        """This setting leads nowhere any more: whatever needs it cannot be served, and all else can."""
        self._put(place, Note("/".join(place), Meaning.CHANGED, sentence))
        self._mark(place)

    def _mark(self, place: Place) -> None:
        self._unusable.update(place[:end] for end in range(1, len(place) + 1))

    def _put(self, place: Place, note: Note) -> None:
        held = self._notes.get(place)
        if held is None or note.meaning is Meaning.REFUSED:
            self._notes[place] = note

    def is_unusable(self, place: Place) -> bool:
        """Whether something at this place, or below it, is refused or missing."""
        return place in self._unusable

    def notes(self, places: Iterable[Place]) -> tuple[Note, ...]:
        """The notes, and one more for each of these places that none is about, neither itself nor what is around it."""
        found = dict(self._notes)
        for place in places:
            around = (self._notes.get(place[:end]) for end in range(1, len(place)))
            if place not in found and not any(note and note.meaning is not Meaning.EXACT for note in around):
                found[place] = Note("/".join(place), Meaning.EXACT)
        return tuple(found.values())


def places(value: Any, place: Place) -> Iterator[Place]:
    """The places of the settings in this value: of plain values, and of what is empty."""
    if isinstance(value, dict | list) and value:
        for step, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*place, str(step)))
    elif place:
        yield place
