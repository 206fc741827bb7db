"""Who may use the Admin API: from which addresses, with which key, and for what.

There is no key nobody chose: without one of its own the API answers nobody.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from jwtgate.dialects.apisix.admin.calls.replies import Wrong, wrong
from jwtgate.dialects.apisix.settings import AdminKey, ApisixSettings
from jwtgate.dialects.dialect import Call
from jwtgate.errors import ConfigError

ANYBODY = AdminKey(name="anybody", key="", role="admin")
VIEWER = "viewer"
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Access:
    """Who may use it. `networks`: from where; none: from everywhere. `keys` is None where no key is needed."""

    networks: tuple[Network, ...]
    keys: tuple[AdminKey, ...] | None

    @classmethod
    def of(cls, settings: ApisixSettings) -> Access:
        """The rules these settings hold. `ConfigError`."""
        try:
            networks = tuple(ip_network(each, strict=False) for each in settings.allow_admin)
        except ValueError as mistake:
            raise ConfigError(f"deployment.admin.allow_admin: {mistake}.") from None
        return cls(networks, settings.admin_keys if settings.admin_key_required else None)

    def admitted(self, call: Call, query: Mapping[str, str]) -> AdminKey:
        """Whose call this is. `Wrong` when it may not be made."""
        if not self._is_near(call.client):
            raise wrong("this address may not use the Admin API", status=403)
        if self.keys is None:
            return ANYBODY
        given = _given(call, query)
        if given is None:
            raise _unproven("missing apikey")
        # Every key is compared, so that the time it takes tells nothing of which was near.
        known = [each for each in self.keys if hmac.compare_digest(each.key.encode(), given.encode())]
        if not known:
            raise _unproven("wrong apikey")
        if known[0].role == VIEWER and call.method != "GET":
            raise _unproven("invalid method for role viewer")
        return known[0]

    def _is_near(self, client: str) -> bool:
        if not self.networks:
            return True
        try:
            address = ip_address(client)
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in each for each in self.networks)


def _given(call: Call, query: Mapping[str, str]) -> str | None:
    """The key a call presents: the first place that has one counts, even with a wrong one."""
    found = query.get("api_key", call.value("x-api-key"))
    if found is not None:
        return found
    pairs = (part.strip().partition("=") for part in (call.value("cookie") or "").split(";"))
    return next((value for name, _, value in pairs if name == "x_api_key"), None)


def _unproven(cause: str) -> Wrong:
    return Wrong(401, {"error_msg": "failed to check token", "description": cause})
