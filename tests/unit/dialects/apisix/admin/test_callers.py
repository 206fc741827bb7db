from __future__ import annotations

import pytest
from tests.unit.dialects.apisix.admin.talking import NOON, Client, settings

from jwtgate.dialects.apisix.at_rest import encrypted_text
from jwtgate.dialects.apisix.settings import PUBLIC_KEYRING

JACK = {"username": "jack", "plugins": {"jwt-auth": {"key": "jack-key", "secret": "my-secret-key"}}}
KEY_AUTH = {"plugins": {"key-auth": {"key": "a-key"}}}
PLUGINS_FAILED = 'invalid configuration: property "plugins" validation failed:'
MISSING = (404, {"message": "Key not found"})


def test_a_consumer_is_named_in_its_body() -> None:
    client = Client()
    status, told = client("PUT", "/consumers", JACK)
    assert (status, told["key"], told["value"]["create_time"]) == (201, "/apisix/consumers/jack", NOON)
    assert client("PUT", "/consumers/jack", JACK)[0] == 200
    assert client.error("PUT", "/consumers/rose", JACK) == (400, "wrong username")


def test_a_secret_is_told_encrypted_and_shown_clear() -> None:
    client = Client(settings=settings(keyring=PUBLIC_KEYRING))
    told = client.made("/consumers", JACK)["value"]["plugins"]["jwt-auth"]
    assert told["secret"] == encrypted_text("my-secret-key", PUBLIC_KEYRING) == "kK0lkbzXrE7aiTiyK/Z0Sw=="
    shown = client("GET", "/consumers/jack")[1]["value"]["plugins"]["jwt-auth"]
    assert shown == JACK["plugins"]["jwt-auth"]  # type: ignore[index]


def test_a_secret_that_is_needed_is_made() -> None:
    client = Client()
    client.made("/consumers", {"username": "jack", "plugins": {"jwt-auth": {"key": "jack-key", "exp": 30}}})
    shown = client("GET", "/consumers/jack")[1]["value"]["plugins"]["jwt-auth"]
    assert (shown.keys(), len(shown["secret"])) == ({"key", "exp", "secret"}, 44)


def test_where_it_is_strict_a_secret_that_is_needed_is_asked_for() -> None:
    client = Client(settings=settings(strict=True))
    without = {"jwt-auth": {"key": "jack-key"}}
    refusal = (
        400,
        "invalid plugins configuration: failed to check the configuration of plugin jwt-auth err: "
        'property "secret" is required when using HS based algorithms',
    )
    assert client.error("PUT", "/consumers", {"username": "jack", "plugins": without}) == refusal
    client.made("/consumers", JACK)
    assert client.error("PUT", "/consumers/jack/credentials/c", {"plugins": without}) == refusal
    client.made("/consumers/jack/credentials/c", KEY_AUTH)


def test_consumers_are_listed_without_their_credentials() -> None:
    client = Client()
    for name in ("jack", "rose"):
        client.made("/consumers", {"username": name})
    client.made("/consumers/jack/credentials/c", KEY_AUTH)
    told = client("GET", "/consumers")[1]
    assert [each["key"] for each in told["list"]] == ["/apisix/consumers/jack", "/apisix/consumers/rose"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("path", "kind"), [("/consumers", "consumer"), ("/consumers/jack/credentials/c", "credential")]
)
def test_a_caller_is_written_as_a_whole(method: str, path: str, kind: str) -> None:
    assert Client().error(method, path, JACK) == (405, f"not supported `{method}` method for {kind}")


def test_a_deleted_consumer_takes_its_credentials_along() -> None:
    client = Client()
    client.made("/consumers", JACK)
    client.made("/consumers/jack/credentials/c", KEY_AUTH)
    assert client("DELETE", "/consumers/jack") == (200, {"deleted": "1", "key": "/apisix/consumers/jack"})
    assert client("DELETE", "/consumers/jack") == client("GET", "/consumers/jack") == MISSING
    client.made("/consumers", JACK)
    assert client("GET", "/consumers/jack/credentials/c") == client("GET", "/consumers/jack/credentials") == MISSING


def test_a_changed_consumer_keeps_its_credentials_and_its_time() -> None:
    client = Client()
    client.made("/consumers", JACK)
    client.made("/consumers/jack/credentials/c", KEY_AUTH)
    client.now += 9
    value = client.made("/consumers", {**JACK, "desc": "x"})["value"]
    assert (value["create_time"], value["update_time"]) == (NOON, NOON + 9)
    assert client("GET", "/consumers/jack/credentials/c")[0] == 200


