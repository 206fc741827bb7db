from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.integration.vault_server import NOT_FOUND, Answer, AppRole, Lived, VaultModel

from jwtgate.state.secrets.reading import ReadFailed
from jwtgate.state.secrets.references import Secrets
from jwtgate.state.secrets.vault_api import VaultApi
from jwtgate.state.secrets.vault_login import VaultLogin

from ..virtual_time import live, now
from .vault_in_memory import ADDRESS, VaultClient

HOUR = 3600.0
APPROLE = {"approle": {"role_id": "r", "secret_id": "${env:SECRET_ID}"}}


def login(client: VaultClient, auth: dict[str, Any], folder: Path = Path(), **environ: str) -> VaultLogin:
    api = VaultApi({"address": ADDRESS}, client, folder)
    return VaultLogin(auth, api, resolve=Secrets(folder, environ).resolve, clock=now)


def approle(client: VaultClient, **life: Any) -> VaultLogin:
    client.model.approles = [AppRole("r", "s", **life)]
    return login(client, APPROLE, SECRET_ID="s")


async def refused(given: VaultLogin) -> ReadFailed:
    with pytest.raises(ReadFailed) as caught:
        await given.token()
    return caught.value


def logins(client: VaultClient) -> int:
    return sum(asked.endswith("/login") for asked in client.model.asked)


def renewals(client: VaultClient) -> int:
    return client.model.asked.count("POST auth/token/renew-self")


def test_all_reads_share_one_login() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client)
        tokens = await asyncio.gather(*(given.token() for _ in range(10)))
        assert len(set(tokens)) == 1
        assert client.model.asked == ["POST auth/approle/login"]

    live(life())


def test_rel_36_a_login_is_renewed_before_it_ends() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client, ttl=HOUR)
        first = await given.token()
        assert given.renew_seconds() == pytest.approx(HOUR * 2 / 3)
        while now() < 10 * HOUR:
            await asyncio.sleep(given.renew_seconds())
            assert await given.token() == first
        assert (logins(client), renewals(client)) == (1, 16)

    live(life())


def test_rel_36_a_login_that_cannot_get_longer_is_replaced_before_its_end() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client, ttl=HOUR, most=1.5 * HOUR)
        first = await given.token()
        while (token := await given.token()) == first:
            assert now() < 1.5 * HOUR
            await asyncio.sleep(given.renew_seconds())
        assert client.model.tokens[token].ends > now() + HOUR - 1
        assert logins(client) == 2

    live(life())


def test_rel_36_a_login_that_cannot_be_renewed_is_made_again_in_time() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client, ttl=HOUR, renewable=False)
        first = await given.token()
        await asyncio.sleep(HOUR * 2 / 3 - 1)
        assert await given.token() == first
        await asyncio.sleep(2)
        assert await given.token() != first
        assert (logins(client), renewals(client)) == (2, 0)

    live(life())


def test_a_login_that_ended_unnoticed_is_made_again() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client, ttl=HOUR)
        first = await given.token()
        await asyncio.sleep(2 * HOUR)
        assert await given.token() != first
        assert renewals(client) == 0

    live(life())


def test_rel_84_after_a_login_was_revoked_there_is_another() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client, ttl=HOUR)
        first = await given.token()
        del client.model.tokens[first]
        await asyncio.sleep(HOUR * 0.7)
        assert await given.token() != first
        assert logins(client) == 2

    live(life())


def test_rel_84_a_denied_token_is_replaced_only_when_it_is_dead() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client)
        first = await given.token()
        assert await given.another(first) is None
        del client.model.tokens[first]
        others = await asyncio.gather(*(given.another(first) for _ in range(5)))
        assert len(set(others)) == 1
        assert others[0] not in (None, first)
        assert logins(client) == 2

    live(life())


def test_while_nobody_can_tell_whether_a_denied_token_is_dead_there_is_no_other() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client)
        token = await given.token()
        client.model.sealed = True
        with pytest.raises(ReadFailed, match="sealed"):
            await given.another(token)

    live(life())


def test_rel_36_a_renewal_that_finds_the_server_sealed_is_made_later() -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client, ttl=HOUR)
        first = await given.token()
        await asyncio.sleep(HOUR * 0.7)
        client.model.sealed = True
        assert (await refused(given)).cause == "sealed"
        client.model.sealed = False
        assert await given.token() == first
        assert logins(client) == 1

    live(life())


def test_a_wrong_secret_id_is_told_and_a_right_one_taken_up(tmp_path: Path) -> None:
    async def life() -> None:
        client = VaultClient(approles=[AppRole("r", "right")])
        auth = {"approle": {"role_id": "r", "secret_id": "${file:id}", "mount": "approle/"}}
        given = login(client, auth, tmp_path)
        (tmp_path / "id").write_text("wrong\n")
        assert (await refused(given)).cause == "login_refused"
        (tmp_path / "id").write_text("right\n")
        assert await given.token() in client.model.tokens

    live(life())


