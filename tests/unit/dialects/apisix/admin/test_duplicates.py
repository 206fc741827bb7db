from __future__ import annotations

import pytest
from tests.unit.dialects.apisix.admin.talking import Client


def jwt(key: str) -> dict[str, object]:
    return {"plugins": {"jwt-auth": {"key": key, "secret": "s" * 32}}}


def client() -> Client:
    made = Client()
    made.made("/consumers", {"username": "jack", **jwt("jack-key")})
    made.made("/consumers/jack/credentials/c", jwt("c-key"))
    made.made("/consumers", {"username": "rose", "plugins": {"key-auth": {"key": "rose-key"}}})
    return made


@pytest.mark.parametrize("path", ["/consumers/tom", "/consumers/rose/credentials/d"])
@pytest.mark.parametrize(
    ("key", "whose"), [("jack-key", "consumer: jack"), ("c-key", "credential: c of consumer: jack")]
)
def test_a_key_is_one_consumers_alone(path: str, key: str, whose: str) -> None:
    value = jwt(key) | ({"username": "tom"} if path.endswith("tom") else {})
    assert client().error("PUT", path, value) == (400, f"duplicate key of plugin jwt-auth found with {whose}")


def test_a_consumer_does_not_share_keys_with_its_own_credentials() -> None:
    sentence = "duplicate key of plugin jwt-auth found with "
    assert client().error("PUT", "/consumers/jack/credentials/d", jwt("jack-key")) == (400, sentence + "consumer: jack")
    told = client().error("PUT", "/consumers/jack", {"username": "jack", **jwt("c-key")})
    assert told == (400, sentence + "credential: c of consumer: jack")


def test_ones_own_key_may_be_written_again() -> None:
    assert client()("PUT", "/consumers", {"username": "jack", **jwt("jack-key")})[0] == 200
    assert client()("PUT", "/consumers/jack/credentials/c", jwt("c-key"))[0] == 200


def test_an_api_key_is_compared_as_well() -> None:
    value = {"username": "tom", "plugins": {"key-auth": {"key": "rose-key"}}}
    assert client().error("PUT", "/consumers", value) == (
        400,
        "duplicate key of plugin key-auth found with consumer: rose",
    )


def test_what_refers_to_a_key_is_not_compared() -> None:
    made = client()
    made.desk.people["jack"]["credentials"]["jwt-auth"]["named"] = "${env:KEY}"
    assert made("PUT", "/consumers", {"username": "tom", **jwt("$ENV://KEY")})[0] == 201


def test_a_key_of_somebody_nobody_wrote_here_is_refused_by_the_node() -> None:
    made = client()
    del made.desk.people["jack"]["annotations"]
    status, message = made.error("PUT", "/consumers", {"username": "tom", **jwt("jack-key")})
    assert (status, "duplicate key" in message) == (400, False)


def test_keys_of_others_are_looked_up_and_not_searched_for() -> None:
    made = client()
    made.desk.asked.clear()
    made.made("/consumers", {"username": "tom", **jwt("tom-key")})
    assert set(made.desk.asked) == {"tom"}
