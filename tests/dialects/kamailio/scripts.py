"""The configurations of the server in the tests: the guide's flow, in KEMI and by `python_exec`, and calls at will."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

KEMI = """
import KSR
from jwtgate.integrations.kamailio import Passport, Policy, configure, jwt, jwt_generate, jwt_verify, pv, variable
from jwtgate.integrations.kamailio.native import mod_init as native

configure({options}policies={policies})
CLAIMS = pv("caller=$fU;callee=$tU;callid=$ci")


class Kamailio:
    def __init__(self):
        self.native = native()

    def child_init(self, rank):
        return 0

    def ksr_request_route(self, msg):
        function = variable("$hdr(X-Function)")
        if KSR.is_OPTIONS():
            KSR.sl.send_reply(200, "OK")
        elif function is not None:
            self.answer(getattr(self.native, function)(msg, variable("$hdr(X-Args)")) > 0, 403)
        elif KSR.is_REGISTER():
            self.answer(self.native.jwt_bearer(msg, "subscribers") > 0, 401)
        elif variable("$hdr(X-JWT)") is None and not KSR.pv.get("$hdr(X-JWT-Wanted)"):
            self.answer(jwt_generate("{private}", "RS256", CLAIMS), 500)
        elif jwt_verify("{public}", "RS256", CLAIMS, pv("$hdr(X-JWT)")):
            self.answer(True, 200)
        else:
            KSR.warn("failed to verify jwt (%d)\\n" % jwt.status)
            self.answer(False, 403)
        return 1

    def answer(self, good, otherwise):
        if jwt.val is not None:
            KSR.hdr.append_to_reply("X-Val: %s\\r\\n" % jwt.val)
        KSR.hdr.append_to_reply("X-Status: %d\\r\\nX-Reason: %s\\r\\n" % (jwt.status, jwt.reason or ""))
        KSR.hdr.append_to_reply("X-Process: %d\\r\\n" % KSR.pv.get("$pp"))
        KSR.sl.send_reply(200 if good else otherwise, "Told")

    def ksr_xhttp_event(self, msg, name):
        if self.native.jwt_websocket(msg, "browsers") < 0:
            KSR.xhttp.xhttp_reply(401, "Unauthorized", "", "")
        elif KSR.websocket.handle_handshake() < 0:
            KSR.xhttp.xhttp_reply(404, "Not found", "", "")
        return 1


def mod_init():
    return Kamailio()
"""

HANDLER = """
from jwtgate.integrations.kamailio import Passport, Policy, configure, pv
from jwtgate.integrations.kamailio.native import mod_init

configure({options}policies={policies})
"""

ROUTES = """
request_route {{
    if(is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    $var(otherwise) = 403;
    if($hdr(X-Function) != $null) {{
        python_exec("$hdr(X-Function)", "$hdr(X-Args)");
    }} else if(is_method("REGISTER")) {{
        $var(otherwise) = 401;
        python_exec("jwt_bearer", "subscribers");
    }} else if($hdr(X-JWT) == $null) {{
        $var(otherwise) = 500;
        python_exec("jwt_generate", "{private}|RS256|caller=$$fU;callee=$$tU;callid=$$ci");
    }} else if(!python_exec("jwt_verify", "calls")) {{
        xlog("L_WARN", "failed to verify jwt ($var(jwt_status))\\n");
        route(TOLD);
        sl_send_reply("403", "Told");
        exit;
    }}
    $var(good) = $rc;
    route(TOLD);
    if($var(good) == 1) {{ sl_send_reply("200", "Told"); exit; }}
    sl_send_reply("$var(otherwise)", "Told");
}}
route[TOLD] {{
    if($var(jwt_val) != "") append_to_reply("X-Val: $var(jwt_val)\\r\\n");
    append_to_reply("X-Status: $var(jwt_status)\\r\\nX-Reason: $var(jwt_reason)\\r\\nX-Process: $pp\\r\\n");
}}
event_route[xhttp:request] {{
    if($hdr(Upgrade) =~ "websocket" && $rm =~ "GET") {{
        if(!python_exec("jwt_websocket", "browsers")) {{
            xhttp_reply("401", "Unauthorized", "", "");
            exit;
        }}
        if(ws_handle_handshake()) {{ exit; }}
    }}
    xhttp_reply("404", "Not found", "", "");
}}
"""

TLS = """
enable_tls=yes
tcp_accept_no_cl=yes
listen=tcp:127.0.0.1:{port}
listen=tls:127.0.0.1:{tls_port}
"""
MODULES = ("xhttp", "websocket", "tls")
WAYS = ("kemi", "python_exec")


def policies(keys: Mapping[str, Path]) -> str:
    """The policies of the tests, as Python text."""
    public, signer, peer = str(keys["rsa.pub"]), str(keys["p256"]), str(keys["p256.crt"])
    call = "Passport(pv('$fU'), pv('$tU'), x5u='https://cert.example/sp.pem', attest='A')"
    return (
        "{"
        f"'calls': Policy({public!r}, 'RS256', 'caller=$fU;callee=$tU;callid=$ci'), "
        f"'subscribers': Policy({public!r}, 'RS256', 'sub=$tU'), "
        f"'by text': Policy({keys['p256.pub'].read_text()!r}, 'ES256', 'caller=$fU'), "
        f"'attest': Policy({signer!r}, 'ES256', {call}), "
        f"'attested': Policy({peer!r}, 'ES256', {call}, token='$hdr(Identity)'), "
        f"'browsers': Policy({public!r}, 'RS256')"
        "}"
    )
