"""The language of configurations, as a whole gateway speaks it: functions, variables, several files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes, open_endpoint
from tests.dialects.couper.tokens import T1, token
from tests.dialects.dialect_process import DialectProcess

FUNCTIONS: dict[str, tuple[str, Any]] = {
    "base64": ('base64_decode(base64_encode("a b"))', "a b"),
    "can": ('[can(jwt_sign("nobody", {})), can(1 + 1)]', [False, True]),
    "contains": ('[contains(["a"], "a"), contains(["a"], "b")]', [True, False]),
    "default": ('default(request.headers.x-none, "", "x")', ""),
    "join": ('join("-", ["a", "b"], ["c"])', "a-b-c"),
    "json": ('json_decode("{\\"a\\": [1, null]}")', {"a": [1, None]}),
    "json_encode": ('json_encode({ b = 1, a = [true, 1.5], "<" = null })', '{"\\u003c":null,"a":[true,1.5],"b":1}'),
    "keys": ("keys({ b = 1, a = 2 })", ["a", "b"]),
    "length": ("[length([1, 2]), length({})]", [2, 0]),
    "lookup": ('[lookup({ a = 1 }, "a", 2), lookup({ a = 1 }, "b", 2)]', [1, 2]),
    "merge": ("merge({ a = { b = 1 } }, { a = { c = 2 } })", {"a": {"b": 1, "c": 2}}),
    "merge lists": ("merge([1], [2, 1])", [1, 2, 1]),
    "relative_url": ('relative_url("https://h:1/p/q?r=s#t")', "/p/q?r=s#t"),
    "set_intersection": ('set_intersection(["a", "b"], ["b", "c"])', ["b"]),
    "split": ('split(" ", "a b  c")', ["a", "b", "", "c"]),
    "substr": ('[substr("hello", 1, 3), substr("hello", -2, -1)]', ["ell", "lo"]),
    "cases": ('"${to_lower("A")}${to_upper("b")}"', "aB"),
    "to_number": ('to_number("1.5") + 1', 2.5),
    "trim": ('trim("  a b ")', "a b"),
    "url": ('[url_encode("a b&c/ä"), url_decode("a%20b")]', ["a%20b%26c%2F%C3%A4", "a b"]),
    "conditional": ('request.method == "GET" ? "get" : "other"', "get"),
    "arithmetic": ("[1 + 2 * 3, 7 % 4, -(2 - 5), 10 / 4]", [7, 3, 3, 2.5]),
    "logic": ("[!true, true && false, true || false, 2 > 1, 2 <= 1]", [False, False, True, True, False]),
    "for": ('[for v in ["a", "b"] : to_upper(v) if v != "a"]', ["B"]),
    "for objects": ('{ for k, v in { a = 1, b = 2 } : k => v * 2 if k != "a" }', {"b": 4}),
    "objects": ('{ a = 1, "b c" : 2, (to_lower("D")) = 3 }', {"a": 1, "b c": 2, "d": 3}),
    "missing": ("[request.headers.none.of.it, request.query.a[7], request.context.nobody.there]", [None, None, None]),
    "templates": ('"a${request.query.none[0]}b$${c}"', "ab${c}"),
    "heredoc": ("<<-EOT\n      a\n        ${request.method}\n    EOT\n", "a\n  GET\n"),
    "environment": ("[env.MY_VALUE, env.MY_DEFAULT, env.OVERRIDDEN, env.NOT_THERE]", ["of tests", "d", "env", None]),
    "couper": ("couper.environment", "staging"),
    "path": ("[request.path, request.method, request.protocol]", ["/path", "GET", "http"]),
    "url of the request": ("[request.url, request.origin]", "works out"),
    "query": ("request.query", {"a": ["1", "2"]}),
    "cookies": ("request.cookies.c", "d"),
    "headers": ("request.headers.x-test", "of a header"),
    "ip": ("request.remote_ip", "127.0.0.1"),
}
BODY = """response { json_body = {
      body = request.body
      json = request.json_body
      form = request.form_body
    } }"""
DEFAULTS = 'defaults { environment_variables = { MY_DEFAULT = "d", OVERRIDDEN = "d" } }'
ENVIRONMENT = 'settings { environment = "staging" }'


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    text = file(
        *(
            open_endpoint(f"/{name.replace(' ', '-')}", f"response {{ json_body = {{ v = {text} }} }}")
            for name, (text, _) in FUNCTIONS.items()
        ),
        open_endpoint("/body", BODY),
        open_endpoint("/now", "response { json_body = { now = unixtime(), id = request.id, v = couper.version } }"),
        more=f"{DEFAULTS}\n{ENVIRONMENT}",
    )
    environ = {"MY_VALUE": "of tests", "OVERRIDDEN": "env"}
    with CouperProcess(tmp_path_factory.mktemp("couper"), text, environ=environ) as running:
        yield running


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_does_what_it_is_called(couper: CouperProcess, name: str) -> None:
    fields = ("--header", "X-Test: of a header", "--cookie", "c=d")
    path = f"/{name.replace(' ', '-')}"
    query = "?a=1&a=2"
    answer = couper.ask(path + query, *fields)
    assert answer.status == 200, couper.line(answer)
    wanted = FUNCTIONS[name][1]
    if name == "url of the request":
        wanted = [f"{couper.proxy}{path}{query}", couper.proxy]
    assert answer.value["v"] == wanted


@pytest.mark.parametrize(("text", "what"), [("nobody.there", "nobody"), ("nobody(1)", "nobody")])
def test_an_unknown_variable_or_function_does_not_start(tmp_path: Path, text: str, what: str) -> None:
    said = mistakes(tmp_path, file(endpoint(answer=f"response {{ body = {text} }}")))
    assert said.startswith("couper.hcl:4,")
    assert what in said


def test_bodies_are_read(couper: CouperProcess) -> None:
    as_json = couper.ask("/body", "--header", "Content-Type: application/json", "--data", '{"a": [1]}').value
    assert as_json == {"body": '{"a": [1]}', "json": {"a": [1]}, "form": {}}
    form = couper.ask("/body", "--data", "a=1&a=2&b=%20").value
    assert form["form"] == {"a": ["1", "2"], "b": [" "]}


def test_what_differs_from_request_to_request(couper: CouperProcess) -> None:
    answer = couper.ask("/now")
    assert abs(answer.value["now"] - time.time()) < 10
    assert answer.value["id"] == answer.field("couper-request-id")
    assert answer.value["v"]


def test_claims_are_of_the_caller_and_nobody_else(tmp_path: Path) -> None:
    answer = "response { json_body = [request.context, request.context.J, request.context.K] }"
    with CouperProcess(tmp_path, file(endpoint(answer=answer), definitions=(jwt(), jwt("K")))) as couper:
        of_caller = couper.ask(bearer=T1).value
    claims = {"scope": "foo bar", "sub": "john.doe"}
    assert (of_caller[0]["J"], of_caller[1], of_caller[2]) == (claims, claims, None)


class Folder(CouperProcess):
    """Serves all files of a folder."""

    def __init__(self, folder: Path, **files: str) -> None:
        for name, text in files.items():
            (folder / f"{name}.hcl").write_text(text)
        DialectProcess.__init__(self, "couper", folder.parent, folder)
        self.proxy = ""


def test_files_of_a_folder_are_one_configuration(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    one = file(endpoint("/one"), definitions=(jwt(),))
    other = jwt("K", 'header = "x-k"')
    two = f"server {{\n{endpoint('/two', 'K')}\n}}\ndefinitions {{\n{other}\n}}"
    with Folder(folder, one=one, two=two) as couper:
        assert couper.ask("/one", bearer=T1).status == 200
        assert couper.ask("/two", bearer=T1).status == 401
        assert couper.ask("/two", "--header", f"X-K: {T1}").status == 200


def test_a_change_of_the_file_is_served(tmp_path: Path) -> None:
    with CouperProcess(tmp_path, file(endpoint())) as couper:
        assert couper.ask(bearer=T1).status == 200
        (tmp_path / "couper.hcl").write_text(file(endpoint(), definitions=(jwt("J", 'required_claims = ["role"]'),)))
        couper.until(lambda: couper.ask(bearer=T1).status == 401)
        assert couper.ask(bearer=token({"role": 1})).status == 200
        (tmp_path / "couper.hcl").write_text("server {")
        couper.until(lambda: "couper.hcl:1" in couper.journal())
        assert couper.ask(bearer=token({"role": 1})).status == 200
