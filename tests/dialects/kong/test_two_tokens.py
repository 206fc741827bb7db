"""Two tokens at once, one introspected and one verified: scenarios E3 and E4."""

from __future__ import annotations

import time

import pytest
from tests.dialects.kong.kong_process import Answer, KongProcess, curl
from tests.dialects.kong.neighbours import AS_SECRET, ISS, OTHER_KEY, Neighbours, token
from tests.dialects.kong.seen import new_token, values, verified
from tests.integration.rig import LATER


@pytest.fixture
def both(kong: KongProcess, neighbours: Neighbours) -> KongProcess:
    """The gateway with scenario E3's plug-in, and the opaque token `opaque-one`."""
    kong.signer(
        f"config.access_token_introspection_endpoint={neighbours.introspection}",
        f"config.access_token_introspection_authorization={AS_SECRET}",
        f"config.channel_token_jwks_uri={neighbours.certs}",
        "config.channel_token_request_header=X-JWT-channel-client",
        "config.channel_token_upstream_header=X-JWT-channel-upstream",
        both_tokens=True,
    )
    neighbours.opaque["opaque-one"] = {"active": True, "sub": "user", "exp": int(time.time()) + 300}
    return kong


def _asked(kong: KongProcess, *fields: str) -> Answer:
    lines = [part for field in fields for part in ("--header", field)]
    return curl("--request", "GET", "--insecure", "--url", f"{kong.tls_proxy}/demo", *lines)


def test_e3_settings_for_both_tokens_stand_side_by_side(both: KongProcess) -> None:
    (plugin,) = both.send("GET", "/plugins").value["data"]
    config = plugin["config"]
    assert config["channel_token_request_header"] == "X-JWT-channel-client"
    assert config["access_token_introspection_authorization"] == AS_SECRET
    assert (config["access_token_optional"], config["channel_token_optional"]) == (False, False)


def test_e4_both_tokens_are_signed_again(both: KongProcess) -> None:
    channel = token(sub="network")
    answer = _asked(both, "Authorization: Bearer opaque-one", f"X-JWT-channel-client: {channel}")
    assert verified(both, new_token(answer))["sub"] == "user"
    (second,) = values(answer, "x-jwt-channel-upstream")
    assert " " not in second
    of_channel = verified(both, second)
    assert (of_channel["sub"], of_channel["iss"], of_channel["original_iss"]) == ("network", "kong", ISS)
    assert values(answer, "x-jwt-channel-client") == []
    assert channel not in answer.body


@pytest.mark.parametrize(
    ("access", "channel"),
    [
        (None, token(exp=LATER)),
        ("opaque-one", None),
        ("unknown", token(exp=LATER)),
        ("opaque-one", token(OTHER_KEY, exp=LATER)),
        ("opaque-one", "opaque-one"),
        (None, None),
    ],
)
def test_e4_each_of_the_two_must_be_there_and_good(both: KongProcess, access: str | None, channel: str | None) -> None:
    fields = [] if access is None else [f"Authorization: Bearer {access}"]
    fields += [] if channel is None else [f"X-JWT-channel-client: {channel}"]
    answer = _asked(both, *fields)
    assert answer.status == 401
    assert answer.field("www-authenticate")


def test_what_a_client_says_in_the_upstream_s_header_is_not_forwarded(both: KongProcess) -> None:
    fields = ("Authorization: Bearer opaque-one", f"X-JWT-channel-client: {token()}", "X-JWT-channel-upstream: forged")
    assert "forged" not in _asked(both, *fields).body


def test_a_new_token_may_have_the_header_the_other_came_in(kong: KongProcess, neighbours: Neighbours) -> None:
    kong.signer(
        f"config.access_token_jwks_uri={neighbours.certs}",
        "config.access_token_upstream_header=X-Channel",
        f"config.channel_token_jwks_uri={neighbours.certs}",
        "config.channel_token_request_header=X-Channel",
        "config.channel_token_upstream_header=X-Other",
        both_tokens=True,
    )
    answer = kong.get("/demo", f"X-Channel: {token(sub='network')}", bearer=token(sub="user"))
    assert verified(kong, values(answer, "x-channel")[0])["sub"] == "user"
    assert verified(kong, values(answer, "x-other")[0])["sub"] == "network"
