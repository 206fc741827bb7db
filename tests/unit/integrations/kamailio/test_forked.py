from __future__ import annotations

import subprocess
import sys

from jwtgate.integrations.kamailio.forked import forget_shared_thread_state

POINTERS = """
import ctypes, mmap
from jwtgate.integrations.kamailio.forked import forget_shared_thread_state

libc = ctypes.CDLL(None)
libc.pthread_getspecific.restype = ctypes.c_void_p
memory = mmap.mmap(-1, 4096)  # shared with whoever is forked from here
inside = ctypes.addressof(ctypes.c_char.from_buffer(memory)) + 8
own = ctypes.create_string_buffer(8)
keys = []
for pointer in (inside, ctypes.addressof(own)):
    key = ctypes.c_uint()
    libc.pthread_key_create(ctypes.byref(key), None)
    libc.pthread_setspecific(key, ctypes.c_void_p(pointer))
    keys.append((key, pointer))
assert [libc.pthread_getspecific(key) for key, _ in keys] == [pointer for _, pointer in keys]
print(forget_shared_thread_state())
print([libc.pthread_getspecific(key) == pointer for key, pointer in keys])
print(forget_shared_thread_state())
"""


def test_pointers_into_shared_memory_are_forgotten_and_no_others() -> None:
    ran = subprocess.run([sys.executable, "-c", POINTERS], capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[:3] == ["1", "[False, True]", "0"]


def test_a_plain_process_has_none() -> None:
    assert forget_shared_thread_state() == 0
