"""The claims of the user behind a call: from the user store, from a class of one's own, or granted with a token."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from jwtgate.dialects.wso2.tokens.context import User, ValidationContext
from jwtgate.dialects.wso2.tokens.given import SUPER_TENANT, Given, tenant_of

LOCAL = "http://wso2.org/claims/"
MOST_CACHED = 10_000
_LOGGER = logging.getLogger(__name__)


class ClaimsRetriever(Protocol):
    """A class of one's own that knows users. `init` runs once, before anything is asked."""

    def init(self) -> None:
        """Get ready."""

    def get_claims(self, end_user_name: str) -> Mapping[str, str]:
        """The claims of this user, by name."""

    def get_dialect_uri(self, end_user_name: str) -> str:
        """The dialect those names belong to."""


class ClaimCache:
    """Claims by user, for so many seconds. It outlives a generation: who the users are does not change with one."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], tuple[int, Mapping[str, Any]]] = {}
        self._changing = threading.Lock()

    def find(self, key: tuple[str, ...], *, now: int, seconds: int) -> Mapping[str, Any] | None:
        """What was found at most so many seconds ago."""
        held = self._held.get(key)
        return held[1] if held is not None and 0 <= now - held[0] < seconds else None

    def keep(self, key: tuple[str, ...], claims: Mapping[str, Any], *, now: int) -> None:
        """Remember what was found now."""
        with self._changing:
            if len(self._held) >= MOST_CACHED:
                del self._held[next(iter(self._held))]
            self._held[key] = (now, claims)


CACHE = ClaimCache()


class Retriever:
    """Asks a class of one's own."""

    def __init__(self, made: Any) -> None:
        self._made = made
        self._lock = threading.Lock()
        self._is_ready = False

    def claims(self, end_user: str) -> dict[str, str]:
        """The claims of this user, each name in its dialect. Whatever the class raises."""
        with self._lock:
            if not self._is_ready:
                _call(self._made, "init")
                self._is_ready = True
        dialect = str(_call(self._made, "get_dialect_uri", end_user) or "")
        prefix = dialect if dialect in ("", "/") else f"{dialect}/"
        found = _call(self._made, "get_claims", end_user) or {}
        return {_prefixed(str(name), prefix): str(value) for name, value in found.items() if value is not None}


def _call(made: Any, name: str, *arguments: str) -> Any:
    """The result of an operation, which may be called as in Java."""
    first, *rest = name.split("_")
    java = first + "".join("URI" if word == "uri" else word.title() for word in rest)
    return (getattr(made, name, None) or getattr(made, java))(*arguments)


def lacks_operations(made: Any) -> list[str]:
    """The operations of a retriever this object lacks."""
    names = {"init": "init", "get_claims": "getClaims", "get_dialect_uri": "getDialectURI"}
    return [name for name, java in names.items() if not callable(getattr(made, name, getattr(made, java, None)))]


def _prefixed(name: str, prefix: str) -> str:
    return name if "://" in name or name.startswith("/") or not prefix else prefix + name


def store_claims(user: User | None, given: Given) -> dict[str, str]:
    """The claims of the user store in the configured dialect, in the natural order of their names."""
    if user is None or (user.federated and not given.federated):
        return {}
    named = {_in_dialect(name, given): str(value) for name, value in user.claims.items() if value not in (None, "")}
    return dict(sorted(named.items()))


def _in_dialect(name: str, given: Given) -> str:
    if name.startswith(LOCAL):
        return given.prefix + name.removeprefix(LOCAL)
    return _prefixed(name, given.prefix)


def converted(claims: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Claims of OpenID Connect under their names in the dialect, where that is asked for; others keep theirs."""
    if given.conversion is None:
        return dict(claims)
    names = given.conversion
    return {given.prefix + names[name] if name in names else name: value for name, value in claims.items()}


def user_claims(
    context: ValidationContext, end_user: str | None, given: Given, retriever: Retriever | None
) -> dict[str, Any]:
    """The claims of the user, as this generation finds them. Whoever cannot be asked says nothing, and the log so."""
    try:
        return _found(context, end_user, given, retriever)
    except Exception as error:
        # Its text is not ours to log: it may quote a claim.
        _LOGGER.error("the claims of the user cannot be had: %s", type(error).__name__)  # noqa: TRY400
        return {}


def record_of(context: ValidationContext, end_user: str, given: Given) -> User | None:
    """The record of the end user. One found by the caller's name may be of another tenant's user of that name.

    What stands behind an `@` may be no tenant, but the end of a name in the super tenant.
    """
    record = context.owner if context.token.is_application_token else context.user
    if record is None or record.name == end_user:
        return record
    is_bare = "@" not in end_user or given.tenant_id(tenant_of(end_user)) is None
    return record if is_bare and record.name == f"{end_user}@{SUPER_TENANT}" else None


def _found(
    context: ValidationContext, end_user: str | None, given: Given, retriever: Retriever | None
) -> dict[str, Any]:
    granted = converted(context.grants, given)
    if given.profile in ("v1", "v2"):
        return granted or _retrieved(context, end_user, given, retriever)
    found: dict[str, Any] = {}
    if given.user_claims and (context.token.kind != "jwt" or given.user_claims_of_jwt):
        found = granted or _stored(context, end_user, given)
    return {**found, **_retrieved(context, end_user, given, retriever)}


def _retrieved(
    context: ValidationContext, end_user: str | None, given: Given, retriever: Retriever | None
) -> dict[str, Any]:
    if not given.retriever or end_user is None:
        return {}
    return retriever.claims(end_user) if retriever is not None else _stored(context, end_user, given)


def _stored(context: ValidationContext, end_user: str | None, given: Given) -> dict[str, str]:
    """What the user store says, asked now or a while ago."""
    if end_user is None:
        return {}
    record = record_of(context, end_user, given)
    if record is None:
        _LOGGER.warning("the user store has nobody of the name of a caller")
        return {}
    key = (given.prefix, str(given.federated), record.name)
    held = CACHE.find(key, now=context.now, seconds=given.claim_cache_seconds)
    if held is None:
        held = store_claims(record, given)
        CACHE.keep(key, held, now=context.now)
    return dict(held)
