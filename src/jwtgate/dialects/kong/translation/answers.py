"""The bodies, statuses and challenges of Kong's answers, as answers of a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

JSON = "application/json; charset=utf-8"
UNEXPECTED = "An unexpected error occurred"

Answers = dict[str, dict[str, Any]]


def json_text(**members: str) -> str:
    """A JSON object as Kong writes one."""
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False)


def says(status: int, message: str) -> dict[str, Any]:
    """An answer with one message and no challenge."""
    return {"status": status, "body": json_text(message=message), "content_type": JSON, "challenge": False}


def says_with_id(status: int, message: str) -> dict[str, Any]:
    """An answer with one message and the id of the request."""
    start = json_text(message=message, request_id="").removesuffix('"}')
    return {**says(status, ""), "body": {"cel": f"{_quoted(start)} + refusal.request_id + '\"}}'"}}


def challenged(answer: Mapping[str, Any], challenge: Any) -> dict[str, Any]:
    """The answer with this `WWW-Authenticate`: text or a value."""
    return {**answer, "headers": {**answer.get("headers", {}), "WWW-Authenticate": challenge}}


def bearer(realm: str | None, error: str | None) -> str:
    """A challenge of the scheme Bearer."""
    parts = [f'realm="{realm}"'] if realm else []
    parts += [f'error="{error}"'] if error else []
    return f"Bearer {', '.join(parts)}" if parts else "Bearer"


def bearer_of_host(error: str | None) -> dict[str, str]:
    """The same with the host of the request for a realm."""
    end = f'", error="{error}"' if error else '"'
    return {"cel": f"'Bearer realm=\"' + request.host + {_quoted(end)}"}


def _quoted(text: str) -> str:
    """The text as CEL writes it."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def of_document() -> Answers:
    """What Kong answers where no plugin has anything to say."""
    return {
        "route_unknown": says_with_id(404, "no Route matched with those values"),
        "upstream_fault": says_with_id(502, "An invalid response was received from the upstream server"),
        "upstream_slow": says_with_id(504, "The upstream server is timing out"),
        "dependency_fault": says_with_id(500, UNEXPECTED),
    }
