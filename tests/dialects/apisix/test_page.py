"""The page for those who come from APISIX speaks of every setting there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jwtgate.dialects.apisix.files.reading import read_objects
from jwtgate.dialects.apisix.schema.plugins import META, PLUGINS
from jwtgate.dialects.apisix.schema.resources import ROUTE, UPSTREAM

PAGE = (Path(__file__).parents[3] / "docs/dialects/apisix.md").read_text()
SPOKEN_OF = frozenset(re.findall(r"`([A-Za-z0-9_.-]+)`", PAGE))
_FOR_PEOPLE = {"id", "desc", "labels", "name", "create_time", "update_time", "_meta"}
# Said in other words, or of no meaning without what it belongs to.
_ELSEWHERE = {"plugins", "upstream", "script_id", "discovery_type", "discovery_args"}


def settings() -> Iterator[str]:
    yield from PLUGINS
    jwt_auth = PLUGINS["jwt-auth"]
    yield from jwt_auth.schema["properties"]
    yield from (jwt_auth.consumer_schema or {})["properties"]
    yield from (f"_meta.{name}" for name in META["properties"])
    yield from ROUTE["properties"]
    yield from UPSTREAM["properties"]


@pytest.mark.parametrize("name", sorted({*settings()} - _FOR_PEOPLE - _ELSEWHERE))
def test_the_page_speaks_of_a_setting(name: str) -> None:
    assert name in SPOKEN_OF


def test_the_file_on_the_page_is_read() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    objects = read_objects([("apisix.yaml", text.encode())])
    assert objects is not None
    assert list(objects["routes"]) == ["sign", "api"]
