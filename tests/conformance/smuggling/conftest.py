"""A gateway of each reader of heads before an upstream that writes down what it gets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conformance.head_readers import READERS, gateway_reading_by
from tests.conformance.plain_refusals import check_labels, check_log
from tests.conformance.smuggling.front import Front
from tests.integration.rig import Upstream, document


@pytest.fixture(scope="module", params=READERS)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with Upstream() as upstream:
        folder = tmp_path_factory.mktemp(request.param)
        with gateway_reading_by(request.param, folder, document(upstream.url)) as gateway:
            front = Front(gateway.ports[0], upstream)
            yield front
            assert len(upstream.requests) == front.expected
            assert gateway.events("internal") == []
            check_labels(gateway.get("/metrics")[1].decode(), routes={"orders", "open"})
            gateway.until(lambda: b'"/metrics"' in (folder / "access-log").read_bytes())
            check_log((folder / "access-log").read_bytes())
