"""The same gateway without sockets, at any time one likes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.dialects.wso2.records import records
from tests.unit.policy.plans import request

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.dialects.dialect import Settings
from jwtgate.dialects.wso2.dialect import DIALECT
from jwtgate.gateway.generation import generators_of
from jwtgate.jose.certificate import parse_certificates
from jwtgate.jose.encoding import json_bytes
from jwtgate.jose.key import Key
from jwtgate.policy.callers import Consumer, Credential
from jwtgate.policy.decide import decide
from jwtgate.policy.facts import Need, NeedClaims, NeedConsumer, NeedCredential, NeedIssuedToken
from jwtgate.policy.outcome import Allowed, Outcome
from jwtgate.policy.provisions import Issue
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.answers import Snapshot
from jwtgate.state.callers.credentials import credential_of
from jwtgate.state.claim_generators import ClaimGenerators
from jwtgate.state.issued_tokens import ENCODED, IssuedTokens
from jwtgate.state.keys.keyring import Signer

NOON = 1_800_000_000


class Simulated:
    """What a gateway with this configuration and `more` records decides."""

    def __init__(self, folder: Path, configuration: str, **more: Any) -> None:
        self._folder = folder
        self._configuration = configuration
        self.change(**more)

    def change(self, **more: Any) -> None:
        """Begin a generation with other records."""
        name = "api-manager.xml" if self._configuration.startswith("<") else "deployment.toml"
        texts = [
            (name, self._configuration.encode()),
            ("records.json", json.dumps(records("http://127.0.0.1:9", **more)).encode()),
        ]
        settings = Settings(folder=self._folder, state_folder=self._folder, environ={}, listen=("127.0.0.1:0",))
        objects = DIALECT.complete(DIALECT.read(texts, settings))
        translation = DIALECT.translate(objects, settings)
        self.notes = translation.notes
        consumers = {caller.name: caller.value for caller in DIALECT.callers(objects, settings)}
        document = load_document(
            json_bytes({**translation.document, "consumers": consumers}),
            name="wso2.json",
            folder=self._folder,
            resolve=_resolve,
        )
        self.plan = compile_document(document)
        sources = self.plan.sources.consumers
        self._consumers = [source.consumer for source in sources]
        held = [(each, source.consumer) for source in sources for each in source.credentials]
        self._credentials = {each.named: credential_of(each, owner, str) for each, owner in held}
        self._generators = ClaimGenerators(generators_of(self.plan))
        self._tokens = IssuedTokens({name: _signer(keys) for name, keys in self.plan.signing.items()})

    def outcome(
        self, bearer: str | None, now: float = NOON, path: str = "/placeFinder/1.0.0/find", *fields: tuple[bytes, bytes]
    ) -> Outcome:
        """What becomes of a request at this time (NumericDate)."""
        route = self.plan.router.find("GET", "api.example", path, request(path=path))
        walk = decide(self.plan, request(*fields, bearer=bearer, path=path), Snapshot(), int(now), route=route)
        answer: Any = None
        while True:
            try:
                answer = self._answer(walk.send(answer), now)
            except StopIteration as end:
                found: Outcome = end.value
                return found

    def token(
        self, bearer: str | None, now: float = NOON, path: str = "/placeFinder/1.0.0/find", *fields: tuple[bytes, bytes]
    ) -> str:
        """The backend JWT a request brings."""
        outcome = self.outcome(bearer, now, path, *fields)
        assert isinstance(outcome, Allowed), outcome
        (text,) = [value.decode() for name, value in outcome.rewrite.fields if name.lower() == b"x-jwt-assertion"]
        return text

    def encoded(self, issue: Issue, data: bytes) -> str:
        """These bytes as a part of such a token."""
        return ENCODED[issue.writing.encoding](data)

    def _answer(self, need: Need, now: float) -> object:
        match need:
            case NeedIssuedToken():
                return self._tokens.issue(need, now)
            case NeedClaims():
                return self._generators.generate(need)
            case NeedConsumer():
                return self._consumer(need)
            case NeedCredential():
                return self._credential(need)
        raise AssertionError(need)

    def _consumer(self, need: NeedConsumer) -> Consumer | None:
        member = {ConsumerName.NAME: "name", ConsumerName.ID: "id", ConsumerName.EXTERNAL_ID: "external_id"}
        found = (each for by in need.by for each in self._consumers if getattr(each, member[by]) == need.value)
        return next(found, None)

    def _credential(self, need: NeedCredential) -> Credential | None:
        return self._credentials.get(need.name)


def _resolve(text: str) -> str:
    return text.replace("$${", "${")


def _signer(keys: SigningKeys) -> Signer:
    assert keys.file is not None
    assert keys.certificate_file is not None
    key = Key.from_jwk(json.loads(Path(keys.file).read_text()))
    return Signer(key.bound_to(keys.alg), keys.alg, parse_certificates(Path(keys.certificate_file).read_bytes()))
