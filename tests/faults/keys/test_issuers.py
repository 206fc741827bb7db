"""Issuers that are away, slow or talk nonsense, and what becomes of those who come with their tokens meanwhile."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.harness.figures import Figures, recovery_seconds
from tests.faults.harness.load import Load
from tests.faults.keys.neighbours import Issuer, Neighbours, document, key_set
from tests.integration.gateway_process import GatewayProcess
from tests.integration.scripted_server import Script, answer

from jwtgate.jose.encoding import json_bytes

FAILS = "issuer {}: its key set cannot be fetched: {}"
WORKS = "issuer {}: its key set can be fetched again"
TOO_OLD = "issuer {}: its key set is too old to be used any longer"
FETCH_SECONDS = 5.0
PAUSE_SECONDS = 0.004


@pytest.fixture
def around() -> Iterator[Neighbours]:
    with Neighbours() as running:
        yield running


def of(gateway: GatewayProcess, name: str = "orders") -> dict[str, object]:
    """What /healthz tells of this issuer."""
    state = json.loads(gateway.get("/healthz?verbose", listener=-1)[1])
    return next(each for each in state["issuers"] if each["issuer"] == name)


def is_fresh(gateway: GatewayProcess, name: str = "orders") -> bool:
    told = of(gateway, name)
    return told["stale"] is False and told["last_failure"] == ""


def age(gateway: GatewayProcess) -> float:
    return float(str(of(gateway)["age_seconds"]))


def pause(seconds: float) -> None:
    """Let the fault last; there is nothing to wait for but time."""
    time.sleep(seconds)


def test_rel_56_the_last_good_set_serves_while_the_issuer_is_away(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    intervals, amount = (30, 5_000) if full else (3, 500)
    issuer = around.issuer("k1")
    with GatewayProcess(tmp_path, document(around, {"orders": issuer}, refresh_seconds=1)) as gateway:
        figures = Figures(
            "REL-56",
            f"the issuer refuses connections for {intervals} times the age at which its set is fetched again",
            pids=gateway.pids,
            log=gateway.journal,
        )
        with figures, Load(gateway.ports[0], token=issuer.tokens("k1"), pause_seconds=PAUSE_SECONDS) as load:
            load.more(amount)
            issuer.down()
            began, fetches = time.monotonic(), issuer.fetches
            gateway.until(lambda: gateway.metric("jwtgate_key_set_stale") == 1)
            young = age(gateway)
            pause(intervals)
            old, readiness = age(gateway), gateway.readiness()
            failures = gateway.metric("jwtgate_key_set_failures_total")
            issuer.up()
            ended = time.monotonic()
            figures.note("recovery_seconds", recovery_seconds(lambda: is_fresh(gateway), most_seconds=5))
            load.more(amount)
            figures.note_load(load, began=began, ended=ended)
            figures.note("fetches", f"{fetches} / {int(failures)} failed / {issuer.fetches - fetches}")
            figures.note("age_at_the_end_of_the_fault", f"{old:.1f} s")
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert old > young + intervals - 1
        assert (readiness["ready"], readiness["degraded"]) == (True, True)
        assert failures >= 3
        assert gateway.metric("jwtgate_key_set_stale") == gateway.metric("jwtgate_degraded") == 0
        assert figures.log_events() == {FAILS.format("orders", "refused"): 1, WORKS.format("orders"): 1}


def test_rel_57_past_max_stale_it_is_a_fault_of_ours_until_the_issuer_is_back(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    seconds, amount = (20.0, 5_000) if full else (1.0, 500)
    issuer = around.issuer("k1")
    whole = document(around, {"orders": issuer}, refresh_seconds=1, max_stale_seconds=1)
    with GatewayProcess(tmp_path, whole) as gateway:
        figures = Figures("REL-57", "as REL-56, past max_stale", pids=gateway.pids, log=gateway.journal)
        with figures, Load(gateway.ports[0], token=issuer.tokens("k1"), pause_seconds=PAUSE_SECONDS) as load:
            load.more(amount)
            issuer.down()
            began = time.monotonic()
            gateway.until(lambda: gateway.metric("jwtgate_key_set_keys") == 0)
            figures.note("served_stale_for", f"{time.monotonic() - began:.1f} s")
            connection = gateway.connect()
            connection.request("GET", "/orders/1", headers={"Authorization": f"Bearer {issuer.token('k1')}"})
            told = connection.getresponse()
            connection.close()
            pause(seconds)
            issuer.up()
            ended = time.monotonic()
            figures.note("recovery_seconds", recovery_seconds(lambda: is_fresh(gateway), most_seconds=5))
            since = load.statuses[503]
            load.more(amount)
            figures.note_load(load, began=began, ended=ended, wanted=None)
            figures.note("wrong", load.statuses.total() - load.statuses[200] - load.statuses[503])
            figures.note("answered_503", load.statuses[503])
        assert (told.status, int(told.headers["Retry-After"]) >= 1) == (503, True)
        assert load.dropped == 0
        assert set(load.statuses) == {200, 503}
        assert load.statuses[503] - since <= 8, "only what was on its way at the return"
        assert figures.log_events() == {
            FAILS.format("orders", "refused"): 1,
            TOO_OLD.format("orders"): 1,
            WORKS.format("orders"): 1,
        }


async def _after_thirty_seconds(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)
    writer.write(answer(key_set("k1")))


async def _never(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def _byte_by_byte(writer: asyncio.StreamWriter) -> None:
    for byte in answer(key_set("k1")):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def _fifty_megabytes(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n")
    for _ in range(50):
        writer.write(b" " * 1024 * 1024)
        await writer.drain()


def test_rel_58_who_waits_for_a_slow_issuer_waits_no_longer_than_a_fetch(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    rounds = 5 if full else 1
    scripts: dict[str, Script] = {"late": _after_thirty_seconds, "never": _never, "trickle": _byte_by_byte}
    issuers = {name: around.issuer("k1") for name in scripts}
    with GatewayProcess(tmp_path, document(around, issuers, refresh_seconds=60)) as gateway:
        figures = Figures(
            "REL-58", "three issuers answer after 30 s, never, and 1 byte/s", pids=gateway.pids, log=gateway.journal
        )
        path, token = "/never/1", issuers["never"].tokens("k1")
        with figures, Load(gateway.ports[0], token=token, path=path, pause_seconds=PAUSE_SECONDS) as load:
            load.more(1_000)
            for name, issuer in issuers.items():
                issuer.says(scripts[name])
            began = time.monotonic()
            waits = [_asked_for_a_new_kid(gateway, issuers) for _ in range(rounds)]
            for issuer in issuers.values():
                issuer.publish("k1", "k2")
            ended = time.monotonic()
            back = recovery_seconds(lambda: all(is_fresh(gateway, name) for name in issuers), most_seconds=5)
            figures.note("recovery_seconds", back)
            load.more(1_000)
            figures.note_load(load, began=began, ended=ended)
            longest = max(seconds for each in waits for _, seconds in each.values())
            figures.note("longest_wait_of_a_new_kid", f"{longest:.2f} s")
        assert [{status for status, _ in each.values()} for each in waits] == [{503}] * rounds
        assert longest < FETCH_SECONDS + (1.5 if full else 10.0), "not the thirty seconds of the first"
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert [gateway.get(f"/{name}/1", token=issuers[name].token("k2"))[0] for name in issuers] == [200] * 3
        assert figures.log_events() == {line.format(name, "timeout"): 1 for name in issuers for line in (FAILS, WORKS)}


def _asked_for_a_new_kid(gateway: GatewayProcess, issuers: dict[str, Issuer]) -> dict[str, tuple[int, float]]:
    """The status and the time of a request with a new `kid` to each of these at the same time."""
    found: dict[str, tuple[int, float]] = {}

    def ask(name: str, token: str) -> None:
        began = time.monotonic()
        status, _ = gateway.get(f"/{name}/1", token=token)
        found[name] = (status, time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=(name, issuer.token("k2"))) for name, issuer in issuers.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


NONSENSE: dict[str, tuple[bytes | Script, str]] = {
    "500": (answer(b"", status="500 Internal Server Error"), "status_500"),
    "404": (answer(b"", status="404 Not Found"), "status_404"),
    "page": (answer(b"<html>", media_type="text/html"), "not_json"),
    "cut": (answer(key_set("k1")[:-20]), "key_set_malformed"),
    "cut-short": (answer(key_set("k1"))[:-20], "truncated"),
    "empty": (answer(b'{"keys":[]}'), "key_set_empty"),
    "huge": (_fifty_megabytes, "too_large"),
    "elsewhere": (answer(b"", status="302 Found", fields=("Location: /other",)), "redirect"),
}
DISCOVERED = "discovered"
CONFIGURATION = "/.well-known/openid-configuration"


def test_rel_59_each_wrong_answer_has_its_own_reason_and_the_good_set_is_kept(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    amount = 5_000 if full else 500
    issuers = {name: around.issuer("k1") for name in (*NONSENSE, DISCOVERED)}
    found = issuers[DISCOVERED]
    metadata = {"issuer": found.origin, "jwks_uri": f"{found.origin}/jwks"}
    found.says(answer(json_bytes(metadata)), CONFIGURATION)
    whole = json.loads(document(around, issuers, refresh_seconds=1))
    del whole["issuers"][DISCOVERED]["keys"]
    wanted = {name: cause for name, (_, cause) in NONSENSE.items()} | {DISCOVERED: "metadata_refused"}
    with GatewayProcess(tmp_path, json.dumps(whole)) as gateway:
        figures = Figures(
            "REL-59",
            "500, 404, a page, cut JSON, a cut answer, an empty set, 50 MB, a redirect, metadata of another issuer",
            pids=gateway.pids,
            log=gateway.journal,
        )
        with figures, _load_of_all(gateway, issuers) as load:
            load.more(amount)
            for name, (page, _) in NONSENSE.items():
                issuers[name].says(page)
            found.says(answer(json_bytes({**metadata, "issuer": f"{found.origin}/"})), CONFIGURATION)
            began = time.monotonic()
            gateway.until(lambda: {name: of(gateway, name)["last_failure"] for name in issuers} == wanted)
            load.more(amount)
            failures = {name: of(gateway, name)["failures"] for name in issuers}
            for issuer in issuers.values():
                issuer.publish("k1")
            found.says(answer(json_bytes(metadata)), CONFIGURATION)
            ended = time.monotonic()
            back = recovery_seconds(lambda: all(is_fresh(gateway, name) for name in issuers), most_seconds=5)
            figures.note("recovery_seconds", back)
            load.more(amount)
            figures.note_load(load, began=began, ended=ended)
            figures.note("reasons", ", ".join(wanted.values()))
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert {name: set(counted) for name, counted in failures.items()} == {
            name: {cause} for name, cause in wanted.items()
        }
        assert issuers["elsewhere"].asked("/other") == 0
        assert figures.log_events() == {
            line.format(name, wanted[name]): 1 for name in issuers for line in (FAILS, WORKS)
        }


def _load_of_all(gateway: GatewayProcess, issuers: dict[str, Issuer]) -> Load:
    """A load that asks each route in turn, with a token of its issuer."""
    tokens = {name: issuer.token("k1") for name, issuer in issuers.items()}
    turn = [*issuers]

    def path() -> str:
        turn.append(turn.pop(0))
        return f"/{turn[-1]}/1"

    return Load(gateway.ports[0], token=lambda: tokens[turn[-1]], path=path, pause_seconds=PAUSE_SECONDS)


def test_rel_62_a_broken_issuer_changes_nothing_for_another(full: bool, tmp_path: Path, around: Neighbours) -> None:
    seconds = 30 if full else 3
    issuers = {"orders": around.issuer("k1"), "broken": around.issuer("k1")}
    good, broken = issuers.values()
    with GatewayProcess(tmp_path, document(around, issuers, refresh_seconds=1)) as gateway:
        figures = Figures("REL-62", "one of two issuers hangs all the time", pids=gateway.pids, log=gateway.journal)
        with figures, Load(gateway.ports[0], token=good.tokens("k1"), pause_seconds=PAUSE_SECONDS) as load:
            before = _fetched_within(good, seconds)
            broken.says(_never)
            began = time.monotonic()
            during = _fetched_within(good, seconds)
            hung = of(gateway, "broken")
            figures.note_load(load, began=began)
            figures.note("fetches", f"{before} in {seconds} s before, {during} in {seconds} s during")
        assert (load.dropped, load.wrong(200)) == (0, 0)
        if full:
            assert before >= seconds
            assert abs(before - during) <= 1 + seconds * 0.15, "its times are jittered by as much"
        assert 0 < before <= 2 * during, "it would hang for longer than this lasts"
        assert is_fresh(gateway)
        assert (hung["stale"], hung["keys"]) == (True, 1)
        assert set(figures.log_events()) <= {FAILS.format("broken", "timeout")}


def _fetched_within(issuer: Issuer, seconds: float) -> int:
    before = issuer.fetches
    pause(seconds)
    return issuer.fetches - before


def test_rel_63_a_first_start_without_the_issuer_serves_all_others(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    amount = 5_000 if full else 500
    issuers = {"orders": around.issuer("k1"), "away": around.issuer("k1")}
    issuers["away"].down()
    with GatewayProcess(tmp_path, document(around, issuers)) as gateway:
        figures = Figures(
            "REL-63", "first start, an issuer down, nothing saved", pids=gateway.pids, log=gateway.journal
        )
        with figures, Load(gateway.ports[0], token=issuers["orders"].tokens("k1")) as load:
            load.more(amount)
            token = issuers["away"].token("k1")
            refused, _ = gateway.get("/away/1", token=token)
            readiness = gateway.readiness()
            issuers["away"].up()
            figures.note(
                "recovery_seconds",
                recovery_seconds(lambda: gateway.get("/away/1", token=token)[0] == 200, most_seconds=5),
            )
            figures.note_load(load)
        assert refused == 503
        assert (readiness["ready"], readiness["degraded"]) == (True, True)
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert figures.log_events() == {WORKS.format("away"): 1}


def test_rel_63_a_first_start_without_the_issuer_serves_from_the_saved_set(
    full: bool, tmp_path: Path, around: Neighbours
) -> None:
    amount = 5_000 if full else 500
    issuer = around.issuer("k1")
    with GatewayProcess(tmp_path, document(around, {"orders": issuer}, refresh_seconds=2)) as gateway:
        gateway.until(lambda: list((gateway.state / "key-sets").glob("*")))
        gateway.process.terminate()
        assert gateway.exit_status() == 0
        issuer.down()
        gateway.start()
        gateway.until(lambda: gateway.events("serving"))
        figures = Figures("REL-63", "start, the issuer down, its set saved", pids=gateway.pids, log=gateway.journal)
        with figures, Load(gateway.ports[0], token=issuer.tokens("k1")) as load:
            began = time.monotonic()
            load.more(amount)
            gateway.until(lambda: gateway.metric("jwtgate_key_set_stale") == 1)
            issuer.up()
            ended = time.monotonic()
            figures.note("recovery_seconds", recovery_seconds(lambda: is_fresh(gateway), most_seconds=5))
            load.more(amount)
            figures.note_load(load, began=began, ended=ended)
        assert (load.dropped, load.wrong(200)) == (0, 0)
        assert figures.log_events()[WORKS.format("orders")] == 1


def test_rel_63_who_wants_no_start_without_the_issuer_gets_none(tmp_path: Path, around: Neighbours) -> None:
    issuer = around.issuer("k1")
    issuer.down()
    gateway = GatewayProcess(tmp_path, document(around, {"orders": issuer}, key_set_required_at_start=True))
    gateway.start()
    assert gateway.exit_status() == 2
    (told,) = gateway.events("not_started")
    assert told["problems"] == ["issuer 'orders': its key set, which is required, cannot be fetched: refused."]
    issuer.up()
    gateway.start()
    gateway.until(lambda: gateway.events("serving"))
    assert gateway.get("/orders/1", token=issuer.token("k1"))[0] == 200
    gateway.process.terminate()
    assert gateway.exit_status() == 0
