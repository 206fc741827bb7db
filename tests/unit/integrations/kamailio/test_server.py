from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

import jwtgate
from jwtgate.integrations.kamailio.server import log_error, log_warning, set_variable, variable


def test_without_a_server_no_variable_has_a_value() -> None:
    set_variable("$var(x)", 1)
    assert variable("$var(x)") is None


def test_without_a_server_the_log_is_pythons(caplog: pytest.LogCaptureFixture) -> None:
    log_error("100% wrong")
    log_warning("odd\n2026 forged")
    told = [(record.name, record.levelno, record.getMessage()) for record in caplog.records]
    assert told == [
        ("jwtgate.kamailio", logging.ERROR, "100% wrong"),
        ("jwtgate.kamailio", logging.WARNING, r"odd\n2026 forged"),
    ]


def test_with_a_server_its_variables_and_its_log_are_used(tmp_path: Path) -> None:
    (tmp_path / "KSR.py").write_text(KSR)
    source = str(Path(jwtgate.__file__).parents[1])
    environ = {"PYTHONPATH": f"{tmp_path}:{source}", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run([sys.executable, "-c", INSIDE], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "alice", "17", "None", "None", "None",
        r"err 'jwtgate: a\\nb\n'", r"warn 'jwtgate: c\n'", "sets $var(a) x", "seti $var(b) 5",
    ]  # fmt: skip


KSR = """
class pv:
    def get(name):
        if name == "$bytes":
            b"\\xff".decode()
        if name == "$bad":
            raise SystemError
        return {"$fU": "alice", "$Ts": 17}.get(name)
    def sets(name, value):
        print("sets", name, value)
    def seti(name, value):
        print("seti", name, value)
def err(line):
    print("err", repr(line))
def warn(line):
    print("warn", repr(line))
"""
INSIDE = """
from jwtgate.integrations.kamailio.server import log_error, log_warning, set_variable, variable
for name in ("$fU", "$Ts", "$nobody", "$bytes", "$bad"):
    print(variable(name))
log_error("a\\nb")
log_warning("c")
set_variable("$var(a)", "x")
set_variable("$var(b)", 5)
"""
