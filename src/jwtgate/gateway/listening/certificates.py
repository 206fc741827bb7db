"""What a listener shows to its clients: a certificate, which may be exchanged while connections are open.

The context a listener begins with stays for as long as its worker: session tickets are sealed with its keys, and so
outlive the certificate. Another certificate comes in a context of its own, which OpenSSL takes from then on when a
client says hello; connections that are open keep theirs.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from jwtgate.errors import ConfigError
from jwtgate.policy.plan import Tls


class Shown:
    """What one listener shows. `context` is what it is opened with."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        self._newest = context
        context.sni_callback = self._choose

    def show(self, newest: ssl.SSLContext) -> None:
        """Use the certificate of this context for every client that connects from now on."""
        self._newest = newest

    def _choose(self, connection: ssl.SSLObject, _name: str | None, held: ssl.SSLContext) -> None:
        if self._newest is not held:
            connection.context = self._newest


def server_tls(tls: Tls, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    """A server's context for this certificate; TLS 1.2 and up. `protocols`: what is spoken, best first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate_file, tls.private_key_file, password=_no_password)
    context.set_alpn_protocols(list(protocols))
    return context


def problem_of(tls: Tls) -> str | None:
    """Why this certificate cannot be used, None when it can."""
    for name in (tls.certificate_file, tls.private_key_file):
        try:
            Path(name).open("rb").close()
        except OSError as trouble:
            return f"{name}: {trouble.strerror}"
    try:
        server_tls(tls)
    except ConfigError as locked:
        return " ".join(locked.problems)
    except ssl.SSLError as trouble:
        if trouble.reason == "KEY_VALUES_MISMATCH":
            return f"{tls.private_key_file} is not the key of {tls.certificate_file}"
        return f"{tls.certificate_file} or {tls.private_key_file} is no PEM file of the right kind"
    return None


def _no_password() -> str:
    # Without an answer here OpenSSL would ask on the terminal, and wait.
    raise ConfigError("The private key of a listener is encrypted; give it without a passphrase, mode 0600.")
