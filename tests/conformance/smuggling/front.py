"""What a test of the corpus has at hand."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.rig import Upstream


@dataclass
class Front:
    """A gateway and its upstream; `expected` counts the requests that were to reach it so far."""

    port: int
    upstream: Upstream
    expected: int = 0
