from __future__ import annotations

from tests.unit.dialects.couper.reading.couper_hcl import SERVER
from tests.unit.dialects.couper.translated import draft, text


def test_equal_upstreams_are_one_and_different_ones_have_different_names() -> None:
    found = draft(text())
    assert found.upstream("up", {"targets": ["http://a"]}) == "up"
    assert found.upstream("other", {"targets": ["http://a"]}) == "up"
    assert found.upstream("up", {"targets": ["http://b"]}) == "up#1"
    assert found.upstreams == {"up": {"targets": ["http://a"]}, "up#1": {"targets": ["http://b"]}}


def test_a_switch_may_stand_in_a_block_of_its_own_or_among_the_settings() -> None:
    block = draft(f"{SERVER}settings {{\n couper_compat = {{ ignore_crit = true }}\n }}")
    plain = draft(f"{SERVER}settings {{\n ignore_crit = true\n }}")
    assert block.option("ignore_crit") is plain.option("ignore_crit") is True
    assert draft(SERVER).option("ignore_crit") is None
