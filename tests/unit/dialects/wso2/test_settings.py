from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.dialects.wso2.objects import settings

from jwtgate.dialects.wso2.settings import settings_of


def test_it_listens_where_the_product_does_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    bare = replace(settings(tmp_path), listen=())
    assert settings_of(bare).listen == ("0.0.0.0:8280",)
    assert settings_of(bare).tls_listen == ("0.0.0.0:8243",)
    told = replace(bare, tls_listen=("127.0.0.1:1",))
    assert settings_of(told) == told
