"""One plan with the state it needs, numbered, and the tables the data plane works out from it once."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping

from jwtgate.gateway.heads.fields import RequestFieldKinds, ResponseFieldKinds
from jwtgate.gateway.memory import Places, head_memory, outcome_memory, places_of
from jwtgate.gateway.mint import NeedMinted
from jwtgate.gateway.upstreams.upstreams import Upstreams
from jwtgate.oauth import dpop
from jwtgate.policy.facts import Need, NeedIssuedToken, NeedNonces, NeedSigned
from jwtgate.policy.plan import Listener, Plan
from jwtgate.policy.sources import ClaimGenerator
from jwtgate.state.answers import Snapshot
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.issued_tokens import IssuedTokens
from jwtgate.state.nonces import NONCE_SECRET_BYTES, Nonces
from jwtgate.state.signed_tokens import SignedTokens

OWN_KEYS, OWN_METADATA, LIVEZ, READYZ, HEALTHZ = "keys", "metadata", "livez", "readyz", "healthz"
METRICS = "metrics"
NO_SIGNED_TOKENS = SignedTokens({})
STATUS_ADDRESSES = {"/livez": LIVEZ, "/readyz": READYZ, "/healthz": HEALTHZ, "/metrics": METRICS}


class Generation:
    """A plan that is being served. A request keeps the generation it started with."""

    def __init__(
        self,
        number: int,
        plan: Plan,
        facts: Snapshot,
        *,
        issued_tokens: IssuedTokens,
        signed_tokens: SignedTokens = NO_SIGNED_TOKENS,
        nonces: Nonces | None = None,
        claim_generators: ClaimGenerators,
        keys_document: bytes,
        metadata_document: bytes | None,
        contexts: Mapping[Listener, ssl.SSLContext] | None = None,
    ) -> None:
        """`contexts` hold the certificates of the listeners that speak TLS, where it is to be served."""
        self.number = number
        self.plan = plan
        self.facts = facts
        self.issued_tokens = issued_tokens
        self.signed_tokens = signed_tokens
        self.nonces = nonces or Nonces(os.urandom(NONCE_SECRET_BYTES))
        self.claim_generators = claim_generators
        self.keys_document = keys_document
        self.metadata_document = metadata_document
        self.contexts = contexts or {}
        self.memory = outcome_memory(plan.limits.remembered_outcomes)
        self.heads, self.trusted_heads = head_memory(), head_memory()
        self.epoch = 0
        self.request_id_begun = f"{plan.request_id_field}: ".encode()
        self.told_fields = () if plan.generation_field is None else ((plan.generation_field, str(number)),)
        self.told_lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in self.told_fields)
        self.kinds = RequestFieldKinds(plan, trusted=False)
        self.trusted_kinds = RequestFieldKinds(plan, trusted=True)
        self.response_kinds = ResponseFieldKinds(plan)
        self.places = _places(plan)
        self.fields_read = frozenset({dpop.FIELD}.union(*(places.fields for places in self.places.values())))
        self.upstreams = Upstreams(plan, self.response_kinds)
        self.balancers = self.upstreams.balancers
        self.own_addresses = _own_addresses(plan)
        self._trusted = [ipaddress.ip_network(network) for network in plan.trusted_proxies]

    def forget_outcomes(self) -> None:
        """Forget what was decided with facts that hold no longer (SEC-67, SEC-75)."""
        self.epoch += 1
        self.memory.forget_all()

    def answer_now(self, need: Need | NeedMinted, now: float) -> object | None:
        """The answer to a need that can be met without waiting, or None."""
        if isinstance(need, NeedIssuedToken) and not self.issued_tokens.is_slow(need):
            return self.issued_tokens.issue(need, now)
        if isinstance(need, NeedSigned) and not self.signed_tokens.is_slow(need):
            return self.signed_tokens.sign(need)
        if isinstance(need, NeedNonces):
            return self.nonces.around(int(now), need.seconds)
        return None

    def is_trusted(self, client: str) -> bool:
        """Whether this peer may speak for others (SEC-114)."""
        if not self._trusted or not client:
            return False
        address = ipaddress.ip_address(client.partition("%")[0])
        return any(address in network for network in self._trusted)

    def caches(self) -> dict[str, tuple[int, int]]:
        """How much each memory holds besides that of outcomes, and how much it has let go of for want of room."""
        heads, answers = (self.heads, self.trusted_heads), [pool.answers for pool in self.upstreams.pools()]
        return {
            "request_heads": (sum(map(len, heads)), sum(each.evicted for each in heads)),
            "answer_heads": (sum(map(len, answers)), sum(each.evicted for each in answers)),
            "issued_tokens": (self.issued_tokens.entries, self.issued_tokens.evicted),
            "callers": self.facts.callers,
        }


def _places(plan: Plan) -> dict[str, Places]:
    """By the route; those who have the same share one."""
    shared: dict[Places, Places] = {}
    each = ((route.name, places_of(route)) for route in plan.routes)
    return {name: shared.setdefault(places, places) for name, places in each}


def generators_of(plan: Plan) -> tuple[ClaimGenerator, ...]:
    """All plug-ins that add claims to a token of this plan."""
    issues = (*plan.profiles.values(), *(issue for route in plan.routes for issue in route.issue))
    names = dict.fromkeys(issue.generator for issue in issues if issue.generator is not None)
    return tuple(plan.generators.get(name) or ClaimGenerator(name, name) for name in names)


def _own_addresses(plan: Plan) -> dict[str, str]:
    own = dict(STATUS_ADDRESSES)
    if plan.own.keys is not None and plan.signing:
        own[plan.own.keys] = OWN_KEYS
    if plan.own.metadata is not None and plan.iss is not None:
        own[plan.own.metadata] = OWN_METADATA
    return own
