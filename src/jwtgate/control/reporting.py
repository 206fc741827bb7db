"""What the state tells of itself, as it is told to the outside: in our own words, and without addresses."""

from __future__ import annotations

from jwtgate.gateway.observe import IntrospectionReport, IssuerReport, SecretStoreReport, SigningReport
from jwtgate.state.callers import introspection
from jwtgate.state.callers.breaker import BreakerState
from jwtgate.state.keys.keyring import Keyring
from jwtgate.state.keys.remote_keys import SourceReport
from jwtgate.state.keys.rotation import KeyState
from jwtgate.state.secrets import holdings


def issuer_report(source: SourceReport) -> IssuerReport:
    """How the key set of an issuer is doing."""
    return IssuerReport(
        source.issuer,
        keys=source.keys,
        age_seconds=source.age_seconds,
        stale=source.stale,
        fetches=source.fetches,
        failures=dict(source.failed),
        skipped_keys=source.skipped,
        last_failure=source.last_failure or "",
    )


def introspection_report(asked: introspection.IntrospectionReport) -> IntrospectionReport:
    """How asking an issuer is going."""
    return IntrospectionReport(
        asked.issuer,
        left_alone=asked.breaker == BreakerState.OPEN.value,
        calls=asked.calls,
        failures=dict(asked.failures),
        remembered=asked.remembered,
        from_memory=asked.from_memory,
        stood_in=asked.stood_in,
        evicted=asked.evicted,
        last_failure=asked.last_failure or "",
    )


def secret_store_report(store: holdings.SecretStoreReport) -> SecretStoreReport:
    """How a secret store is doing."""
    return SecretStoreReport(
        store.name,
        values=store.values,
        missing=store.missing,
        age_seconds=store.age_seconds,
        stale=store.stale,
        last_failure=store.last_failure or "",
    )


def signing_report(keyring: Keyring, name: str, *, now: float, stale: bool) -> SigningReport:
    """How the keys of a name that we sign with are doing."""
    life = keyring.keys(name)
    alive = sum(held.state(now) is not KeyState.RETIRED for held in life)
    since = [held.active_from for held in life if held.state(now) is KeyState.ACTIVE]
    return SigningReport(name, alive, now - max(since) if since else None, stale)
