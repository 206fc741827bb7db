"""How long tokens last, and how long one is sent again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dialects.wso2.reading import claims
from tests.dialects.wso2.records import USER_TOKEN, toml, xml
from tests.dialects.wso2.simulated import NOON, Simulated

from jwtgate.policy.outcome import Allowed


def caches(**values: object) -> str:
    children = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<CacheConfigurations>{children}</CacheConfigurations>"


OFF = caches(EnableGatewayTokenCache="false", EnableKeyManagerTokenCache="false")
KEY_MANAGER = {"EnableGatewayTokenCache": "false", "EnableKeyManagerTokenCache": "true"}
EXPIRY = "<APIKeyValidator><JWTExpiryTime>300</JWTExpiryTime></APIKeyValidator>"


@pytest.mark.parametrize("fraction", [0, 0.5])
@pytest.mark.parametrize(
    ("elements", "seconds"),
    [
        ((), 900),
        ((caches(TokenCacheExpiry=600),), 600),
        ((caches(TokenCacheExpiry=600, **KEY_MANAGER),), 600),
        ((OFF,), 900),
        ((OFF, EXPIRY), 300),
        ((EXPIRY,), 900),
    ],
)
def test_s28_s29_s30_a_token_lasts_as_the_caches_say(
    tmp_path: Path, elements: tuple[str, ...], seconds: int, fraction: float
) -> None:
    for profile, buffer in (("v2", 0), ("v3", 60)):
        made = Simulated(tmp_path, xml(*elements, jwt_profile=profile))
        assert claims(made.token(USER_TOKEN, NOON + fraction))["exp"] - NOON == seconds + buffer


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (xml(jwt_profile="v1"), (NOON + 900) * 1000 + 250),
        (xml(jwt_profile="v1", exp_unit="s"), NOON + 900),
        (toml('exp_unit = "ms"'), (NOON + 900) * 1000 + 250),
    ],
)
def test_the_first_generation_counts_milliseconds(tmp_path: Path, configuration: str, expected: int) -> None:
    assert claims(Simulated(tmp_path, configuration).token(USER_TOKEN, NOON + 0.25))["exp"] == expected


@pytest.mark.parametrize("configuration", [xml(jwt_profile=f"v{number}") for number in (1, 2, 3)] + [toml()])
def test_s31_an_expired_token_is_never_sent(tmp_path: Path, configuration: str) -> None:
    made = Simulated(tmp_path, configuration)
    unit = 1000 if "v1" in configuration else 1
    first = made.token(USER_TOKEN)
    assert made.token(USER_TOKEN, NOON + 600) == first
    for later in (894, 895, 896, 899, 900, 960, 5000):
        ends = claims(made.token(USER_TOKEN, NOON + later))["exp"] / unit
        assert ends - (NOON + later) >= 5
    assert made.token(USER_TOKEN, NOON + 899) != first
    outcome = made.outcome(USER_TOKEN, NOON)
    assert isinstance(outcome, Allowed)
    assert outcome.good_until is not None
    assert outcome.good_until <= NOON + 900


def test_s31_the_margin_may_be_wider(tmp_path: Path) -> None:
    made = Simulated(tmp_path, xml(clock_skew=60))
    first = made.token(USER_TOKEN)
    assert made.token(USER_TOKEN, NOON + 839) == first
    assert made.token(USER_TOKEN, NOON + 840) != first


def test_a_caller_s_token_that_ended_brings_none(tmp_path: Path) -> None:
    tokens = [{"token": "t", "consumer_key": "ck2", "user": "sumedha", "exp": NOON + 60}]
    made = Simulated(tmp_path, xml(), tokens=tokens)
    assert claims(made.token("t"))["exp"] == NOON + 900
    outcome = made.outcome("t", NOON + 100)
    assert not isinstance(outcome, Allowed)
    assert getattr(outcome, "refusal").reason == "token_expired"  # noqa: B009 - its other kinds have none
