"""Claims about the subscriber behind a request, from the record of the consumer that the gateway found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PREFIX = "https://acme.example/claims/"
FREE = "free"


class Subscriptions:
    """Made once, when the gateway reads its document. What is slow belongs here, not in the methods."""

    def __init__(self) -> None:
        self._limits = {FREE: 60, "gold": 6_000}

    def standard_claims(self, context: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who subscribes, and to what: nothing of it for a caller that is no consumer."""
        consumer = context["consumer"]
        if consumer is None:
            return {}
        tier = consumer["attributes"].get("tier", FREE)
        return {
            f"{PREFIX}subscriber": consumer["name"],
            f"{PREFIX}tier": tier,
            f"{PREFIX}requests_a_minute": self._limits[tier],
        }

    def custom_claims(self, context: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The departments of the caller's token, whichever way its issuer writes them; None when it has none."""
        departments = context["claims"].get("dept")
        if departments is None:
            return None
        return {f"{PREFIX}departments": departments.split(",") if isinstance(departments, str) else departments}
