"""What a forked process must not share with its siblings.

Kamailio's `tls` module has OpenSSL take its memory from the pool all processes share. What a thread keeps for itself,
such as the queue of errors and a random generator, is then made before the fork, in that pool, and used by all workers
at once: two wrong signatures at the same moment break the pool, and the server ends. Later versions of Kamailio forget
these pointers in each child (`tls_threads_mode`); this does the same for those that do not. It matters where the
`cryptography` in use is linked to the server's own OpenSSL, as Debian's is; a wheel from PyPI brings its own.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

_MOST_THREAD_KEYS = 1024  # PTHREAD_KEYS_MAX of glibc
_MAPS = Path("/proc/self/maps")


def forget_shared_thread_state() -> int:
    """How many pointers of this thread into memory shared by processes were forgotten; their owners make new ones."""
    shared = _shared_memory()
    if not shared:
        return 0
    libc = ctypes.CDLL(None)
    libc.pthread_getspecific.restype = ctypes.c_void_p
    forgotten = 0
    for key in range(_MOST_THREAD_KEYS):
        value = libc.pthread_getspecific(key)
        if value is not None and any(start <= value < end for start, end in shared):
            libc.pthread_setspecific(key, None)
            forgotten += 1
    return forgotten


def _shared_memory() -> list[tuple[int, int]]:
    """The ranges of addresses that are writable here and in other processes."""
    try:
        lines = [line.split() for line in _MAPS.read_text().splitlines()]
    except OSError:
        return []
    ranges = [line[0].split("-") for line in lines if line[1].startswith("rw") and line[1].endswith("s")]
    return [(int(start, 16), int(end, 16)) for start, end in ranges]
