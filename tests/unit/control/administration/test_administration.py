"""Signing keys, revocations and the state of a running node."""

import asyncio
from pathlib import Path

import pytest

from jwtgate.control.administration.administration import Administration
from jwtgate.control.administration.resources import NotFound
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.errors import ConfigError
from jwtgate.policy.revocations import Revocation, RevokedBy

from .nodes import ROUTE, WHO, administer

REVOKED = Revocation("r-1", RevokedBy.SUBJECT, "alice", issuer="main")


@pytest.mark.parametrize("kind", ["", "document", "limits", "signing.keys"])
def test_there_are_no_resources_of_other_kinds(kind: str) -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        with pytest.raises(NotFound):
            await node.list(kind, after=None, limit=1, contains=None)
        with pytest.raises(NotFound):
            await node.put(kind, "a", ROUTE, over=None, who=WHO)

    administer(use)


def test_a_rotation_is_planned_begun_and_written_down() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        plan = await node.rotate("default", who=WHO, plan_only=True)
        (name,) = await node.signing_keys()
        assert [key["state"] for key in name["keys"]] == ["active"]  # type: ignore[index,union-attr,call-overload]
        begun = await node.rotate("default", who=WHO, plan_only=False)
        assert begun["former"] == plan["former"]
        (name,) = await node.signing_keys()
        assert [key["state"] for key in name["keys"]] == ["active", "upcoming"]  # type: ignore[index,union-attr,call-overload]
        assert "'d'" not in repr(name)
        (entry,) = await node.audit(after=0, limit=9)
        assert (entry.who, entry.action, entry.kind, entry.name) == (WHO, "rotate", "signing_key", "default")
        with pytest.raises(ConfigError):
            await node.rotate("default", who=WHO, plan_only=False)
        with pytest.raises(NotFound):
            await node.rotate("other", who=WHO, plan_only=True)

    administer(use)


def test_sec_75_what_is_revoked_is_heeded_until_it_is_withdrawn() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.revoke(REVOKED, who=WHO)
        await heeded(gateway, is_revoked=True)
        assert list(await node.revocations(after=None, limit=9)) == [REVOKED]
        await node.withdraw_revocation("r-1", who=WHO)
        await heeded(gateway, is_revoked=False)
        with pytest.raises(NotFound):
            await node.withdraw_revocation("r-1", who=WHO)

    administer(use)


async def heeded(gateway: EmbeddedGateway, *, is_revoked: bool) -> None:
    """Wait until what is served says so."""
    while bool(gateway.worker.generation.facts.revocations) is not is_revoked:
        await asyncio.sleep(0.005)


def test_sec_75_what_was_revoked_is_heeded_after_a_reload_and_a_restart(tmp_path: Path) -> None:
    async def first(gateway: EmbeddedGateway, node: Administration) -> None:
        await node.revoke(REVOKED, who=WHO)
        await node.put("upstreams", "more", {"targets": "http://127.0.0.1:9"}, over=None, who=WHO)
        assert gateway.worker.generation.facts.revocations

    async def second(gateway: EmbeddedGateway, node: Administration) -> None:
        assert gateway.worker.generation.facts.revocations
        assert list(await node.revocations(after=None, limit=9)) == [REVOKED]

    administer(first, state_folder=tmp_path)
    administer(second, state_folder=tmp_path)


def test_a_revocation_of_an_issuer_nobody_knows_is_a_mistake() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        with pytest.raises(ConfigError, match="other"):
            await node.revoke(Revocation("r-1", RevokedBy.JTI, "t", issuer="other"), who=WHO)
        assert list(await node.revocations(after=None, limit=9)) == []

    administer(use)


def test_revocations_are_listed_a_part_at_a_time() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        for number in (3, 1, 2):
            await node.revoke(Revocation(f"r-{number}", RevokedBy.JTI, "t"), who=WHO)
        first = await node.revocations(after=None, limit=2)
        assert [entry.id for entry in first] == ["r-1", "r-2"]
        assert [entry.id for entry in await node.revocations(after="r-2", limit=2)] == ["r-3"]

    administer(use)


def test_the_node_is_told_of() -> None:
    async def use(gateway: EmbeddedGateway, node: Administration) -> None:
        report = await node.report()
        assert (report.generation, report.ready) == (1, True)
        assert [issuer.issuer for issuer in report.issuers] == ["main"]

    administer(use)