def test_a_credential_is_told_of_below_its_consumer() -> None:
    client = Client()
    client.made("/consumers", {"username": "jack"})
    status, told = client("PUT", "/consumers/jack/credentials", {"id": "c", **KEY_AUTH})
    assert (status, told["key"], told["value"]["id"]) == (201, "/apisix/consumers/jack/credentials/c", "c")
    assert client("PUT", "/consumers/jack/credentials/c", KEY_AUTH)[0] == 200
    assert client("GET", "/consumers/jack/credentials/c")[1]["value"]["plugins"] == KEY_AUTH["plugins"]
    assert client("GET", "/consumers/jack/credentials")[1]["total"] == 1
    gone = {"deleted": "1", "key": "/apisix/consumers/jack/credentials/c"}
    assert client("DELETE", "/consumers/jack/credentials/c") == (200, gone)
    assert client("DELETE", "/consumers/jack/credentials/c") == client("GET", "/consumers/jack/credentials") == MISSING


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/consumers/jack/credentials", KEY_AUTH, (400, "missing credential id")),
        ("/consumers/jack/credentials/c", {"id": "d", **KEY_AUTH}, (400, "wrong credential id")),
        ("/consumers/tom/credentials/c", KEY_AUTH, (404, "consumer not found")),
        (
            "/consumers/jack/credentials/c",
            {"plugins": {"limit-count": {"count": 1, "time_window": 1}}},
            (400, "only supports auth type plugins in consumer credential"),
        ),
        (
            "/consumers/jack/credentials/c",
            {"plugins": {"key-auth": {"key": "a"}, "jwt-auth": {"key": "a"}}},
            (400, f"{PLUGINS_FAILED} expect object to have at most 1 properties"),
        ),
    ],
)
def test_a_credential_has_its_own_rules(path: str, value: object, expected: tuple[int, str]) -> None:
    client = Client()
    client.made("/consumers", {"username": "jack"})
    assert client.error("PUT", path, value) == expected
    assert client("GET", "/consumers/jack/credentials") == MISSING


def test_mistakes_in_plugins_are_told_as_they_are_known() -> None:
    prefix = "invalid plugins configuration: failed to check the configuration of plugin jwt-auth err: "
    value = {"username": "jack", "plugins": {"jwt-auth": {}}}
    assert Client().error("PUT", "/consumers", value) == (400, prefix + 'property "key" is required')


def test_a_group_changes_its_consumers_with_it_and_is_not_deleted_under_them() -> None:
    client = Client()
    limit = {"count": 1, "time_window": 30}
    client.made("/consumer_groups/g", {"plugins": {"limit-count": limit}})
    client.made("/consumers", {**JACK, "group_id": "g"})
    before = client.desk.people["jack"]["rate_limit"]
    assert client("PATCH", "/consumer_groups/g/plugins/limit-count/count", 7)[0] == 200
    assert (before["requests"], client.desk.people["jack"]["rate_limit"]["requests"]) == (1, 7)
    sentence = "can not delete this consumer group, consumer [jack] is still using it now"
    assert client.error("DELETE", "/consumer_groups/g") == (400, sentence)
    assert client("DELETE", "/consumer_groups/g?force=true")[0] == 200
    assert "rate_limit" not in client.desk.people["jack"]


def test_callers_of_a_file_are_shown() -> None:
    client = Client(is_declarative=True)
    client.desk.objects = {"consumers": {"jack": JACK}, "credentials": {"jack/c": {"id": "c", **KEY_AUTH}}}
    assert client("GET", "/consumers/jack")[1]["value"] == JACK
    assert client("GET", "/consumers")[1]["total"] == 1
    assert client("GET", "/consumers/jack/credentials/c")[1]["value"] == {"id": "c", **KEY_AUTH}


def test_the_first_that_can_sign_is_told_of_before_it_is_known() -> None:
    client = Client()
    client.made("/consumers", {"username": "rose"})
    assert "signing" not in client.desk.objects
    client.made("/consumers", JACK)
    assert (client.desk.objects["signing"], client.desk.version) == (True, 1)
    client.made("/consumers", {"username": "tom", "plugins": {"jwt-auth": {"key": "tom-key"}}})
    assert client.desk.version == 1
