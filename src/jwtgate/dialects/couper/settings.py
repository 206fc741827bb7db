"""Where Couper listens: the ports its servers name, or that of `settings`."""

from __future__ import annotations

from dataclasses import replace

from jwtgate.dialects.couper.reading.configuration import Configuration
from jwtgate.dialects.couper.translation.routing import PORT_VARIABLE, default_port, ports_of
from jwtgate.dialects.dialect import Settings
from jwtgate.errors import ConfigError

_ANYWHERE = "0.0.0.0"  # noqa: S104 - as Couper does
_MOST_PORT = 65535


def settings_of(configuration: Configuration, settings: Settings) -> Settings:
    """The settings with what they lack."""
    if settings.listen or settings.tls_listen:
        return settings
    default = default_port(configuration.settings.values, settings.environ)
    ports = dict.fromkeys(port for server in configuration.servers for port in ports_of(server, default))
    if wrong := [port for port in ports if port > _MOST_PORT]:
        raise ConfigError(
            f"port {wrong[0]}: ports end at {_MOST_PORT}; hosts of a server, default_port of settings or "
            f"{PORT_VARIABLE} says so."
        )
    address = configuration.settings.values.get("bind_address")
    host = address if isinstance(address, str) and address not in ("", "*") else _ANYWHERE
    return replace(settings, listen=tuple(f"{f'[{host}]' if ':' in host else host}:{port}" for port in ports))
