"""`limit-count` as a limit of ours."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.apisix.loading import changed, refused, route_of

from jwtgate.dialects.apisix.noting import Noting
from jwtgate.dialects.apisix.plugins.limits import rate_limit_of

PLACE = ("routes", "1", "plugins", "limit-count")
LIMIT = {"count": 3, "time_window": 30}


def limit(noting: Noting | None = None, **more: Any) -> dict[str, Any]:
    return rate_limit_of({**LIMIT, **more}, noting or Noting(), PLACE)


def test_a_limit_without_more_words_counts_each_client() -> None:
    wanted = {"requests": 3, "window_seconds": 30, "by": "client", "status": 503, "show_headers": True}
    assert limit() == wanted
    assert route_of({"uri": "/a", "plugins": {"limit-count": LIMIT}})["rate_limit"] == wanted


def test_what_is_told_to_whom_is_too_much_is_taken_over() -> None:
    found = limit(rejected_code=429, rejected_msg="slow ${down}", show_limit_quota_header=False)
    assert (found["status"], found["show_headers"]) == (429, False)
    assert (found["body"], found["content_type"]) == ('{"error_msg":"slow $${down}"}\n', "text/plain; charset=utf-8")


def test_a_body_of_ones_own_stands_over_the_message() -> None:
    assert limit(_meta={"error_response": "no"}, rejected_msg="never")["body"] == "no"


@pytest.mark.parametrize(
    ("kind", "key", "by"),
    [
        ("var", "remote_addr", "client"),
        ("var", "consumer_name", "caller"),
        ("constant", "anything", "route"),
        ("var", "host", {"cel": "request.host == '' ? request.client : request.host"}),
        ("var_combination", "$host $remote_addr", {"cel": "request.host + ' ' + request.client"}),
        ("var_combination", "${consumer_name}", "caller"),
    ],
)
def test_keys_say_who_is_counted(kind: str, key: str, by: object) -> None:
    assert limit(key=key, key_type=kind)["by"] == by
    route_of({"uri": "/a", "plugins": {"limit-count": {**LIMIT, "key": key, "key_type": kind}}})


@pytest.mark.parametrize(("kind", "key"), [("var", "server_port"), ("var_combination", "none"), ("var", "http_cookie")])
def test_a_key_that_cannot_be_said_is_refused(kind: str, key: str) -> None:
    noting = Noting()
    limit(noting, key=key, key_type=kind)
    assert list(refused(noting)) == ["routes/1/plugins/limit-count/key"]


def test_what_is_done_otherwise_is_noted() -> None:
    noting = Noting()
    both = {"key": "$consumer_name $host", "key_type": "var_combination"}
    limit(noting, policy="redis", group="g", allow_degradation=True, **both)
    assert {place.rpartition("/")[2] for place in changed(noting)} == {"policy", "group", "allow_degradation", "key"}
    usual = Noting()
    limit(usual, policy="local", allow_degradation=False)
    assert usual.notes(()) == ()
