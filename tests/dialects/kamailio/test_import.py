"""What importing the functions does, and what not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import jwtgate

SOURCE = str(Path(jwtgate.__file__).parents[1])
CODE = """
import sys
events = []
watched = ("socket.", "_thread", "subprocess")
sys.addaudithook(lambda event, _: events.append(event) if event.startswith(watched) else None)
before = set(sys.modules)
from jwtgate.integrations.kamailio import jwt, jwt_generate, jwt_verify, pv
from jwtgate.integrations.kamailio.native import mod_init
import threading
assert threading.active_count() == 1
assert events == [], events
top = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
print(sorted(top - {"jwtgate", "cryptography", "_cffi_backend", "_openssl"}))
print(jwt_verify(sys.argv[1], "RS256", ";", "x"), jwt.reason, type(mod_init()).__name__)
assert events == [], events
"""
SYSTEM = "/usr/bin/python3"


def has_cryptography(python: str) -> bool:
    """Whether this interpreter has `cryptography`, with nothing of ours in the way."""
    if not Path(python).exists():
        return False
    return subprocess.run([python, "-I", "-c", "import cryptography"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("python", [sys.executable, SYSTEM])
def test_it_needs_cryptography_alone_and_starts_nothing(python: str, keys: dict[str, Path]) -> None:
    if not has_cryptography(python):
        pytest.skip(f"{python} has no cryptography")
    command = [python, "-c", CODE, str(keys["rsa.pub"])]
    ran = subprocess.run(command, env={"PYTHONPATH": SOURCE}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["[]", "-1 malformed Native"]
