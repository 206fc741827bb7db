"""Issuers' key sets, one state for all workers of a node (SEC-65 to 67).

Keys that stand in the document are read once, when the state is built. Fetched ones keep themselves fresh,
each on its own timer, so that one broken source never delays another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.jose.key_set import KeySet
from jwtgate.policy.facts import NeedKeys
from jwtgate.policy.sources import KeySource
from jwtgate.state.http_client import HttpClient
from jwtgate.state.keys.key_sources import is_remote, read_local
from jwtgate.state.keys.refresh_schedule import UNKNOWN_KID_SECONDS
from jwtgate.state.keys.remote_keys import RemoteKeys, SourceReport, Surroundings


class KeySets:
    """The key sets of one generation's issuers. `changed` is told of each set that came, changed or went."""

    def __init__(
        self,
        sources: Mapping[str, KeySource],
        *,
        client: HttpClient,
        folder: Path | None,
        resolve: Callable[[str], str],
        clock: Callable[[], float],
        wall: Callable[[], float],
        jitter: Callable[[], float],
        changed: Callable[[str, KeySet | None], None],
    ) -> None:
        around = Surroundings(client, folder, clock, wall, jitter, resolve, changed)
        self._resolve = resolve
        self._sources = dict(sources)
        self._local: dict[str, KeySet] = {}
        self._remote = {name: RemoteKeys(name, source, around) for name, source in sources.items() if is_remote(source)}

    def adopt(self, old: KeySets) -> None:
        """Take over the sets, times and budgets of sources that did not change. Call it before `start`."""
        for name, remote in self._remote.items():
            if old._sources.get(name) == remote.source:
                remote.take_over(old._remote[name])

    async def start(self, warm_seconds: float) -> None:
        """Read local keys, then what was saved, then fetch, waiting so long for sets we hold nothing of.

        `ConfigError` for local keys, with every problem, and for sets that are required and cannot be had. Any other
        remote source that fails is tried again later.
        """
        problems: list[str] = []
        for name, source in self._sources.items():
            if is_remote(source):
                continue
            try:
                self._local[name] = read_local(source, self._resolve)
            except ConfigError as error:
                problems += error.problems
        if problems:
            raise ConfigError(*problems)
        first = [task for remote in self._remote.values() if (task := remote.start()) is not None]
        if first:
            await asyncio.wait(first, timeout=warm_seconds)
        missing = [each for each in self._remote.values() if each.held is None and each.source.required_at_start]
        if missing:
            raise ConfigError(*(each.problem() for each in missing))

    async def obtain(self, need: NeedKeys) -> KeySet:
        """The issuer's set, fetched anew where that may help. The set may still lack the kid.

        Raises `DependencyFault("issuer_unreachable")` when there is no usable set, or when the kid is not in
        it and the issuer cannot be asked.
        """
        local = self._local.get(need.issuer)
        if local is not None:
            return local
        remote = self._remote[need.issuer]
        return await (remote.renew(need.client) if need.distrusted else remote.obtain(need.kid, need.client))

    def quiet_seconds(self, need: NeedKeys) -> float:
        """How long asking so again is pointless: whatever changes meanwhile, `changed` tells."""
        remote = self._remote.get(need.issuer)
        if remote is None:
            return UNKNOWN_KID_SECONDS
        return remote.spent_seconds() if need.distrusted else remote.quiet_seconds(need.kid)

    def current(self) -> Mapping[str, KeySet]:
        """The usable set of each issuer that has one."""
        fetched = {name: held for name, remote in self._remote.items() if (held := remote.held) is not None}
        return {**self._local, **fetched}

    def report(self) -> tuple[SourceReport, ...]:
        """How each source is doing, in the order of the document."""
        return tuple(
            self._remote[name].report() if name in self._remote else _local_report(name, self._local.get(name))
            for name in self._sources
        )

    async def close(self) -> None:
        """Stop all timers and fetches; the sets stay readable."""
        for remote in self._remote.values():
            await remote.close()


def _local_report(name: str, key_set: KeySet | None) -> SourceReport:
    return SourceReport(
        issuer=name,
        remote=False,
        keys=len(key_set) if key_set is not None else 0,
        age_seconds=None,
        stale=False,
        fetches=0,
        failures=0,
        failed={},
        last_failure=None,
        last_failure_detail="",
        skipped=0,
        saved=True,
    )
