from __future__ import annotations

from dataclasses import replace

from jwtgate.dialects.kong.translation.answers import says
from jwtgate.dialects.kong.translation.part import OF_CREDENTIAL, Part, route_keys

JWT = Part(
    {"jwt": {"auth": "required"}}, answers={"token_refused": says(401, "a")}, headers=OF_CREDENTIAL, forwards=True
)
KEY = Part({"key": {"auth": "required"}}, answers={"token_refused": says(401, "b"), "fault": says(500, "c")})
SIGNER = Part({"access": {"auth": "optional"}}, issue=({"slot": "access"},))


def test_without_plugins_nobody_is_asked() -> None:
    assert route_keys([]) == {"auth": "none"}


def test_several_plugins_must_all_be_content_and_the_last_says_who_it_is() -> None:
    keys = route_keys([JWT, KEY])
    assert (keys["auth"], list(keys["slots"]), keys["forward_token"]) == ("required", ["key", "jwt"], True)
    assert (keys["answers"]["token_refused"]["body"], "fault" in keys["answers"]) == ('{"message":"a"}', True)
    assert "anonymous_consumer" not in keys


def test_an_optional_token_is_optional() -> None:
    assert route_keys([SIGNER]) == {
        "auth": "optional",
        "slots": {"access": {"auth": "optional"}},
        "issue": [{"slot": "access"}],
    }


def test_with_an_anonymous_consumer_on_each_one_is_enough() -> None:
    keys = route_keys([replace(JWT, anonymous="nobody"), replace(KEY, anonymous="nobody")])
    assert (keys["auth"], list(keys["slots"]), keys["enough"]) == ("optional", ["jwt", "key"], "one_slot")
    assert {slot["auth"] for slot in keys["slots"].values()} == {"optional"}
    assert keys["anonymous_consumer"] == "nobody"
    assert keys["anonymous_consumer_also_for_refused_tokens"]
    assert keys["answers"]["consumer_unknown"]["status"] == 500
    assert "X-Anonymous-Consumer" in keys["headers"]
    assert "enough" not in route_keys([replace(JWT, anonymous="nobody")])


def test_a_plugin_without_an_anonymous_consumer_decides_for_those_with_one() -> None:
    keys = route_keys([replace(JWT, anonymous="nobody"), KEY])
    assert (list(keys["slots"]), keys["auth"]) == (["key"], "required")
    assert "anonymous_consumer" not in keys
