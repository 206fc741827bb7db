"""TLS to clients: what a connection costs with a full handshake and with a resumed one, and requests on kept ones."""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .contestants import Contestant, Running
from .load import Measure, measured
from .ours import HOT_ROUTES, document, serving
from .pairs import Comparison, compare, in_turn
from .processes import LOAD_CPU, free_port, pinned
from .report import Row
from .rows import Bench, both, hot_paths, spread, told_rate

HANDSHAKES = Path(__file__).with_name("handshakes.py")
SAME = "The same certificate for both (ECDSA P-256); ours verifies tokens besides, the peer only proxies."
OF_ONE_CORE = (
    "Connections come one after the other, each with one request, so the load is the limit: what is compared is how "
    "many one whole core would make, by the CPU time of each."
)


def tls_rows(bench: Bench, peer: Contestant) -> list[Row]:
    """Connections with a full handshake, with a resumed one, and requests on kept connections, beside this peer."""
    certificate = _certificate(bench.place.folder)
    requests = bench.requests("hot", hot_paths(HOT_ROUTES))
    with both(bench, _ours(bench, certificate), peer) as (mine, theirs):
        kept = compare(mine, theirs, requests, bench.settings)
        made = {kind: _connections(bench, mine, theirs, partial(_run, certificate, requests, kind))
                for kind in ("full", "resumed")}  # fmt: skip
    against = f"ours ÷ {peer.name}"
    rows = [
        _row(f"TLS, a connection with a {kind} handshake and one request, {against}", found, OF_ONE_CORE)
        for kind, found in made.items()
    ]
    return [*rows, _row(f"TLS, hot requests on kept connections, {against}", kept)]


def _connections(bench: Bench, mine: Running, theirs: Running, run: Callable[[Running, float], Measure]) -> Comparison:
    seconds = bench.settings.seconds
    return in_turn(
        partial(run, mine, seconds), partial(run, theirs, seconds), bench.settings.pairs, figure=_of_one_core
    )


def _of_one_core(run: Measure) -> float:
    return 1e6 / run.cpu_us


def _run(certificate: Path, requests: Path, kind: str, gateway: Running, seconds: float) -> Measure:
    load = (sys.executable, str(HANDSHAKES), str(gateway.port), str(certificate), str(requests), kind, str(seconds))
    return measured(gateway.pid, [pinned(load, LOAD_CPU)], seconds=seconds)


def _ours(bench: Bench, certificate: Path) -> Contestant:
    folder, port = bench.place.folder, free_port()
    written = document(folder, port, upstream=bench.place.upstream, routes=HOT_ROUTES, alg="RS256")
    tls = {"certificate": str(certificate), "private_key": str(certificate)}
    written["listen"] = {"address": f"127.0.0.1:{port}", "tls": tls}
    return replace(serving("jwtgate TLS", folder, port, written=written), scheme="https")


def _row(title: str, found: Comparison, *sentences: str) -> Row:
    cells = (told_rate(found.ours), told_rate(found.theirs), found.ratio, spread(found.ratios))
    return Row("tls", title, *cells, None, found.note(*sentences, SAME))


def _certificate(folder: Path) -> Path:
    """A file with a key and the certificate that it signed itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "tls.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return file
