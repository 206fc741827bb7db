from __future__ import annotations

from tests.unit.dialects.kong.kong_yml import not_exact, note, objects, refused, service, signer, translate

from jwtgate.dialects.dialect import Meaning
from jwtgate.dialects.kong.signer_fields import CONFIG
from jwtgate.dialects.kong.translation.notebook import Notebook, label, place_of


def test_every_setting_that_says_something_has_a_note() -> None:
    places = {each.place for each in translate(service(signer(realm="R")) | {"_info": 1}).notes}
    assert {
        "services/s/host",
        "services/s/retries",
        "routes/r/paths",
        "routes/r/plugins/jwt-signer/name",
        "_info",
    } <= places
    here = "routes/r/plugins/jwt-signer/config/"
    held = objects(service(signer(realm="R")))
    (plugin,) = held["plugins"].values()
    said = {name for name, value in plugin["config"].items() if value not in (None, [], {})}
    assert {place.removeprefix(here) for place in places if place.startswith(here)} == said
    assert said < CONFIG.keys()
    assert "services/s/id" not in places


def test_what_would_be_lost_is_refused_and_what_is_for_other_tools_is_not() -> None:
    data = service(route={"filter_chains": [{"filters": []}]})
    more = {"consumer_groups": [{"name": "g"}], "consumer_group_plugins": [{}], "acls": [{}], "filter_chains": []}
    translation = translate({**data, **more})
    lost = {"consumer_groups", "consumer_group_plugins", "services[0].routes[0].filter_chains"}
    assert refused(translation) == lost
    assert not_exact(translation).keys() - lost == {"acls"}


def test_the_parts_of_an_edit_have_notes_of_their_own() -> None:
    edited = {"name": "request-transformer", "config": {"remove": {"headers": ["x-a"]}}}
    assert note(translate(service(edited)), "routes/r/plugins/request-transformer/config/remove/headers")


def test_the_first_thing_said_stands() -> None:
    book = Notebook({})
    book.changed("a", "first")
    book.refused("a", "second")
    book.dangerous("b", "third")
    assert [(each.place, each.meaning, each.sentence, each.dangerous) for each in book.notes()] == [
        ("a", Meaning.CHANGED, "first", False),
        ("b", Meaning.EXACT, "third", True),
    ]


def test_a_plugin_stands_below_what_it_belongs_to() -> None:
    held = objects(
        {
            **service({"name": "jwt"}),
            "plugins": [{"name": "jwt", "instance_name": "mine"}, {"name": "jwt", "service": "s"}],
        }
    )
    places = {place_of(held, "plugins", each) for each in held["plugins"].values()}
    assert places == {"routes/r/plugins/jwt", "plugins/mine", "services/s/plugins/jwt"}


def test_an_object_without_a_name_is_called_by_its_id() -> None:
    assert label("routes", {"name": None, "id": "u-1"}) == "u-1"
    assert label("certificates", {"id": "u-2"}) == "u-2"
