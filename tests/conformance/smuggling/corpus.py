"""The whole corpus: some hundred requests that two readers might read in two ways, and those that look so."""

from __future__ import annotations

from . import chunks, following, framing, hosts, lines, request_lines

CASES = [*framing.CASES, *chunks.CASES, *lines.CASES, *request_lines.CASES, *hosts.CASES, *following.CASES]
REFUSED = [case for case in CASES if not case.sent and not case.open]
PASSED = [case for case in CASES if case.sent and case.open]
