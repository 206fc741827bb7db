from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import configuration, problems

from jwtgate.dialects.couper.reading.configuration import Server

FILES = {"index.html": "<h1>", "css/a b.css": "a {}", "app/index.html": "<app>"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def server(body: str) -> Server:
    return configuration(f'server {{\n base_path = "/b"\n access_control = []\n {body}\n}}').servers[0]


def test_files_are_pages_each_at_its_path(root: Path) -> None:
    (site,) = server(f'files {{\n base_path = "/f"\n document_root = "{root}"\n }}').files
    found = {page.path: page.response.file for page in site.endpoints if page.response is not None}
    assert found == {
        "/b/f/": root / "index.html",
        "/b/f/index.html": root / "index.html",
        "/b/f/css/a%20b.css": root / "css" / "a b.css",
        "/b/f/app/": root / "app" / "index.html",
        "/b/f/app/index.html": root / "app" / "index.html",
    }
    assert (site.base_path, {page.allowed_methods for page in site.endpoints}) == ("/b/f", {("GET", "HEAD")})


def test_what_is_no_text_is_left_out_with_a_warning(root: Path) -> None:
    (root / "a.png").write_bytes(b"\x89PNG")
    found = configuration(f'server {{\n files {{\n document_root = "{root}"\n }}\n}}')
    assert found.warnings == ("files: a.png is left out: only text is served.",)
    assert not [page for page in found.servers[0].files[0].endpoints if "png" in page.path]


def test_an_application_takes_the_paths_it_names(root: Path) -> None:
    where = f'bootstrap_file = "{root}/index.html"\n paths = ["/**", "/x"]'
    (site,) = server(f"spa {{\n {where}\n set_response_headers = {{ a = 1 }}\n }}").spas
    assert [page.path for page in site.endpoints] == ["/b/**", "/b/x"]
    page = site.endpoints[0]
    assert page.response is not None
    assert page.response.headers is not None
    assert page.response.headers.source == '{ content-type = "text/html; charset=utf-8" }'
    assert page.edits.set_response_headers is not None
    assert site.edits.set_response_headers is None


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    (said,) = problems(f'server {{\n files {{\n document_root = "{tmp_path}/none"\n }}\n}}')
    assert said.endswith(f"files: document_root: {tmp_path}/none is no directory")


def test_too_many_files_are_a_mistake(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    (said,) = problems(f'server {{\n files {{\n document_root = "{tmp_path}"\n }}\n}}')
    assert "more than 1000 files" in said


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    (said,) = problems(f'server {{\n spa {{\n bootstrap_file = "{tmp_path}/none"\n paths = []\n }}\n}}')
    assert "bootstrap_file: read error: open" in said