def test_a_role_may_need_no_secret_id() -> None:
    async def life() -> None:
        client = VaultClient(approles=[AppRole("r", None)])  # type: ignore[arg-type]
        assert await login(client, {"approle": {"role_id": "r"}}).token() in client.model.tokens

    live(life())


def test_sec_149_what_a_login_lacks_is_named_and_what_it_has_is_not() -> None:
    async def life() -> None:
        client = VaultClient()
        failed = await refused(login(client, APPROLE))
        assert failed.cause == "login_unresolved"
        assert "${env:SECRET_ID}" in failed.words
        shown = f"{await refused(login(client, APPROLE, SECRET_ID='swordfish'))!r}"
        assert "swordfish" not in shown
        assert client.model.asked == ["POST auth/approle/login"]

    live(life())


def test_a_pod_logs_in_with_the_service_account_it_has_at_that_moment(tmp_path: Path) -> None:
    async def life() -> None:
        client = VaultClient(kubernetes={"gateway": "jwt 1"})
        file = tmp_path / "token"
        given = login(client, {"kubernetes": {"role": "gateway", "token_file": str(file)}}, tmp_path)
        assert (await refused(given)).cause == "login_unresolved"
        file.write_text("jwt 1")
        first = await given.token()
        client.model.kubernetes["gateway"] = "jwt 2"
        client.model.tokens.clear()
        await asyncio.sleep(HOUR)
        assert (await refused(given)).cause == "login_refused"
        file.write_text("jwt 2")
        assert await given.token() != first

    live(life())


def test_rel_36_a_token_of_an_operator_is_renewed_as_well() -> None:
    async def life() -> None:
        client = VaultClient()
        token = client.model.new_token(HOUR)
        given = login(client, {"token": "${env:T}"}, T=token)
        while now() < 10 * HOUR:
            assert await given.token() == token
            await asyncio.sleep(given.renew_seconds())
        assert renewals(client) == 15

    live(life())


def test_a_token_that_somebody_replaces_in_its_file_is_taken_up(tmp_path: Path) -> None:
    async def life() -> None:
        client = VaultClient()
        first, second = (client.model.new_token(HOUR, renewable=False) for _ in range(2))
        (tmp_path / "t").write_text(first)
        given = login(client, {"token": "${file:t}"}, tmp_path)
        assert await given.token() == first
        del client.model.tokens[first]
        assert await given.another(first) is None
        (tmp_path / "t").write_text(second)
        assert await given.another(first) == second == await given.token()

    live(life())


def test_a_token_that_may_not_ask_about_itself_will_do() -> None:
    async def life() -> None:
        client = VaultClient(forbidden={"auth/token/lookup-self"})
        token = client.model.new_token(HOUR)
        given = login(client, {"token": token})
        assert await given.token() == token
        assert given.renew_seconds() > 1e9

    live(life())


def test_a_server_that_does_not_know_the_question_will_do() -> None:
    class Bare(VaultModel):
        def _token(self, method: str, path: str, token: str, lived: Lived) -> Answer:
            return NOT_FOUND

    async def life() -> None:
        client = VaultClient()
        client.model = Bare(clock=now)
        token = client.model.new_token(HOUR)
        given = login(client, {"token": token})
        assert await given.token() == token
        client.cause = "refused"
        assert (await refused(login(client, {"token": token}))).cause == "unreachable"

    live(life())


def test_a_server_that_is_sealed_while_we_log_in_with_a_token_is_sealed_and_nothing_else() -> None:
    async def life() -> None:
        client = VaultClient(sealed=True)
        assert (await refused(login(client, {"token": "t"}))).cause == "sealed"
        assert (await refused(approle(client))).cause == "sealed"

    live(life())


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"auth": {}}',
        b'{"auth": {"client_token": 5}}',
        b'{"auth": {"client_token": "t", "lease_duration": "x"}}',
    ],
)
def test_a_login_that_answers_nonsense_is_malformed(body: bytes) -> None:
    async def life() -> None:
        client = VaultClient()
        given = approle(client)
        client.body = body
        assert (await refused(given)).cause == "malformed"

    live(life())


def test_nonsense_about_a_token_is_malformed() -> None:
    async def life() -> None:
        client = VaultClient()
        given = login(client, {"token": client.model.new_token(HOUR)})
        client.body = b'{"data": []}'
        assert (await refused(given)).cause == "malformed"

    live(life())


def test_before_there_is_a_login_nothing_is_due() -> None:
    async def life() -> None:
        assert approle(VaultClient()).renew_seconds() == float("inf")

    live(life())
