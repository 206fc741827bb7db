from __future__ import annotations

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SERVER
from tests.unit.dialects.couper.translated import document, not_exact, refused, translate


def with_settings(body: str) -> str:
    return f"{SERVER}settings {{\n {body}\n }}\n"


def test_the_id_of_a_request_has_coupers_name() -> None:
    assert document(SERVER)["request_id_field"] == "Couper-Request-ID"
    assert document(with_settings('request_id_client_header = "x-id"'))["request_id_field"] == "x-id"


def test_a_setting_that_means_nothing_here_is_told() -> None:
    found = not_exact(translate(with_settings('log_format = "json"\n health_path = "/up"')))
    assert set(found) == {"settings/log_format"}


@pytest.mark.parametrize("switch", ["ignore_crit = true", "couper_compat = { ignore_crit = true }"])
def test_headers_nobody_knows_are_never_ignored(switch: str) -> None:
    assert refused(with_settings(switch)) == {f"settings/{switch.split(' ')[0]}"}


def test_the_path_of_health_is_that_of_the_settings() -> None:
    assert document(SERVER)["routes"]["health"]["path"] == "/healthz"
    assert document(with_settings('health_path = "/up"'))["routes"]["health"]["path"] == "/up"
