"""Where the gateway of the product listens, unless somebody says otherwise."""

from __future__ import annotations

from dataclasses import replace

from jwtgate.dialects.dialect import Settings

LISTEN, TLS_LISTEN = "0.0.0.0:8280", "0.0.0.0:8243"


def settings_of(settings: Settings) -> Settings:
    """The settings with what they lack."""
    if settings.listen or settings.tls_listen:
        return settings
    return replace(settings, listen=(LISTEN,), tls_listen=(TLS_LISTEN,))
