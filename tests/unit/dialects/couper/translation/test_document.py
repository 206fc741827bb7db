from __future__ import annotations

from tests.unit.dialects.couper.translated import JWT, document, text, translate

from jwtgate.dialects.dialect import Meaning

SERVED = """
server "s" {
  endpoint "/**" {
    response {}
  }
  api {
    base_path = "/api"
    access_control = ["J"]
    endpoint "/{a}" {
      response {}
    }
    endpoint "/b" {
      response {}
    }
  }
}
"""


def test_more_particular_paths_come_first_and_what_nobody_serves_last() -> None:
    found = document(f"{SERVED} definitions {{\n {JWT}\n }}")
    assert found["routing"] == "listed"
    assert list(found["routes"]) == [
        "health",
        "s:/api/b",
        "s:/api/{a}",
        "s:/**",
        "s:/api/**-nowhere",
        "s:/**-nowhere-at-all",
    ]


def test_routes_of_servers_without_a_label_have_names_of_their_own() -> None:
    one, other = (
        f'server {{\n hosts = ["{host}.example"]\n endpoint "/a" {{\n response {{}}\n }}\n }}' for host in "ab"
    )
    found = document(f"{one}\n {other}")["routes"]
    assert [found[name]["hosts"] for name in ("/a", "/a#2")] == [["a.example"], ["b.example"]]


def test_a_document_shows_no_keys_and_has_coupers_answers() -> None:
    found = document(text())
    assert found["own"] == {"keys": None, "metadata": None}
    assert found["answers"]["*"]["body"]["expression"] == "@error_body_html"
    assert "signing" not in found


def test_everything_of_a_usual_configuration_is_exact() -> None:
    assert {note.meaning for note in translate(text()).notes} == {Meaning.EXACT}
