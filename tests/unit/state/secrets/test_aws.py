from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jwtgate.state.secrets.aws import Aws
from jwtgate.state.secrets.reading import ReadFailed
from jwtgate.state.secrets.references import Secrets

OURS = {"region": "eu-west-1", "access_key_id": "${env:ID}", "secret_access_key": "${env:KEY}"}


def failure(settings: dict[str, object], path: str = "orders", **environ: str) -> ReadFailed:
    store = Aws(settings, resolve=Secrets(Path(), environ).resolve)  # type: ignore[arg-type]
    with pytest.raises(ReadFailed) as caught:
        asyncio.run(store.read(path))
    return caught.value


def test_sec_149_credentials_that_are_not_set_are_named_before_anything_is_asked() -> None:
    failed = failure({**OURS, "endpoint": "http://127.0.0.1:1"}, ID="an id")
    assert failed.cause == "login_unresolved"
    assert "${env:KEY}" in failed.words


def test_sec_149_half_of_the_credentials_is_a_failure_that_does_not_quote_them() -> None:
    failed = failure(
        {"region": "eu-west-1", "access_key_id": "${env:ID}", "endpoint": "http://127.0.0.1:1"}, ID="swordfish"
    )
    assert failed.words == "it failed (failed): PartialCredentialsError"


def test_a_store_that_nobody_can_reach_is_unreachable() -> None:
    assert failure({**OURS, "endpoint": "http://127.0.0.1:1"}, ID="an id", KEY="a key").cause == "unreachable"
