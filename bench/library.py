"""PERF-11: one verified token with each JWT library of this interpreter, the same checks on.

Every library has its key parsed beforehand and checks signature, alg, iss, aud and exp. They take turns,
so that a slow second of the machine meets all of them.
"""

import importlib
import importlib.metadata
import statistics
import time
import warnings
from collections.abc import Callable

from .cases import Case, cases
from .report import Row, Target
from .tokens import AUDIENCE, ISSUER, b64

ROUNDS, CALLS = 41, 50
LIBRARIES = ("joserfc", "PyJWT", "Authlib", "jwcrypto", "python-jose", "cryptography")
LEAST_GAIN, MOONSHOT_US = 1.2, 5.0

Verify = Callable[[str], object]


def rows() -> list[Row]:
    """A row for each algorithm: ours against the fastest library that is installed."""
    return [_row(case) for case in cases()]


def versions() -> list[str]:
    """The installed libraries and their versions."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _row(case: Case) -> Row:
    verifiers = _verifiers(case)
    for name, verify in verifiers.items():
        _require_checking(name, verify, case)
    times = _microseconds(verifiers, case)
    bare, own = times.pop("bare"), times.pop("jwtgate")
    fastest = min(times, key=lambda name: times[name])
    others = ", ".join(f"{name} {us:.1f}" for name, us in sorted(times.items(), key=lambda one: one[1]))
    return Row(
        "PERF-11", f"verify {case.alg}, {fastest} ÷ ours", f"{own:.1f} µs", f"{times[fastest]:.1f} µs",
        times[fastest] / own, f"{ROUNDS} rounds", Target(LEAST_GAIN, times[fastest] / (bare + MOONSHOT_US)),
        f"{case.alg}, µs: ours {own:.1f}, bare `cryptography` {bare:.1f}, {others}. Moonshot: bare + 5 µs. "
        "All run the same OpenSSL verify; what can still be gained lies between ours and bare.",
    )  # fmt: skip


def _microseconds(verifiers: dict[str, Verify], case: Case) -> dict[str, float]:
    """The median µs of one call of each verifier and of `bare`, all taking turns."""
    calls: dict[str, Callable[[], object]] = {"bare": case.bare}
    for name, verify in verifiers.items():
        calls[name] = lambda verify=verify: verify(case.token)  # type: ignore[misc]
    rounds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begin = time.perf_counter_ns()
            for _ in range(CALLS):
                call()
            rounds[name].append((time.perf_counter_ns() - begin) / CALLS / 1000)
    return {name: statistics.median(spent) for name, spent in rounds.items()}


def _require_checking(name: str, verify: Verify, case: Case) -> None:
    """Raise RuntimeError unless the library takes the token and refuses its tampered twin."""
    verify(case.token)
    try:
        verify(case.tampered)
    except Exception:
        return
    raise RuntimeError(f"{name} takes a tampered {case.alg} token")


def _verifiers(case: Case) -> dict[str, Verify]:
    """A verifier for each installed library, ours among them."""
    makers = {
        "jwtgate": _jwtgate, "joserfc": _joserfc, "PyJWT": _pyjwt, "Authlib": _authlib,
        "jwcrypto": _jwcrypto, "python-jose": _python_jose,
    }  # fmt: skip
    found = {}
    for name, make in makers.items():
        try:
            found[name] = make(case)
        except ModuleNotFoundError:
            continue
    if "jwtgate" not in found or len(found) == 1:
        raise RuntimeError("needs jwtgate and at least one other library: pip install -e '.[test,bench]'")
    return found


def _jwtgate(case: Case) -> Verify:
    jwtgate = importlib.import_module("jwtgate")
    if not hasattr(jwtgate, "verify"):
        raise RuntimeError("jwtgate.verify is not there")
    is_secret = case.alg == "HS256"
    key = jwtgate.Key.secret(case.key, alg=case.alg) if is_secret else jwtgate.Key.from_pem(case.key)
    verify = jwtgate.verify
    return lambda token: verify(token, key, algorithms=[case.alg], issuer=ISSUER, audience=AUDIENCE)


def _joserfc(case: Case) -> Verify:
    jwt, jwk = importlib.import_module("joserfc.jwt"), importlib.import_module("joserfc.jwk")
    key = jwk.import_key(case.key, case.kty)
    wanted = {"essential": True}
    registry = jwt.JWTClaimsRegistry(iss={**wanted, "value": ISSUER}, aud={**wanted, "value": AUDIENCE}, exp=wanted)

    def verify(token: str) -> None:
        registry.validate(jwt.decode(token, key, algorithms=[case.alg]).claims)

    return verify


def _pyjwt(case: Case) -> Verify:
    jwt = importlib.import_module("jwt")
    key = jwt.get_algorithm_by_name(case.alg).prepare_key(case.key)
    return lambda token: jwt.decode(token, key, algorithms=[case.alg], issuer=ISSUER, audience=AUDIENCE)


def _authlib(case: Case) -> Verify:
    with warnings.catch_warnings():
        importlib.import_module("authlib.deprecate")  # sets a filter of its own, so before ours
        warnings.simplefilter("ignore")  # it announces its own end; it is measured while it lasts
        jose = importlib.import_module("authlib.jose")
        jwt = jose.JsonWebToken([case.alg])
    key = jose.JsonWebKey.import_key(case.key, {"kty": case.kty})
    wanted = {"essential": True}
    options = {"iss": {**wanted, "value": ISSUER}, "aud": {**wanted, "value": AUDIENCE}, "exp": wanted}

    def verify(token: str) -> None:
        jwt.decode(token, key, claims_options=options).validate()

    return verify


def _jwcrypto(case: Case) -> Verify:
    jwt, jwk = importlib.import_module("jwcrypto.jwt"), importlib.import_module("jwcrypto.jwk")
    is_secret = case.alg == "HS256"
    key = jwk.JWK(kty="oct", k=b64(case.key)) if is_secret else jwk.JWK.from_pem(case.key)
    wanted = {"iss": ISSUER, "aud": AUDIENCE, "exp": None}
    return lambda token: jwt.JWT(jwt=token, key=key, algs=[case.alg], check_claims=wanted)


def _python_jose(case: Case) -> Verify:
    jwt, jwk = importlib.import_module("jose.jwt"), importlib.import_module("jose.jwk")
    key = jwk.construct(case.key.decode() if case.alg != "HS256" else case.key, case.alg)
    return lambda token: jwt.decode(token, key, algorithms=[case.alg], issuer=ISSUER, audience=AUDIENCE)
