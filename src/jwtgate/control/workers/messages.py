"""What supervisor and workers say to each other.

A generation is changed in two steps, so that a node runs the old one or the new one and never both: every worker
builds it, and only when all could, all switch. Key material travels in `SentKey` alone, which never shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jwtgate.gateway.mint import Minted, NeedMinted
from jwtgate.gateway.observe import Counters, Report
from jwtgate.jose.encoding import JSON
from jwtgate.policy.callers import Consumer
from jwtgate.policy.facts import Allowance, Introspected, Need
from jwtgate.policy.plan import Plan
from jwtgate.policy.revocations import Revocation


@dataclass(frozen=True, slots=True)
class SentKey:
    """One key as a JWK: the public half, or the secret of a MAC key or of a signing key."""

    jwk: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SentKeySet:
    """The keys of a set, and how many others could not be used."""

    keys: tuple[SentKey, ...]
    left_out: int = 0


# Down: from the supervisor to a worker.


@dataclass(frozen=True, slots=True)
class Listen:
    """The first message: the inherited descriptors of the listening sockets, in the order of the plan's listeners."""

    descriptors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SentSigner:
    """A private key or a secret to sign with, its algorithm, and its certificates in DER."""

    key: SentKey
    alg: str
    certificates: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Signing:
    """What we sign with now, by name; and the JWK Set that shows our keys."""

    signers: Mapping[str, SentSigner]
    keys_document: bytes


@dataclass(frozen=True, slots=True)
class Prepare:
    """Build this generation, and say `Prepared` or `NotPrepared`. The plan is without its sources."""

    number: int
    plan: Plan
    key_sets: Mapping[str, SentKeySet]
    signing: Signing
    metadata_document: bytes | None
    nonce_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Switch:
    """Serve the generation of this number, which was sent before."""

    number: int


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """The key set one issuer has from now on in this generation; None: none that may be used."""

    number: int
    issuer: str
    keys: SentKeySet | None


@dataclass(frozen=True, slots=True)
class SigningChanged:
    """Sign with these keys from now on in this generation."""

    number: int
    signing: Signing


@dataclass(frozen=True, slots=True)
class ConsumersChanged:
    """Some consumer or credential is another one now, in every generation."""


@dataclass(frozen=True, slots=True)
class RevocationsChanged:
    """All that is revoked from now on, in every generation."""

    entries: tuple[Revocation, ...]


@dataclass(frozen=True, slots=True)
class StoreChanged:
    """Whether the store is away from now on, for every generation: nobody can tell what is revoked meanwhile."""

    away: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The key set asked for is the one last sent. The same need may not be asked again for so many seconds."""

    ask: int
    quiet_seconds: float


@dataclass(frozen=True, slots=True)
class SentCredential:
    """A consumers' credential, with its keys as they are sent."""

    name: str
    id: str
    consumer: Consumer
    algorithms: frozenset[str]
    keys: SentKeySet
    leeway_seconds: int | None
    labels: Mapping[str, str] = field(default_factory=dict)
    fetched: bool = False
    claims: Mapping[str, JSON] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class NotYet:
    """What was asked for is not there, and may be a moment later: somebody waits for what it is found by."""


Sent = SentCredential | NotYet | Consumer | Introspected | Minted | Allowance | bool | None


@dataclass(frozen=True, slots=True)
class Found:
    """What was asked for besides key sets; None where there is none."""

    ask: int
    found: Sent


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What was asked for could not be had: the fault to throw, with its detail for the log."""

    ask: int
    reason: str
    retry_after_seconds: int
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """The report asked for."""

    ask: int
    report: Report


@dataclass(frozen=True, slots=True)
class CountersWanted:
    """Say `Counted` now."""


@dataclass(frozen=True, slots=True)
class Drain:
    """Accept nothing more, finish what runs within so many seconds, and exit."""

    seconds: float


# Up: from a worker to the supervisor.


@dataclass(frozen=True, slots=True)
class Prepared:
    """The generation is built and waits for its `Switch`."""

    number: int


@dataclass(frozen=True, slots=True)
class NotPrepared:
    """The generation could not be built; `problem` names the kind of error and nothing of the input."""

    number: int
    problem: str


@dataclass(frozen=True, slots=True)
class Serving:
    """The worker listens and serves this generation."""

    number: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A need, in the generation it arose in."""

    ask: int
    number: int
    need: Need | NeedMinted


@dataclass(frozen=True, slots=True)
class ReportWanted:
    """Somebody asks this worker how the node is doing."""

    ask: int


@dataclass(frozen=True, slots=True)
class Counted:
    """All that this worker has counted so far."""

    counters: Counters
