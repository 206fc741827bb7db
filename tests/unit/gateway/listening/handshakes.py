"""TLS handshakes in memory: no socket, no event loop."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True)
class Session:
    """What a client has after a handshake: its context, the session to resume, and what it was shown."""

    client: ssl.SSLContext
    session: ssl.SSLSession | None
    certificate: bytes | None
    reused: bool


def shake_hands(server: ssl.SSLContext, version: ssl.TLSVersion, *, resumed: Session | None = None) -> Session:
    """A client's session with this server, as a continuation of an earlier one where that works."""
    client = a_client(version) if resumed is None else resumed.client
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(up, down, server_side=True)
    theirs = client.wrap_bio(down, up, session=None if resumed is None else resumed.session)
    waiting = [theirs.do_handshake, ours.do_handshake]
    while waiting:
        waiting = [step for step in waiting if not _done(step)]
    ours.write(b"hello")
    assert theirs.read(5) == b"hello"  # behind the tickets of TLS 1.3
    return Session(client, theirs.session, theirs.getpeercert(binary_form=True), bool(theirs.session_reused))


def a_client(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that speaks this version alone and believes everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context


def _done(step: object) -> bool:
    try:
        step()  # type: ignore[operator]
    except ssl.SSLWantReadError:
        return False
    return True
