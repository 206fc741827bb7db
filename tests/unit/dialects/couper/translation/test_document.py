from __future__ import annotations

from pathlib import Path

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


def test_files_come_before_applications_and_these_before_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<a>${x}")
    files = f'files {{\n base_path = "/f"\n document_root = "{tmp_path}"\n access_control = ["J"]\n }}'
    spa = f'spa {{\n bootstrap_file = "{tmp_path}/a.html"\n paths = ["/**"]\n }}'
    routes = document(f"server {{\n {spa}\n {files}\n }}\n definitions {{\n {JWT}\n }}")["routes"]
    assert list(routes) == ["health", "files:/f/a.html", "spa:/**", "files:/f/**-nowhere", "/**-nowhere-at-all"]
    assert [name for name in routes if "J" in routes[name].get("slots", {})] == [
        "files:/f/a.html",
        "files:/f/**-nowhere",
    ]
    respond = routes["spa:/**"]["respond"]
    assert (respond["body"], respond["content_type"]) == ("<a>$${x}", "text/html; charset=utf-8")


def test_routes_of_servers_without_a_label_have_names_of_their_own() -> None:
    one, other = (
        f'server {{\n hosts = ["{host}.example"]\n endpoint "/a" {{\n response {{}}\n }}\n }}' for host in "ab"
    )
    found = document(f"{one}\n {other}")["routes"]
    assert [found[name]["hosts"] for name in ("/a", "/a#2")] == [["a.example"], ["b.example"]]


def test_an_api_for_all_paths_leaves_pages_to_files(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("page")
    files = f'files {{\n document_root = "{tmp_path}"\n }}'
    api = 'api {\n access_control = ["J"]\n endpoint "/p" {\n response {}\n }\n }'
    routes = list(document(f"server {{\n {files}\n {api}\n }}\n definitions {{\n {JWT}\n }}")["routes"])
    assert routes[:4] == ["health", "/p", "files:/a.html", "files:/**-nowhere"]


def test_a_document_shows_no_keys_and_has_coupers_answers() -> None:
    found = document(text())
    assert found["own"] == {"keys": None, "metadata": None}
    assert found["answers"]["*"]["body"]["expression"] == "@error_body_html"
    assert "signing" not in found


def test_everything_of_a_usual_configuration_is_exact() -> None:
    assert {note.meaning for note in translate(text()).notes} == {Meaning.EXACT}
