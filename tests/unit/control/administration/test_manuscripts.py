"""A manuscript and the document it becomes are changed together or not at all."""

import pytest

from jwtgate.control.administration.administration import Administration
from jwtgate.control.documents import Text
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import StoreConflict

from ..samples import DOCUMENT
from .nodes import WHO, administer, status

OTHER = Text("other.yaml", DOCUMENT.replace('path: "/*"', 'path: "/other"').encode())


def test_a_manuscript_is_kept_with_its_document_in_force() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        assert await node.manuscripts.get("a") is None
        assert await node.manuscripts.put("a", {"page": 1}, OTHER, over=0, who=WHO) == 1
        kept = await node.manuscripts.get("a")
        assert kept is not None
        assert (kept.value, kept.changed_by) == ({"page": 1}, WHO)
        assert await status(gateway, "/elsewhere") == 404
        assert gateway.running.text == OTHER

    administer(use)


@pytest.mark.parametrize(("text", "over"), [(Text("x.yaml", b"listen: 1"), 0), (OTHER, 7)])
def test_rel_5_a_document_that_is_wrong_or_late_changes_nothing(text: Text, over: int) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        before = gateway.running
        with pytest.raises((ConfigError, StoreConflict)):
            await node.manuscripts.put("a", {"page": 1}, text, over=over, who=WHO)
        assert gateway.running is before
        assert await node.manuscripts.get("a") is None

    administer(use)


def test_what_was_kept_is_kept_again_when_the_workers_cannot_serve_what_came_after() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.manuscripts.put("a", {"page": 1}, OTHER, over=0, who=WHO)
        taken = Text("taken.yaml", DOCUMENT.replace("127.0.0.1:0", "203.0.113.9:1").encode())
        with pytest.raises(ConfigError):
            await node.manuscripts.put("a", {"page": 2}, taken, over=1, who=WHO)
        kept = await node.manuscripts.get("a")
        assert kept is not None
        assert kept.value == {"page": 1}
        assert await status(gateway, "/elsewhere") == 404

    administer(use)
