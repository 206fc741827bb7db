import json
from pathlib import Path
from typing import Any

import pytest

from jwtgate.cli.checking import announce, check, open_document
from jwtgate.errors import ConfigError


def _changed(document: Path, old: str, new: str) -> Path:
    text = document.read_text()
    assert old in text
    document.write_text(text.replace(old, new))
    return document


def test_a_good_document_is_summed_up_route_by_route(document: Path) -> None:
    answer = check(document)
    value: Any = answer.value
    assert answer.good
    assert value["routes"] == [
        {"route": "orders", "path": "GET /orders/*", "auth": "required", "slots": "access",
         "issues for": "https://orders.internal", "upstream": "echo"},
        {"route": "shop", "path": "/shop", "auth": "optional", "slots": "access?",
         "issues for": "-", "upstream": "echo"},
        {"route": "health", "path": "/health", "auth": "none", "slots": "-", "issues for": "-", "upstream": "echo"},
    ]  # fmt: skip
    assert (value["problems"], value["warnings"]) == ([], [])
    assert "can be served" in answer.text
    assert "warning" not in answer.text


def test_what_is_dangerous_is_a_warning_and_no_mistake(document: Path) -> None:
    answer = check(
        _changed(document, '"audience": "https://orders.example", "algorithms"', '"audience": "any", "algorithms"')
    )
    value: Any = answer.value
    assert answer.good
    assert len(value["warnings"]) == 2
    assert "issuers.main.audience" in answer.text


def test_what_many_routes_of_another_gateway_become_is_warned_of_once(tmp_path: Path) -> None:
    block = 'jwt "J" {\n signature_algorithm = "HS256"\n key = "y0urS3cretT08eU5edF0rC0uPerInThe3xamp1e"\n }'
    endpoints = "".join(f'endpoint "/{name}" {{\n access_control = ["J"]\n response {{}}\n }}\n' for name in "ab")
    (tmp_path / "couper.hcl").write_text(f"server {{\n {endpoints}}}\ndefinitions {{\n {block}\n}}\n")
    answer = check(tmp_path / "couper.hcl")
    value: Any = answer.value
    alike = [warning for warning in value["warnings"] if "taken for one without" in warning]
    assert len(alike) > 1
    assert answer.text.count("taken for one without") == 1
    assert f"taken for one without (and {len(alike) - 1} more alike)" in answer.text


def test_every_mistake_is_reported_at_once(document: Path) -> None:
    _changed(document, '"auth": "required"', '"auth": "maybe"')
    with pytest.raises(ConfigError) as caught:
        check(_changed(document, '"targets"', '"tragets"'))
    problems = "\n".join(caught.value.problems)
    assert "routes.orders.auth" in problems
    assert "upstreams.echo.tragets" in problems


def test_a_bad_key_in_the_document_is_a_mistake(document: Path) -> None:
    with pytest.raises(ConfigError, match="'main', key 1"):
        check(_changed(document, '"crv": "P-256"', '"crv": "P-999"'))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("api-manager.xml", "<APIManager>\n", "is a file of WSO2 API Manager; serve it with --dialect wso2"),
        ("couper.conf", "server {\n}\n", "is a file of Couper; serve it with --dialect couper"),
        ("gate.conf", "routes: {}\n", "the name must end in"),
    ],
)
def test_a_file_of_another_gateway_is_told_also_where_its_name_cannot_be_one_of_ours(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=said):
        open_document(tmp_path / name)


def test_a_folder_without_files_of_couper_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no file that ends with \.hcl"):
        open_document(tmp_path)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        open_document(tmp_path / "absent.yaml")


def test_a_start_tells_the_addresses(document: Path) -> None:
    assert announce(document) == "gate.yaml on http://127.0.0.1:8080"


def test_a_start_tells_of_free_ports_and_of_status_addresses(document: Path) -> None:
    _changed(document, '"127.0.0.1:8080"', '"127.0.0.1:0", "status_listen": "127.0.0.1:9900"')
    assert announce(document).splitlines() == [
        "gate.yaml on http://127.0.0.1:(any free port; the log tells which)",
        "gate.yaml on http://127.0.0.1:9900 (health and metrics)",
    ]


def test_a_start_with_a_broken_document_tells_its_mistakes(document: Path) -> None:
    assert "routes.orders.auth" in announce(_changed(document, '"auth": "required"', '"auth": "maybe"'))


def _with_consumers(document: Path, **consumers: object) -> Path:
    text = json.loads(document.read_text())
    text["consumers"] = consumers
    document.write_text(json.dumps(text))
    return document


@pytest.mark.parametrize(
    ("credential", "mistake"),
    [
        ({"alg": "HS256", "secret": "short"}, "key-1"),
        ({"alg": "RS256", "public_key": "no key"}, "key-1"),
        ({"alg": "HS256", "secret": "${env:NO_SUCH_VARIABLE}"}, "NO_SUCH_VARIABLE"),
    ],
)
def test_the_keys_of_consumers_are_looked_at(document: Path, credential: dict[str, str], mistake: str) -> None:
    with pytest.raises(ConfigError, match=mistake):
        check(_with_consumers(document, ann={"credentials": {"key-1": credential}}))


def test_consumers_that_share_a_name_are_a_mistake(document: Path) -> None:
    with pytest.raises(ConfigError, match="consumer ann already has it"):
        check(_with_consumers(document, ann={"external_id": "e-1"}, bob={"external_id": "e-1"}))
    assert check(_with_consumers(document, ann={"external_id": "e-1"}, bob={"external_id": "e-2"})).good


def test_the_paths_of_a_listed_route_are_told_in_every_form(document: Path) -> None:
    whole = json.loads(document.read_text())
    match = {"path_prefix": "/a", "path_pattern": "^/b"}
    whole["routes"] = {
        "forms": {"path": "/c", "match": match, "auth": "none", "upstream": "echo"},
        "any": {"auth": "none", "upstream": "echo"},
    }
    document.write_text(json.dumps({**whole, "routing": "listed"}))
    assert [row["path"] for row in check(document).value["routes"]] == ["/c /a… ~^/b", "any path"]


def test_a_file_of_another_gateway_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "kong.yml"
    path.write_text('_format_version: "3.0"\nservices: []\n')
    with pytest.raises(ConfigError, match=r"kong\.yml: is a file of Kong; serve it with --dialect kong, or import it"):
        check(path)


COUPER = """server {
  endpoint "/p" {
    access_control = ["J"]
    response {}
  }
}
definitions {
  jwt "J" {
    signature_algorithm = "HS256"
    key = "a-secret-that-nobody-would-ever-guess"
  }
}
"""


def test_a_file_of_couper_is_looked_at_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "couper.hcl"
    path.write_text(COUPER)
    answer = check(path)
    value: Any = answer.value
    assert answer.good
    assert {"route": "/p", "path": "/p /p/", "auth": "required", "slots": "J", "issues for": "-", "upstream": "-"} in (
        value["routes"]
    )
    assert any("Tokens that never expire are accepted" in warning for warning in value["warnings"])
    assert check(path, dialect="couper").value == value


def test_a_setting_of_another_gateway_that_is_refused_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "apisix.yaml"
    path.write_text("routes: [{id: 1, uri: /a, script: x, upstream: {nodes: {'127.0.0.1:1': 1}}}]\n#END\n")
    with pytest.raises(ConfigError, match="script"):
        check(path, dialect="apisix")
