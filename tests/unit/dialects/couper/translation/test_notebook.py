from __future__ import annotations

from tests.unit.dialects.couper.translated import draft, text, translate

from jwtgate.dialects.dialect import Meaning, Note


def test_every_setting_has_a_note_with_its_place() -> None:
    places = {note.place for note in translate(text()).notes}
    assert 'couper.hcl:3 endpoint "/p"/access_control' in places
    assert 'couper.hcl:9 jwt "J"/signature_algorithm' in places
    assert 'couper.hcl:9 jwt "J"/key' in places
    assert not any(place.endswith("/label") for place in places)


def test_the_first_thing_that_is_said_of_a_place_stands() -> None:
    notes = draft(text()).notes
    place = 'couper.hcl:9 jwt "J"/key'
    notes.changed(place, "One.")
    notes.refused(place, "Two.")
    assert [each for each in notes.notes() if each.place == place] == [Note(place, Meaning.CHANGED, "One.")]


def test_what_is_no_setting_comes_last() -> None:
    notes = draft(text()).notes
    notes.dangerous("elsewhere", "Look.")
    assert notes.notes()[-1] == Note("elsewhere", Meaning.EXACT, "Look.", dangerous=True)


def test_what_couper_itself_warns_of_is_told() -> None:
    found = translate(
        text(definitions='jwt "J" {\n signature_algorithm = "HS256"\n key = "k"\n header = "Authorization"\n }')
    )
    (warning,) = [note for note in found.notes if note.place == "couper"]
    assert warning.meaning is Meaning.CHANGED
    assert "J" in warning.sentence
