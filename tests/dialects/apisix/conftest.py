"""A gateway that speaks APISIX before an echoing upstream; every test begins without objects and consumers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.apisix.apisix_process import ApisixProcess
from tests.dialects.apisix.httpbin import Httpbin

ENVIRON = {"JACK_JWT_AUTH_KEY": "jack-key", "JACK_JSON": '{"jwt": {"secret": "a-secret-that-is-long-enough-for-all"}}'}


@pytest.fixture(scope="session")
def httpbin() -> Iterator[Httpbin]:
    with Httpbin() as upstream:
        yield upstream


@pytest.fixture(scope="session")
def _apisix(httpbin: Httpbin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApisixProcess]:
    folder = Path(tmp_path_factory.mktemp("apisix"))
    with ApisixProcess(folder, httpbin=httpbin.place, environ=ENVIRON) as apisix:
        yield apisix


@pytest.fixture
def apisix(_apisix: ApisixProcess) -> ApisixProcess:
    """The gateway, as new."""
    assert _apisix.admin("PUT", "/configs", {}).status == 202
    return _apisix
