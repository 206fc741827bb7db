"""Revocations as operators ask for them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.admin.node import NOON

from jwtgate.admin.exchange.problems import Problem
from jwtgate.admin.operations.revoking import SCHEMA, revocation_from
from jwtgate.policy.revocations import Revocation, RevokedBy

DIGEST = "A" * 43


@pytest.mark.parametrize(
    ("asked", "revocation"),
    [
        ({"by": "jti", "value": "a"}, Revocation("r1", RevokedBy.JTI, "a")),
        ({"by": "token", "value": DIGEST, "note": "leaked"}, Revocation("r1", RevokedBy.TOKEN, DIGEST, note="leaked")),
        (
            {"by": "subject", "value": "alice", "issuer": "main", "issued_before": 5, "expires_at": 9},
            Revocation("r1", RevokedBy.SUBJECT, "alice", issuer="main", issued_before=5, expires_at=9),
        ),
        (
            {"by": "everything", "issued_before": 5, "expires_in_seconds": 60},
            Revocation("r1", RevokedBy.EVERYTHING, "", issued_before=5, expires_at=NOON + 60),
        ),
    ],
)
def test_a_revocation_is_read(asked: Any, revocation: Revocation) -> None:
    assert revocation_from(asked, "r1", now=NOON) == revocation


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({}, ["/by"]),
        ({"by": "jti"}, ["/value"]),
        ({"by": "colour", "value": "a"}, ["/by"]),
        ({"by": ["jti"], "value": "a"}, ["/by"]),
        ({"by": "jti", "value": ""}, ["/value"]),
        ({"by": "jti", "value": 7}, ["/value"]),
        ({"by": "jti", "value": "a" * 3000}, ["/value"]),
        ({"by": "token", "value": "eyJ.eyJ.sig"}, ["/value"]),
        ({"by": "everything", "value": "a"}, ["/value", "/issued_before"]),
        ({"by": "jti", "value": "a", "issued_before": -1}, ["/issued_before"]),
        ({"by": "jti", "value": "a", "issued_before": True}, ["/issued_before"]),
        ({"by": "jti", "value": "a", "expires_at": 1.5}, ["/expires_at"]),
        ({"by": "jti", "value": "a", "expires_at": 2**60}, ["/expires_at"]),
        ({"by": "jti", "value": "a", "expires_at": 5, "expires_in_seconds": 5}, ["/expires_in_seconds"]),
        ({"by": "jti", "value": "a", "expires_in_seconds": 0}, ["/expires_in_seconds"]),
        ({"by": "jti", "value": "a", "issuer": None, "note": []}, ["/issuer", "/note"]),
        ({"by": "jti", "value": "a", "colour": 1}, [""]),
        ({"by": "jti", "colour": 1, "note": 1}, ["", "/note", "/value"]),
        ([], [""]),
    ],
)
def test_every_mistake_is_named(asked: Any, places: list[str]) -> None:
    with pytest.raises(Problem) as refused:
        revocation_from(asked, "r1", now=NOON)
    assert [mistake.place for mistake in refused.value.mistakes] == places


def test_every_way_to_name_tokens_is_described() -> None:
    assert SCHEMA["properties"]["by"]["enum"] == [by.value for by in RevokedBy]
