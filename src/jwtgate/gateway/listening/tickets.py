"""Keys of session tickets that all workers of a node share, so that a client may resume at any of them (RFC 5077).

Python offers no call for it. OpenSSL does, and a context of CPython begins with the pointer to OpenSSL's own. Where
that cannot be relied upon every context keeps keys of its own: a client that meets another worker than the last time
then makes a whole handshake, and nothing else is different.
"""

from __future__ import annotations

import _ssl
import ctypes
import hmac
import ssl
import sys

_KNOWN_VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))
_GET_KEYS, _SET_KEYS = 58, 59
_KEYS_BYTES = 80


def ticket_keys(secret: bytes, listener: str) -> bytes:
    """The keys of one listener, made from a secret of the node: whoever restarts it has others."""
    said = listener.encode()
    return b"".join(hmac.digest(secret, b"tls tickets %d %b" % (part, said), "sha512") for part in (1, 2))[:_KEYS_BYTES]


def share_tickets(context: ssl.SSLContext, keys: bytes) -> bool:
    """Whether the context seals its tickets with these keys from now on; False where Python does not let it."""
    if sys.implementation.name != "cpython" or sys.version_info[:2] not in _KNOWN_VERSIONS:
        return False
    try:
        control = ctypes.CDLL(_ssl.__file__).SSL_CTX_ctrl
    except (AttributeError, OSError):  # OpenSSL is part of this Python, and has no names outside of it
        return False
    control.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p)
    control.restype = ctypes.c_long
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    if control(pointer, _GET_KEYS, 0, None) != _KEYS_BYTES:
        return False
    return bool(control(pointer, _SET_KEYS, len(keys), keys) == 1)
