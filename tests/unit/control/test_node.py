"""A node changes from one generation to the next wholly or not at all, and its workers with it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jwtgate.control.documents import Text
from jwtgate.control.node import Node
from jwtgate.control.workers.link import encode
from jwtgate.control.workers.messages import RevocationsChanged, StoreChanged
from jwtgate.errors import ConfigError
from jwtgate.gateway.observe import ConsumerCount, Counters
from jwtgate.policy.revocations import Revocation, RevokedBy
from jwtgate.state.stores.store import MemoryStore

from .samples import DOCUMENT, SECRET, write_certificate


def run(tmp_path: Path, use: Callable[[Node], Awaitable[None]]) -> None:
    async def bounded() -> None:
        environ = {"TEST_SECRET": SECRET}
        node = Node(tmp_path, size=2, store=MemoryStore(), saved=tmp_path, environ=environ)
        try:
            async with asyncio.timeout(30):
                await use(node)
        finally:
            await node.close()

    asyncio.run(bounded())


def text(document: str = DOCUMENT) -> Text:
    return Text("jwtgate.yaml", document.encode())


def pids(node: Node) -> set[int]:
    return {worker.pid for worker in node._workers()}


def test_the_same_workers_serve_the_next_generation(tmp_path: Path) -> None:
    async def use(node: Node) -> None:
        await node.take(await node.build(text()))
        workers = pids(node)
        assert len(workers) == 2
        await node.take(await node.build(text()))
        assert node.generation == 2
        assert {worker.serving for worker in node._workers()} == {2}
        assert pids(node) == workers

    run(tmp_path, use)


def test_rel_3_what_the_workers_cannot_build_is_served_by_none_of_them(tmp_path: Path) -> None:
    async def use(node: Node) -> None:
        await node.take(await node.build(text()))
        built = await node.build(text())
        with pytest.raises(ConfigError, match="ValueError"):
            await node.take(replace(built, plan=replace(built.plan, trusted_proxies=("no network",))))
        assert node.generation == 1
        assert {worker.serving for worker in node._workers()} == {1}
        await node.take(await node.build(text()))
        assert {worker.serving for worker in node._workers()} == {3}

    run(tmp_path, use)


def test_rel_3_what_cannot_be_taken_back_does_not_hide_why(tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"name": "zoe"}\n')
    with_file = text(DOCUMENT + "consumer_files: [more.jsonl]\n")

    async def use(node: Node) -> None:
        await node.take(await node.build(with_file))
        built = await node.build(text())
        more.unlink()
        with pytest.raises(ConfigError, match="ValueError"):
            await node.take(replace(built, plan=replace(built.plan, trusted_proxies=("no network",))))
        assert node.generation == 1
        assert list(node._alive) == [1]
        assert {worker.serving for worker in node._workers()} == {1}
        more.write_text('{"name": "zoe"}\n')
        await node.take(await node.build(with_file))
        assert node.running.callers.directory.counts() == (1, 0)

    run(tmp_path, use)


def test_a_first_generation_no_worker_can_build_leaves_no_worker_behind(tmp_path: Path) -> None:
    async def use(node: Node) -> None:
        built = await node.build(text())
        with pytest.raises(ConfigError, match="ValueError"):
            await node.take(replace(built, plan=replace(built.plan, trusted_proxies=("no network",))))
        assert (node.generation, pids(node)) == (0, set())

    run(tmp_path, use)


def test_a_renewed_certificate_is_shown_after_the_next_reload_by_the_same_workers(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    listener = f"{{address: '127.0.0.1:0', tls: {{certificate: {certificate}, private_key: {key}}}}}"
    document = text(DOCUMENT.replace('"127.0.0.1:0"', listener))

    async def use(node: Node) -> None:
        workers = []
        for _ in range(2):
            write_certificate(certificate, key)
            await node.take(await node.build(document))
            ((_, sock),) = node._sockets.bind(node._running.plan.listeners)  # type: ignore[union-attr]
            shown = await asyncio.to_thread(ssl.get_server_certificate, sock.getsockname())
            assert shown.strip() == certificate.read_text().strip()
            workers.append(pids(node))
        assert workers[0] == workers[1]

    run(tmp_path, use)


def test_who_asks_while_the_first_workers_start_is_told_not_ready(tmp_path: Path) -> None:
    async def use(node: Node) -> None:
        starting = asyncio.create_task(node.take(await node.build(text())))
        while not node._crews:
            await asyncio.sleep(0.001)
        assert (await node._report(Counters())).ready is False
        await starting
        report = await node._report(Counters())
        assert (report.ready, report.degraded, report.workers) == (True, False, 2)
        assert report.consumers == (ConsumerCount("document", 0), ConsumerCount("store", 0))

    run(tmp_path, use)


def revoked(many: int) -> RevocationsChanged:
    return RevocationsChanged(tuple(Revocation(f"r-{number}", RevokedBy.JTI, "j") for number in range(many)))


class Listed:
    """A list that takes far longer to encode than one entry does."""

    def entries(self) -> tuple[Revocation, ...]:
        return revoked(50_000).entries


async def until(reached: Callable[[], bool]) -> None:
    while not reached():
        await asyncio.sleep(0.005)


def test_sec_75_a_long_list_is_encoded_beside_the_loop_and_the_newest_is_told_last(tmp_path: Path) -> None:
    async def use(node: Node) -> None:
        await node.take(await node.build(text()))
        changes = node._changes[1]
        before = changes[RevocationsChanged]
        for many in (20_000, 10_000, 1):
            node._tell_all(revoked(many))
        assert changes[RevocationsChanged] == before
        await until(lambda: not node._retiring)
        assert changes[RevocationsChanged] == encode(revoked(1))

    run(tmp_path, use)


def test_sec_75_what_is_revoked_while_a_generation_is_encoded_holds_in_it(tmp_path: Path) -> None:
    async def use(node: Node) -> None:
        built = await node.build(text())
        built.callers.revocations = Listed()  # type: ignore[assignment]
        framing = asyncio.create_task(node._framed(built))
        await until(lambda: built.number in node._changes)
        node._tell_all(revoked(1))
        await until(lambda: not node._retiring)
        frames = await framing
        assert frames.changes[RevocationsChanged] == encode(revoked(1))

    run(tmp_path, use)


def test_sec_76_workers_and_generations_of_later_know_that_the_store_is_away(tmp_path: Path) -> None:
    class Watch:
        def look(self) -> str:
            return "locked"

    async def use(node: Node) -> None:
        built, away = await node.build(text()), encode(StoreChanged(away=True))
        built.callers._watch = Watch()  # type: ignore[assignment]
        await node.take(built)
        await until(lambda: node._changes[1][StoreChanged] == away)
        assert (await node._framed(await node.build(text()))).changes[StoreChanged] == away
        report = await node._report(Counters())
        assert (report.ready, report.degraded, report.store_away) == (True, True, True)

    run(tmp_path, use)
