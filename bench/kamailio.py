"""`python -m bench.kamailio`: what a call from a SIP script costs, in µs, beside the signature alone.

`jwt_verify` with RS256 is to take 60 µs at most, `jwt_generate` at most 1.2 times the bare signature. Best of several
rounds, taken in turns, so that a slow second of the machine meets all of them.
"""

import tempfile
import time
import timeit
from collections.abc import Callable
from pathlib import Path

from jwtgate.integrations.kamailio.calls import Calls
from jwtgate.jose.algorithms import ALGORITHMS
from jwtgate.jose.encoding import base64url_decode
from jwtgate.jose.key import generate_key

ROUNDS, CALLS_A_ROUND = 31, 60
MOST_VERIFY_US, MOST_GENERATE_RATIO = 60.0, 1.2
CLAIMS = "caller=alice;callee=bob;callid=a84b4c76e66710@pc33.example.com"


def steps(folder: Path, alg: str, options: dict[str, bool]) -> dict[str, Callable[[], object]]:
    """The two functions with key files, and the bare primitives on the same bytes."""
    pair = generate_key(alg)
    private, public = folder / f"{alg}.pem", folder / f"{alg}.pub"
    private.write_text(pair.to_private_pem())
    public.write_text(pair.to_pem())
    calls = Calls(**options)
    if not calls.jwt_generate(str(private), alg, CLAIMS):
        raise RuntimeError(f"no token: {calls.jwt.reason}")
    token = str(calls.jwt.val)
    if not calls.jwt_verify(str(public), alg, CLAIMS, token) or calls.jwt_verify(str(public), alg, "caller=x", token):
        raise RuntimeError("the token is not judged as it should be")
    text, _, signature = token.rpartition(".")
    data, raw = text.encode(), base64url_decode(signature)
    algorithm = ALGORITHMS[alg]
    return {
        "sign, bare": lambda: algorithm.sign(pair, data),
        "jwt_generate": lambda: calls.jwt_generate(str(private), alg, CLAIMS),
        "verify, bare": lambda: algorithm.verify(pair, data, raw),
        "jwt_verify": lambda: calls.jwt_verify(str(public), alg, CLAIMS, token),
    }


def measured(found: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The best round of each step, in µs a call."""
    best = dict.fromkeys(found, float("inf"))
    for _ in range(ROUNDS):
        for name, step in found.items():
            best[name] = min(best[name], timeit.timeit(step, number=CALLS_A_ROUND) / CALLS_A_ROUND * 1e6)
    return best


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory(prefix="jwtgate-bench-") as name:
        for alg in ("RS256", "ES256"):
            for options in ({}, {"compat": True}):
                found = steps(Path(name), alg, options)
                time.sleep(2.1)  # until a key file counts as left alone
                us = measured(found)
                told = ", ".join(f"{step} {spent:.1f}" for step, spent in us.items())
                ratio = us["jwt_generate"] / us["sign, bare"]
                print(f"{alg}{' compat' if options else ''}, µs: {told}; generate ÷ bare {ratio:.2f}")
                if alg == "RS256" and (us["jwt_verify"] > MOST_VERIFY_US or ratio > MOST_GENERATE_RATIO):
                    print(f"  missed: jwt_verify ≤ {MOST_VERIFY_US:g} µs, jwt_generate ≤ {MOST_GENERATE_RATIO} × bare")


if __name__ == "__main__":
    main()
