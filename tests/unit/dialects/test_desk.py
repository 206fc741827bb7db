"""What a dialect's Admin API changes is served, or nothing has changed."""

import json
from pathlib import Path

import pytest

from jwtgate.control.administration.administration import Administration
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.dialects.author import DialectAuthor
from jwtgate.dialects.desk import NodeDesk
from jwtgate.dialects.dialect import Caller, Conflict, Settings
from jwtgate.errors import ConfigError
from jwtgate.state.stores.store import MemoryStore

from ..control.administration.nodes import administer, status
from .fake_dialect import FakeDialect

WHO = "ann"


def desk_of(node: Administration, folder: Path) -> NodeDesk:
    author = DialectAuthor(FakeDialect(), (), Settings(folder, folder, {}), MemoryStore())
    return NodeDesk(node, author)


def test_objects_are_kept_and_served_together(tmp_path: Path) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        desk = desk_of(node, tmp_path)
        await desk.keep({"doors": {"/a": 200}}, over=0, who=WHO)
        kept = await desk.kept()
        assert (kept.objects, kept.version) == ({"doors": {"/a": 200}, "marks": "made"}, 1)
        assert [await status(gateway, "/a"), await status(gateway, "/b")] == [502, 404]
        stored = await node.manuscripts.get("fake")
        assert stored is not None
        assert stored.value == kept.objects

    administer(use)


def test_objects_that_cannot_be_served_change_nothing(tmp_path: Path) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        desk = desk_of(node, tmp_path)
        await desk.keep({"doors": {"/a": 200}}, over=0, who=WHO)
        number = gateway.running.number
        with pytest.raises(ConfigError):
            await desk.keep({"doors": {"no path": 200}}, over=1, who=WHO)
        with pytest.raises(Conflict):
            await desk.keep({"doors": {"/b": 200}}, over=0, who=WHO)
        assert gateway.running.plan.routes[0].name == "/a"
        assert (await desk.kept()).version == 1
        assert gateway.running.number == number

    administer(use)


def test_callers_are_live_and_known_with_all_that_was_written_of_them(tmp_path: Path) -> None:
    value = {"id": "1-2", "annotations": {"fake": {"born": 1}}, "labels": {"a": "b"}}

    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        desk = desk_of(node, tmp_path)
        async with desk.changing():
            await desk.put_caller(Caller("ann", value), who=WHO)
        assert await desk.caller("ann") == value
        assert await desk.callers() == [("ann", value)]
        assert [await desk.caller_known_as("1-2"), await desk.caller_with("none")] == ["ann", None]
        assert [await desk.delete_caller("ann", who=WHO), await desk.delete_caller("ann", who=WHO)] == [True, False]
        assert await desk.caller("ann") is None

    administer(use)


def test_a_caller_of_the_file_cannot_be_changed(tmp_path: Path) -> None:
    file = tmp_path / "fake.json"
    file.write_text(json.dumps({"people": ["ann"]}))
    author = DialectAuthor(FakeDialect(), (file,), Settings(tmp_path, tmp_path, {}), MemoryStore())
    text = author.written()

    async def use(_: EmbeddedGateway, node: Administration) -> None:
        desk = NodeDesk(node, author)
        await node.manuscripts.put("fake-made", {"marks": "made"}, text, over=0, who=WHO)
        with pytest.raises(Conflict):
            await desk.put_caller(Caller("ann", {}), who=WHO)
        with pytest.raises(Conflict):
            await desk.delete_caller("ann", who=WHO)

    administer(use)
