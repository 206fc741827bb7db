"""`python -m fuzz TARGET`: feed a target with bytes that find new ways through it. See README.md beside this file."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .places import CORPUS

_HEADS = ("heads", "jwtgate.gateway.heads", "jwtgate.policy.request")
_HTTP2 = ("frames", "jwtgate.gateway.heads", "jwtgate.gateway.http2.fields", "jwtgate.gateway.http2.frames",
          "jwtgate.gateway.http2.allowance")  # fmt: skip
_TOKENS = ("tokens", "jwtgate.jose", "jwtgate.policy.rooms", "jwtgate.verifier")
_KEYS = ("keys", "jwtgate.jose")
_DOCUMENTS = ("documents", "jwtgate.config")
# The module of each, and the packages whose coverage guides the search: what else is imported starts faster without.
TARGETS = {
    "requests": _HEADS, "answers": _HEADS, "chunks": _HEADS, "http2": _HTTP2, "tokens": _TOKENS, "json_texts": _TOKENS,
    "keys": _KEYS, "key_sets": _KEYS, "documents": _DOCUMENTS, "patterns": _DOCUMENTS, "expressions": _DOCUMENTS,
}  # fmt: skip
MOST_BYTES = 2_048
SECONDS_EACH = 10


def main() -> None:
    """Replay the files that are named, or else look for new ways in until the runs or the seconds are over."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--runs", type=int, default=-1, help="end after so many; default: never")
    parser.add_argument("--seconds", type=int, default=0, help="end after so long; default: never")
    parser.add_argument("--seed", type=int, default=0, help="of the random choices; default: another each time")
    parser.add_argument("--keep", type=Path, help="a folder for what led somewhere new, kept for the next time")
    parser.add_argument("files", nargs="*", type=Path, help="inputs to replay instead, without atheris")
    asked = parser.parse_args()
    if asked.files:
        replay(asked.target, asked.files)
        return
    with tempfile.TemporaryDirectory() as scratch:
        _search(asked, asked.keep or Path(scratch))


def check_of(target: str) -> Callable[[bytes], None]:
    """What is checked of the bytes of this target: raises for what must not be."""
    check: Callable[[bytes], None] = getattr(importlib.import_module(f"fuzz.{TARGETS[target][0]}"), target)
    return check


def replay(target: str, files: list[Path]) -> None:
    """Check these files once each."""
    check = check_of(target)
    for file in files:
        print(file, flush=True)
        check(file.read_bytes())


def _search(asked: argparse.Namespace, found: Path) -> None:
    import atheris

    found.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=["fuzz", *TARGETS[asked.target][1:]]):
        check = check_of(asked.target)
    options = (
        f"-runs={asked.runs}", f"-max_total_time={asked.seconds}", f"-max_len={MOST_BYTES}", f"-seed={asked.seed}",
        f"-timeout={SECONDS_EACH}", "-rss_limit_mb=2048", "-artifact_prefix=fuzz-",
    )  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(found), str(CORPUS / asked.target)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
