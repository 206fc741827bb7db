"""A gateway that speaks Kong with the route `/demo` to an echoing upstream; every test begins without plug-ins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dialects.kong.kong_process import KongProcess
from tests.dialects.kong.neighbours import Neighbours


@pytest.fixture(scope="session")
def _neighbours() -> Iterator[Neighbours]:
    with Neighbours() as neighbours:
        yield neighbours


@pytest.fixture(scope="session")
def _kong(_neighbours: Neighbours, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KongProcess]:
    with KongProcess(Path(tmp_path_factory.mktemp("kong"))) as kong:
        kong.post("/services", "name=demo", f"url={_neighbours.url}")
        kong.post("/services/demo/routes", "name=demo", "paths[]=/demo")
        yield kong


@pytest.fixture
def neighbours(_neighbours: Neighbours) -> Neighbours:
    """Everybody the gateway talks to, as at the beginning."""
    _neighbours.begin_anew()
    return _neighbours


@pytest.fixture
def kong(_kong: KongProcess) -> KongProcess:
    """The gateway, with the service and the route and nothing else."""
    for kind in ("plugins", "consumers", "routes", "services", "jwt-signer/jwks"):
        for each in _kong.send("GET", f"/{kind}").value["data"]:
            if each.get("name") not in ("demo", "kong"):
                assert _kong.send("DELETE", f"/{kind}/{each['id']}").status == 204
    return _kong
