"""Where an issuer's introspection endpoint is: configured, or discovered and looked up again now and then (SEC-62)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from jwtgate.policy.sources import IntrospectionSource
from jwtgate.state.discovery import fetch_metadata, permitted
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient

REFRESH_SECONDS = 3600.0
FAILED_SECONDS = 1.0


class EndpointAddress:
    """The address of one endpoint. One that was found stays good while looking it up again fails."""

    def __init__(
        self,
        source: IntrospectionSource,
        *,
        client: HttpClient,
        rules: FetchRules,
        monotonic: Callable[[], float],
    ) -> None:
        self.known = source.endpoint
        self._source = source
        self._client = client
        self._rules = rules
        self._monotonic = monotonic
        self._due = math.inf if source.endpoint is not None else -math.inf
        self._failure: FetchFailed | None = None
        self._search: asyncio.Task[None] | None = None

    def take_over(self, other: EndpointAddress) -> None:
        """Go on with what another generation found for the same source."""
        self.known, self._due = other.known, other._due

    async def find(self) -> str:
        """The address. Raises `FetchFailed`, for a second also without looking again."""
        if self._search is None and self._monotonic() >= self._due:
            self._search = asyncio.create_task(self._look_up())
        if self.known is None and self._search is not None:
            # Unlike awaiting the task: whoever gives up waiting leaves the search alone.
            await asyncio.wait((self._search,))
        if self.known is None:
            raise self._failure or FetchFailed("not_discovered")
        return self.known

    async def close(self) -> None:
        """End a search."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.gather(self._search, return_exceptions=True)

    async def _look_up(self) -> None:
        wait = FAILED_SECONDS
        try:
            async with asyncio.timeout(self._rules.total_seconds):
                self.known = await self._discovered()
            wait = REFRESH_SECONDS
        except FetchFailed as failure:
            self._failure = failure
        except TimeoutError:
            self._failure = FetchFailed("timeout")
        finally:
            self._due = self._monotonic() + wait
            self._search = None

    async def _discovered(self) -> str:
        iss, allowed = self._source.iss or "", self._source.fetching.allowed_hosts
        metadata = await fetch_metadata(iss, self._source.discovery, client=self._client, rules=self._rules)
        return permitted(metadata.introspection_endpoint, "introspection_endpoint", iss=iss, allowed_hosts=allowed)
