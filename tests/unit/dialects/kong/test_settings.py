from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jwtgate.dialects.dialect import Settings
from jwtgate.dialects.kong.settings import settings_of

BARE = Settings(folder=Path("a"), state_folder=Path("b"), environ={})
CONF = b"""
# a comment
proxy_listen = 127.0.0.1:80 reuseport, 127.0.0.1:443 ssl http2   # both
admin_listen = off
ssl_cert = /c.pem
ssl_cert_key = /k.pem
lua_ssl_trusted_certificate = system, /ca.pem
"""


def test_without_anything_kongs_habits_hold() -> None:
    found = settings_of([], BARE)
    assert (found.listen, found.tls_listen) == (("0.0.0.0:8000",), ("0.0.0.0:8443",))
    assert (found.admin_listen, found.admin_tls_listen) == (("127.0.0.1:8001",), ("127.0.0.1:8444",))
    assert (found.folder, found.certificate, found.trusted) == (Path("a"), None, None)


def test_a_kong_conf_is_read() -> None:
    found = settings_of([("kong.conf", CONF), ("kong.yml", b"proxy_listen = 1:1")], BARE)
    assert (found.listen, found.tls_listen) == (("127.0.0.1:80",), ("127.0.0.1:443",))
    assert (found.admin_listen, found.admin_tls_listen) == ((), ())
    assert (found.certificate, found.private_key, found.trusted) == ("/c.pem", "/k.pem", "/ca.pem")


def test_the_environment_goes_before_the_file_and_the_command_line_before_both() -> None:
    told = replace(BARE, environ={"KONG_PROXY_LISTEN": "1.1.1.1:1", "KONG_ADMIN_LISTEN": "1.1.1.1:2 ssl"})
    found = settings_of([("kong.conf", CONF)], told)
    assert (found.listen, found.tls_listen, found.admin_tls_listen) == (("1.1.1.1:1",), (), ("1.1.1.1:2",))
    found = settings_of([("kong.conf", CONF)], replace(told, listen=("2.2.2.2:1",), certificate="mine"))
    assert (found.listen, found.tls_listen, found.certificate) == (("2.2.2.2:1",), (), "mine")
