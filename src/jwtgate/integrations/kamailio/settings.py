"""How the functions behave, said once at the start of the script."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from jwtgate.errors import ConfigError
from jwtgate.integrations.kamailio import server
from jwtgate.jose.encoding import JSON

if TYPE_CHECKING:
    from jwtgate.integrations.kamailio.passport import Passport

Variables = Callable[[str], str | int | None]
_NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Policy:
    """Arguments of a call under a name, so that a native configuration passes nothing but the name.

    Every text may hold pseudo-variables. `claims` and `headers` are split before these are filled in. `needed` names
    claims a token must carry, whatever their value; unless said, bearer and WebSocket tokens need `exp`.
    """

    key: str
    alg: str
    claims: str | Mapping[str, JSON] | Passport = ";"
    headers: str | Mapping[str, JSON] = ""
    token: str = "$hdr(X-JWT)"  # noqa: S105 - where a token is, not one
    needed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What `configure` takes. `key_mode` and `leeway_sec` are the module's own names."""

    key_mode: int = 0
    compat: bool = False
    hmac_key: str = "raw"
    leeway_sec: int = 0
    clock: Callable[[], float] = time.time
    variables: Variables = server.variable
    policies: Mapping[str, Policy] = field(default_factory=lambda: _NO_POLICIES)

    def __post_init__(self) -> None:
        problems = tuple(_problems(self))
        if problems:
            raise ConfigError(*problems)


def _problems(settings: Settings) -> list[str]:
    checks = {
        "key_mode: a number, and 1 keeps keys until a reload": type(settings.key_mode) is int,
        "compat: True or False": type(settings.compat) is bool,
        'hmac_key: "raw" or "trim"': settings.hmac_key in ("raw", "trim"),
        "leeway_sec: 0 to 300": type(settings.leeway_sec) is int and 0 <= settings.leeway_sec <= 300,
        "clock: a function without arguments": callable(settings.clock),
        "variables: a function of a name": callable(settings.variables),
        "policies: names with a Policy each": isinstance(settings.policies, Mapping)
        and all(isinstance(each, Policy) for each in settings.policies.values()),
    }
    return [problem for problem, holds in checks.items() if not holds]
