"""What an upstream is by itself."""

from __future__ import annotations

import pytest

from jwtgate.policy.traffic.upstreams import NOWHERE, Upstream


@pytest.mark.parametrize("flag", ["x_real_ip", "forwarded_port", "forwarded_path"])
def test_an_upstream_is_told_more_where_anything_is_to_be_told(flag: str) -> None:
    assert Upstream("echo", (), **{flag: True}).is_told_more  # type: ignore[arg-type]


def test_it_is_told_nothing_more_and_limited_by_nothing_unless_said() -> None:
    assert not NOWHERE.is_told_more
    assert NOWHERE.targets == ()
    assert (NOWHERE.most_connections, NOWHERE.most_requests, NOWHERE.most_pending) == (None, None, None)
