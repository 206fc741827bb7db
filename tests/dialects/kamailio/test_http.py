"""The page for servers without Python, run: a real Kamailio asks a gateway with the document of the page."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

import pytest
from tests.dialects.kamailio.kamailio_process import FOLDER, PROGRAM, Caller, KamailioProcess
from tests.integration.gateway_process import GatewayProcess

PAGE = (Path(__file__).parents[3] / "docs/how-to/sip-server.md").read_text()
ROUTES = """
loadmodule "http_client.so"
event_route[xhttp:request] { xhttp_reply("404", "Not found", "", ""); }
request_route {
    if(is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if($hdr(X-JWT) == $null) { route(SIGN); append_to_reply("X-Val: $var(token)\\r\\n"); } else { route(VERIFY); }
    sl_send_reply("200", "OK");
}
"""
ABSENT = PROGRAM is None or FOLDER is None or not (FOLDER / "http_client.so").exists()


BLOCKS = dict(re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.skipif(ABSENT, reason="no Kamailio with http_client here")
def test_the_page_makes_and_checks_tokens(tmp_path: Path, keys: dict[str, Path]) -> None:
    (tmp_path / "gate").mkdir()
    document = BLOCKS["yaml"].replace("127.0.0.1:8787", "127.0.0.1:0")
    with GatewayProcess(
        tmp_path / "gate", document, workers=1, environ={"SIP_KEY": "k" * 40, "CALL_SECRET": secrets.token_hex(32)}
    ) as gate:
        routes = BLOCKS[""].replace("127.0.0.1:8787", f"127.0.0.1:{gate.ports[0]}").replace("KEY", "k" * 40)
        with (
            KamailioProcess(tmp_path, keys, "python_exec", routes=ROUTES + routes) as server,
            Caller(server.port) as by,
        ):
            token = {"X-JWT": by.send("INVITE")["X-Val"]}
            assert by.send("INVITE", token).status == 200
            assert by.send("INVITE", token, caller="mallory").status == 403
            assert by.send("INVITE", token, call_id="other@x").status == 403
            assert by.send("INVITE", {"X-JWT": token["X-JWT"][:-6]}).status == 403
            assert by.send("INVITE", {"X-JWT": b"\xff\xfe"}).status == 403
            quoted = by.send("INVITE", caller="alice%22", callee="bob")
            assert by.send("INVITE", {"X-JWT": quoted["X-Val"]}, caller="alice%22").status == 200
    assert server.deaths() == []
