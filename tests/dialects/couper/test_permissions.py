"""What callers may do: scenarios 36 to 41 of the published examples, and what a permission may be asked for with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.dialects.couper.couper_process import CouperProcess
from tests.dialects.couper.files import endpoint, file, jwt, mistakes
from tests.dialects.couper.tokens import T1, T3, token
from tests.dialects.dialect_process import Answer

ROLES = 'roles_map = { admin = ["a", "b"], "*" = ["z"] }'
CYCLE = 'permissions_map = { a = ["c"], b = ["e"], c = ["d"], d = ["a"] }'
BLOCKS = {
    "scope": ('permissions_claim = "scope"',),
    "roles": ('roles_claim = "role"', ROLES),
    "roles-file": ('roles_claim = "role"', 'roles_map_file = "maps/roles.json"'),
    "cycle": ('permissions_claim = "scope"', 'roles_claim = "role"', 'roles_map = { r1 = ["b"] }', CYCLE),
    "cycle-file": (
        'permissions_claim = "scope"',
        'roles_claim = "role"',
        'roles_map = { r1 = ["b"] }',
        'permissions_map_file = "maps/permissions.json"',
    ),
    "both": (
        'permissions_claim = "scope"',
        'roles_claim = "role"',
        'roles_map = { user2 = ["bar"], admin = ["foo", "bar", "baz"], "*" = ["default"] }',
        'permissions_map = { baz = ["blubb"] }',
    ),
    "dotted": ('permissions_claim = "realm.roles"',),
    "none": (),
}
ASKED = {
    "foo": '"foo"',
    "empty": '""',
    "methods": '{ get = "", post = "foo" }',
    "others": '{ "*" = "foo", GET = "", Delete = "x" }',
    "number": "123",
    "list": '["foo"]',
    "null": "null",
    "numbers": "{ get = 1 }",
    "undefined": "request.headers.x-wanted",
    "false": "false",
}


def write_maps(folder: Path) -> None:
    """The two files of maps."""
    (folder / "maps").mkdir()
    (folder / "maps" / "roles.json").write_text('{"admin": ["a", "b"], "*": ["z"]}')
    (folder / "maps" / "permissions.json").write_text('{"a": ["c"], "b": ["e"], "c": ["d"], "d": ["a"]}')


@pytest.fixture(scope="module")
def couper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouperProcess]:
    folder = tmp_path_factory.mktemp("couper")
    write_maps(folder)
    shown = 'x-wanted = request.context.required_permission x-granted = join(",", request.context.granted_permissions)'
    handler = f'error_handler "insufficient_permissions" {{ response {{ status = 418 headers = {{ {shown} }} }} }}'
    nested = f"""api {{ base_path = "/api" required_permission = "of-api"
      {endpoint("/inner", "scope")}
      {endpoint("/own", "scope", 'required_permission = "foo"')}
      {endpoint("/waived", "scope", 'required_permission = ""')}
    }}"""
    text = file(
        *(endpoint(f"/{label}", label) for label in BLOCKS),
        *(endpoint(f"/ask/{name}", "scope", f"required_permission = {asked}") for name, asked in ASKED.items()),
        endpoint("/param/{p}", "scope", "required_permission = request.path_params.p"),
        endpoint("/nothing", "none", 'required_permission = "foo"'),
        endpoint("/handled", "scope", 'required_permission = "foo"', handler),
        nested,
        definitions=tuple(jwt(label, *lines) for label, lines in BLOCKS.items()),
    )
    with CouperProcess(folder, text.replace("x-wanted = request", '"x-wanted" = request')) as running:
        yield running


def granted(couper: CouperProcess, label: str, **claims: Any) -> Any:
    """What these claims grant; None when the variable is unset."""
    answer = couper.ask(f"/{label}", bearer=token(claims))
    assert answer.status == 200
    return json.loads(answer.field("x-perms") or "")


def refused(couper: CouperProcess, answer: Answer, status: int, message: str) -> dict[str, Any]:
    """The line of the access log for an answer with this status."""
    line = couper.line(answer)
    assert (answer.status, line["message"], line["status"]) == (status, message, status)
    return line


@pytest.mark.parametrize("bearer", [T1, T3])
def test_36_a_claim_grants_permissions(couper: CouperProcess, bearer: str) -> None:
    answer = couper.ask("/scope", bearer=bearer)
    assert answer.field("x-perms") == '["foo","bar"]'
    assert "warnings" not in couper.line(answer).get("custom", {})


@pytest.mark.parametrize(("value", "told"), [(True, "true"), (["a", 1], '["a",1]'), (7, "7"), ({"a": 1}, '{"a":1}')])
def test_36_a_claim_of_another_type_is_ignored_with_a_warning(couper: CouperProcess, value: object, told: str) -> None:
    answer = couper.ask("/scope", bearer=token({"scope": value, "sub": "x"}))
    assert (answer.status, answer.field("x-sub"), answer.field("x-perms")) == (200, "x", "null")
    warnings = couper.line(answer)["custom"]["warnings"]
    assert warnings == [f"invalid permissions claim value type, ignoring claim, value {told}"]


def test_36_words_are_trimmed_and_named_once(couper: CouperProcess) -> None:
    assert granted(couper, "scope", scope="  foo   bar foo ") == ["foo", "bar"]
    assert granted(couper, "scope", scope=[" foo ", "", "a b"]) == ["foo", "a b"]
    assert granted(couper, "scope") is None
    assert granted(couper, "none", scope="foo") is None


def test_a_claim_is_named_not_a_path(couper: CouperProcess) -> None:
    assert granted(couper, "dotted", realm={"roles": "foo"}) is None
    assert granted(couper, "dotted", **{"realm.roles": "foo"}) == ["foo"]


@pytest.mark.parametrize("label", ["roles", "roles-file"])
def test_37_38_roles_grant_what_a_map_says(couper: CouperProcess, label: str) -> None:
    assert granted(couper, label, role="admin") == ["a", "b", "z"]
    assert granted(couper, label, role="other") == ["z"]
    assert granted(couper, label, role=["admin", "x"]) == ["a", "b", "z"]
    assert granted(couper, label, sub="nobody") is None


def test_37_the_star_is_there_even_where_roles_cannot_be_read(couper: CouperProcess) -> None:
    answer = couper.ask("/roles", bearer=token({"role": True}))
    assert answer.field("x-perms") == '["z"]'
    warnings = couper.line(answer)["custom"]["warnings"]
    assert warnings == ["invalid roles claim value type, ignoring claim, value true"]


def test_38_maps_that_are_wrong_do_not_start(tmp_path: Path) -> None:
    write_maps(tmp_path)
    (tmp_path / "bad.json").write_text('["a"]')

    def told(*lines: str) -> str:
        return mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", *lines),)))

    both = told('roles_claim = "role"', ROLES, 'roles_map_file = "maps/roles.json"')
    assert "configuration error: J: jwt roles map: read error: configured attribute and file" in both
    assert "configuration error: J: missing roles_map" in told('roles_claim = "role"')
    assert "J: jwt roles map: invalid file content" in told('roles_claim = "role"', 'roles_map_file = "bad.json"')
    gone = told('roles_claim = "role"', 'roles_map_file = "gone.json"')
    assert f"J: jwt roles map: read error: open {tmp_path}/gone.json: no such file or directory" in gone


@pytest.mark.parametrize("label", ["cycle", "cycle-file"])
def test_39_permissions_imply_others(couper: CouperProcess, label: str) -> None:
    assert granted(couper, label, scope="a", role="r1") == ["a", "b", "c", "d", "e"]
    assert granted(couper, label, scope="x") == ["x"]


def test_39_a_map_and_a_file_do_not_start(tmp_path: Path) -> None:
    write_maps(tmp_path)
    (tmp_path / "bad.json").write_text('{"a": "b"}')
    lines = ('permissions_claim = "scope"', CYCLE, 'permissions_map_file = "maps/permissions.json"')
    both = mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", *lines),)))
    assert "configuration error: J: jwt permissions map: read error: configured attribute and file" in both
    bad = mistakes(tmp_path, file(endpoint(), definitions=(jwt("J", lines[0], 'permissions_map_file = "bad.json"'),)))
    assert "configuration error: J: jwt permissions map: invalid file content" in bad


def test_roles_come_after_the_claim_and_the_star_after_roles(couper: CouperProcess) -> None:
    assert granted(couper, "both", role="admin") == ["foo", "bar", "baz", "default", "blubb"]
    assert granted(couper, "both", scope="foo foo", role=["user2"]) == ["foo", "bar", "default"]
    assert granted(couper, "both", role=[" admin"]) == ["default"]
    assert granted(couper, "both", role=" user2") == ["bar", "default"]


def test_40_a_permission_is_asked_for(couper: CouperProcess) -> None:
    assert couper.ask("/ask/foo", bearer=T1).status == 200
    answer = couper.ask("/ask/foo", bearer=token({"scope": "x"}))
    line = refused(couper, answer, 403, 'access control error: required permission "foo" not granted')
    assert (line["error_type"], line["level"]) == ("insufficient_permissions", "error")
    assert answer.field("couper-error") == "access control error"
    assert answer.field("www-authenticate") is None
    assert answer.field("cache-control") == "private"


def test_40_who_was_granted_nothing_is_told_so_in_the_log(couper: CouperProcess) -> None:
    for path in ("/ask/foo", "/nothing"):
        line = refused(couper, couper.ask(path, bearer=token({})), 403, "access control error: no permissions granted")
        assert line["error_type"] == "insufficient_permissions"


def test_40_the_empty_permission_asks_for_nothing(couper: CouperProcess) -> None:
    assert couper.ask("/ask/empty", bearer=token({})).status == 200


def test_40_without_a_token_a_permission_is_not_looked_at(couper: CouperProcess) -> None:
    answer = couper.ask("/ask/foo")
    assert (answer.status, couper.line(answer)["error_type"]) == (401, "jwt_token_missing")


def test_40_handlers_read_what_was_asked_and_what_was_granted(couper: CouperProcess) -> None:
    answer = couper.ask("/handled", bearer=token({"scope": "x y"}))
    assert (answer.status, answer.field("x-wanted"), answer.field("x-granted")) == (418, "foo", "x,y")
    assert couper.ask("/handled", bearer=T1).status == 200


def test_41_each_method_may_ask_for_its_own(couper: CouperProcess) -> None:
    other = token({"scope": "x"})
    assert couper.ask("/ask/methods", bearer=other).status == 200
    assert couper.ask("/ask/methods", "--request", "POST", bearer=T1).status == 200
    refused_post = couper.ask("/ask/methods", "--request", "POST", bearer=other)
    message = 'access control error: required permission "foo" not granted'
    assert refused(couper, refused_post, 403, message)["error_type"] == "insufficient_permissions"
    deleted = couper.ask("/ask/methods", "--request", "DELETE", bearer=T1)
    message = "method not allowed error: method DELETE not allowed by required_permission"
    line = refused(couper, deleted, 405, message)
    assert "error_type" not in line
    assert deleted.field("couper-error") == "method not allowed error"


def test_41_the_star_stands_for_methods_that_are_not_named(couper: CouperProcess) -> None:
    other = token({"scope": "x"})
    found = {
        method: couper.ask("/ask/others", "--request", method, bearer=other).status
        for method in ("GET", "DELETE", "PUT", "PATCH", "POST", "OPTIONS")
    }
    assert found == {"GET": 200, "DELETE": 200, "PUT": 403, "PATCH": 403, "POST": 403, "OPTIONS": 403}
    assert couper.ask("/ask/others", "--head", bearer=other).status == 403
    assert couper.ask("/ask/others", "--request", "PUT", bearer=T1).status == 200


def test_an_expression_names_the_permission(couper: CouperProcess) -> None:
    assert couper.ask("/param/foo", bearer=T1).status == 200
    answer = couper.ask("/param/baz", bearer=T1)
    refused(couper, answer, 403, 'access control error: required permission "baz" not granted')


@pytest.mark.parametrize("name", ["number", "list", "null", "numbers", "undefined", "false"])
def test_what_is_no_permission_is_a_fault(couper: CouperProcess, name: str) -> None:
    answer = couper.ask(f"/ask/{name}", bearer=T1)
    line = couper.line(answer)
    assert (answer.status, line["error_type"]) == (500, "evaluation")
    assert line["message"].startswith("expression evaluation error")
    assert answer.field("couper-error") == "expression evaluation error"


def test_a_value_that_is_there_is_the_permission(couper: CouperProcess) -> None:
    assert couper.ask("/ask/undefined", "--header", "X-Wanted: foo", bearer=T1).status == 200
    assert couper.ask("/ask/undefined", "--header", "X-Wanted: baz", bearer=T1).status == 403


def test_an_endpoint_replaces_what_its_api_asks_for(couper: CouperProcess) -> None:
    of_api = token({"scope": "of-api"})
    found = {path: couper.ask(f"/api/{path}", bearer=of_api).status for path in ("inner", "own", "waived")}
    assert found == {"inner": 200, "own": 403, "waived": 200}
    assert couper.ask("/api/own", bearer=T1).status == 200
    assert couper.ask("/api/inner", bearer=T1).status == 403


def test_an_api_that_asks_at_some_of_its_endpoints_does_not_start(tmp_path: Path) -> None:
    def told(api: str) -> str:
        inner = endpoint("/a", "J", 'required_permission = "foo"') + "\n" + endpoint("/b")
        return mistakes(tmp_path, file(f'api "my_api" {{\n{api}\n{inner}\n}}'))

    assert 'api with label "my_api" has endpoint without required permission' in told("")
    assert told('required_permission = "bar"') == ""
