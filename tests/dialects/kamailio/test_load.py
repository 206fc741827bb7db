"""Ten thousand messages to four workers, good ones and bad ones, and not one wrong answer."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from tests.dialects.kamailio.kamailio_process import FOLDER, PROGRAM, Answer, KamailioProcess, message
from tests.dialects.kamailio.material import by_rsa
from tests.dialects.kamailio.scripts import WAYS

pytestmark = pytest.mark.skipif(PROGRAM is None or FOLDER is None, reason="no Kamailio with app_python3 here")

MESSAGES = 10_000
AT_ONCE = 48
CALL_ID = "a84b4c76e66710@pc33.example.com"


def requests(keys: dict[str, Path]) -> list[tuple[dict[str, str | bytes], str, int]]:
    """What is sent over and over: fields, the caller, and the status that is right."""
    claims = {"caller": "alice", "callee": "bob", "callid": CALL_ID, "iat": int(time.time())}
    pem = keys["rsa"].read_bytes()
    good, wrong = by_rsa(claims, pem), by_rsa(claims, keys["other"].read_bytes())
    register = by_rsa({"sub": "bob", "exp": int(time.time()) + 600}, pem)
    return [
        ({"X-JWT": good}, "alice", 200),
        ({"X-JWT": good}, "mallory", 403),
        ({"X-JWT": wrong}, "alice", 403),
        ({"X-JWT": good[:-9]}, "alice", 403),
        ({"X-JWT": good}, "alice", 200),
        ({"X-Function": "jwt_bearer", "X-Args": "subscribers", "Authorization": f"Bearer {register}"}, "alice", 200),
        ({"X-JWT": b"\xff\xfe\x00."[:2], "X-JWT-Wanted": "1"}, "alice", 403),
        ({}, "alice", 200),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_every_message_under_load_is_answered_as_it_should_be(tmp_path: Path, keys: dict[str, Path], way: str) -> None:
    kinds = requests(keys)
    half = MESSAGES // len(WAYS)
    with KamailioProcess(tmp_path, keys, way) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        before = sorted(server.children())
        client.connect(("127.0.0.1", server.port))
        client.settimeout(10)
        waiting: dict[int, int] = {}
        wrong: list[tuple[int, int]] = []
        processes: set[str] = set()
        sent = 0
        while sent < half or waiting:
            while sent < half and len(waiting) < AT_ONCE:
                sent += 1
                fields, user, status = kinds[sent % len(kinds)]
                waiting[sent] = status
                client.send(message("INVITE", fields, caller=user, number=sent, call_id=CALL_ID))
            answer = Answer(client.recv(65_535))
            number = int(answer["CSeq"].split(" ")[0])
            processes.add(answer["X-Process"])
            if waiting.pop(number) != answer.status:
                wrong.append((number, answer.status))
        assert wrong == []
        assert len(processes) == 4
        assert sorted(server.children()) == before
        assert server.deaths() == []
