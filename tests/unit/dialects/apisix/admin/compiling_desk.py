"""A node in memory that keeps only what can be served: every change is translated, read and compiled."""

from __future__ import annotations

from pathlib import Path

from tests.unit.dialects.fake_desk import FakeDesk

from jwtgate.config.compile.document import compile_document
from jwtgate.config.load import load_document
from jwtgate.config.parts import check_consumer
from jwtgate.dialects.apisix.dialect import DIALECT
from jwtgate.dialects.apisix.settings import ApisixSettings
from jwtgate.dialects.dialect import Caller, Meaning, Objects
from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import json_bytes

SETTINGS = ApisixSettings(Path(), Path(), {}, listen=("127.0.0.1:0",))


class CompilingDesk(FakeDesk):
    """Refuses with `ConfigError` what a node would refuse."""

    async def keep(self, objects: Objects, *, over: int, who: str) -> None:
        """Keep these objects if they can be served."""
        translation = DIALECT.translate(objects, SETTINGS)
        refused = [note.sentence for note in translation.notes if note.meaning is Meaning.REFUSED]
        if refused:
            raise ConfigError(*refused)
        data = json_bytes(dict(translation.document))
        compile_document(load_document(data, name="apisix.json", folder=Path(), resolve=lambda _: "s" * 40))
        await super().keep(objects, over=over, who=who)

    async def put_caller(self, caller: Caller, *, who: str) -> None:
        """Know this consumer if it is one."""
        check_consumer(dict(caller.value), name=caller.name)
        await super().put_caller(caller, who=who)
