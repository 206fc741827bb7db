"""PERF-5: what a request with a token never seen costs, against bare RS256 verify and one sign."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .tokens import b64

ROUNDS, CALLS = 25, 40
TEXT = b64(bytes(400)).encode()


def bare_us(folder: Path, alg: str) -> float:
    """µs of CPU for one RS256 verify and one `alg` sign with `cryptography` alone, a median of rounds."""
    issuer, own = (
        load_pem_private_key((folder / name).read_bytes(), None) for name in ("private.pem", f"signing-{alg}.pem")
    )
    assert isinstance(issuer, rsa.RSAPrivateKey)
    public, digest = issuer.public_key(), hashes.SHA256()
    signature = issuer.sign(TEXT, padding.PKCS1v15(), digest)
    if isinstance(own, rsa.RSAPrivateKey):
        rsa_key = own
        return _us(
            lambda: public.verify(signature, TEXT, padding.PKCS1v15(), digest),
            lambda: rsa_key.sign(TEXT, padding.PKCS1v15(), digest),
        )
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    ec_key, ecdsa = own, ec.ECDSA(digest)
    return _us(lambda: public.verify(signature, TEXT, padding.PKCS1v15(), digest), lambda: ec_key.sign(TEXT, ecdsa))


def _us(*steps: Callable[[], object]) -> float:
    rounds = []
    for _ in range(ROUNDS):
        begin = time.thread_time_ns()
        for _ in range(CALLS):
            for step in steps:
                step()
        rounds.append((time.thread_time_ns() - begin) / CALLS / 1000)
    return statistics.median(rounds)
