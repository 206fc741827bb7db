from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.dialects.wso2.tokens.told import API, NOON, D, told

from jwtgate.dialects.wso2.tokens.plug_in import MOST_CACHED, Wso2Claims
from jwtgate.errors import ConfigError

GIVEN: dict[str, Any] = {"profile": "v4", "prefix": D, "claims": ["enduser"], "apis": {"p": API}}
SOURCE = """
from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator

class Opaque(BackendJwtGenerator):
    def populate_custom_claims(self, context):
        return {"made_by": "opaque", "at": context.now}

class Dialect(BackendJwtGenerator):
    def get_dialect_uri(self):
        return "urn:own"

class Signs(BackendJwtGenerator):
    def sign(self, data, user):
        return b""

    def encode(self, data):
        return ""

class Nothing:
    pass
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    """A module with classes of one's own."""
    name = f"own_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(SOURCE)
    sys.path.insert(0, str(tmp_path))
    yield name
    sys.path.remove(str(tmp_path))


def test_the_usual_claims_need_no_class() -> None:
    made = Wso2Claims(GIVEN)
    assert made.standard_claims(told()) == {f"{D}enduser": "ann@carbon.super"}
    assert made.custom_claims(told()) is None  # type: ignore[func-returns-value]


def test_opaque_tokens_and_all_others_may_have_classes_of_their_own(module: str) -> None:
    made = Wso2Claims({**GIVEN, "generators": [f"{module}:Opaque", "default"]})
    assert made.standard_claims(told("opaque"))["made_by"] == "opaque"
    assert "made_by" not in made.standard_claims(told(None))
    earlier = Wso2Claims({**GIVEN, "profile": "v2", "generators": [f"{module}:Opaque", "default"]})
    assert earlier.standard_claims(told(None))["made_by"] == "opaque"


def test_a_class_may_have_a_dialect_of_its_own(module: str) -> None:
    made = Wso2Claims({**GIVEN, "generators": [f"{module}:Dialect", f"{module}:Dialect"]})
    assert made.standard_claims(told()) == {"urn:own/enduser": "ann@carbon.super"}


def test_what_a_class_that_sees_the_request_makes_is_kept_for_it(module: str) -> None:
    one = {"generators": [f"{module}:Opaque", f"{module}:Opaque"]}
    request = {"method": "GET", "path": "/a"}
    made = Wso2Claims({**GIVEN, **one, "token_cache_seconds": 60})
    assert made.standard_claims(told(request=request))["at"] == NOON
    assert made.standard_claims(told(request=request, now=NOON + 59))["at"] == NOON
    assert made.standard_claims(told(request=request, now=NOON + 60))["at"] == NOON + 60
    assert made.standard_claims(told(request={"method": "GET", "path": "/b"}, now=NOON + 1))["at"] == NOON + 1
    fresh = Wso2Claims({**GIVEN, **one})
    assert [fresh.standard_claims(told(request=request, now=now))["at"] for now in (1, 2)] == [1, 2]


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"generators": ["{}:Signs", "default"]}, "replaces encode and sign: the gateway signs and writes tokens"),
        ({"generators": ["{}:Nothing", "default"]}, "is not derived from"),
        ({"generators": ["{}:Lost", "default"]}, "The generator own_.*:Lost cannot be loaded"),
        ({"generators": ["default", "no_such_module_anywhere:X"]}, "The generator no_such_module_anywhere:X cannot be"),
        (
            {"retriever": "{}:Nothing"},
            "The claims retriever own_.*:Nothing lacks init and get_claims and get_dialect_uri",
        ),
        ({"retriever": "{}:Lost"}, "The claims retriever own_.*:Lost cannot be loaded"),
    ],
)
def test_sec_163_a_class_that_cannot_be_used_is_named(module: str, members: dict[str, Any], sentence: str) -> None:
    filled = {
        name: [each.format(module) for each in value] if isinstance(value, list) else value.format(module)
        for name, value in members.items()
    }
    with pytest.raises(ConfigError, match=sentence):
        Wso2Claims({**GIVEN, **filled})


def test_what_is_kept_is_told_of_nobody_else(module: str) -> None:
    made = Wso2Claims({**GIVEN, "generators": [f"{module}:Opaque", f"{module}:Opaque"], "token_cache_seconds": 60})
    request = {"method": "GET", "path": "/a"}
    others: tuple[dict[str, Any], ...] = (
        {"claims": {"sub": "bob"}},
        {"claims": {"sub": "ann", "aut": "APPLICATION"}},
        {"consumer": None},
        {"route": "q"},
        {"consumers": {"user": None, "owner": None}},
        {"request": {"method": "POST", "path": "/a"}},
    )
    for number, other in enumerate(({}, *others)):
        assert made.standard_claims(told(**{"request": request, "now": NOON + number, **other}))["at"] == NOON + number
    assert made.standard_claims(told(request=request, now=NOON + 30))["at"] == NOON
    assert made.standard_claims(told(request=request, now=NOON - 1))["at"] == NOON - 1  # a clock that was set back


def test_not_more_than_so_many_are_kept(module: str) -> None:
    made = Wso2Claims({**GIVEN, "generators": [f"{module}:Opaque", f"{module}:Opaque"], "token_cache_seconds": 60})
    first = {"method": "GET", "path": "/0"}
    made.standard_claims(told(request=first))
    for number in range(1, MOST_CACHED):
        made.standard_claims(told(request={"method": "GET", "path": f"/{number}"}))
    assert made.standard_claims(told(request=first, now=NOON + 1))["at"] == NOON
    made.standard_claims(told(request={"method": "GET", "path": "/last"}))
    assert made.standard_claims(told(request=first, now=NOON + 1))["at"] == NOON + 1
