"""A setting no plugin has is told of, wherever it stands; one it has is not."""

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.unread import note_unread, note_unread_of


def told(noting: Noting) -> list[str]:
    return [f"{note.place}: {note.sentence}" for note in noting.notes(())]


def test_a_setting_of_a_route_that_the_plugin_lacks_is_told_of() -> None:
    noting = Noting()
    plugins = {"jwt-auth": {"headr": "x", "header": "y", "_meta": {}}, "mine": {"a": 1}}
    note_unread({"routes": {"1": {"plugins": plugins}}, "services": {"2": {}}}, noting)
    said = "routes/1/plugins/jwt-auth/headr: the plugin jwt-auth has no such setting; it has no effect"
    assert told(noting) == [said]


def test_what_stands_on_a_caller_is_that_plugin_s_other_schema() -> None:
    noting = Noting()
    note_unread_of({"jwt-auth": {"key": "k", "hide_credentials": True}}, noting, ("consumers", "a"), of_caller=True)
    assert [line.partition(":")[0] for line in told(noting)] == ["consumers/a/jwt-auth/hide_credentials"]
