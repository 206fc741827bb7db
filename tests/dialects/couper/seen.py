"""What clients and the access log see of a yes and of a no."""

from __future__ import annotations

from typing import Any

from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.dialect_process import Answer


def refused(couper: CouperProcess, answer: Answer, kind: str, *, status: int = 401) -> dict[str, Any]:
    """The line of the access log for an answer that is a refusal of this kind; clients are told the synopsis alone."""
    line = couper.line(answer)
    synopsis = (
        "access control error" if status < 500 else f"{kind} error".replace("evaluation", "expression evaluation")
    )
    assert (answer.status, line["error_type"], line["level"]) == (status, kind, "error"), line
    assert answer.field("couper-error") == synopsis
    assert f"{status} {synopsis}" in answer.body
    assert "couper_access" in line["type"]
    return line


def allowed(answer: Answer) -> None:
    """An answer to the caller of the examples."""
    assert (answer.status, answer.field("x-sub")) == (200, "john.doe"), answer
