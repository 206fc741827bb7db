from __future__ import annotations

import pytest

from jwtgate.dialects.wso2.reading.records import read_records
from jwtgate.errors import ConfigError


def problems(text: str, name: str = "r.yaml") -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_records(text.encode(), name)
    return caught.value.problems


def test_lists_and_mappings_of_entities_are_the_same() -> None:
    listed, _ = read_records(b"users: [{name: ann, claims: {a: b}}]", "r.yaml")
    mapped, _ = read_records(b'{"users": {"ann": {"claims": {"a": "b"}}}}', "r.json")
    assert [{**each, "_file": ""} for each in listed["users"]] == [{**each, "_file": ""} for each in mapped["users"]]
    assert listed["users"][0]["_file"] == "r.yaml"


def test_settings_and_grants_stand_beside_them() -> None:
    records, said = read_records(b"settings: {JwtProfile: v3, enable: true}\ngrant_cache: {t: {a: b}}", "r.yaml")
    assert records == {}
    assert said.values == {"jwt_profile": "v3", "enable": True, "grant_cache": {"t": {"a": "b"}}}


def test_csv_holds_what_it_is_named_after() -> None:
    text = '\ufeffname,tenant,http://wso2.org/claims/role,age\r\nann,t1.com,"a,b",\r\nbob,,,7\r\n'
    records, _ = read_records(text.encode(), "data/users.csv")
    assert [{name: value for name, value in each.items() if name != "_file"} for each in records["users"]] == [
        {"name": "ann", "tenant": "t1.com", "claims": {"http://wso2.org/claims/role": "a,b"}},
        {"name": "bob", "claims": {"age": "7"}},
    ]
    (application,) = read_records(b"name,owner,consumer_key,key_type,Region\na,ann,k,SANDBOX,EU\n", "applications.csv")[
        0
    ]["applications"]
    assert application["attributes"] == {"Region": "EU"}
    (subscription,) = read_records(b"application,api,tier\na,b,Gold\n", "subscriptions.csv")[0]["subscriptions"]
    assert subscription["tier"] == "Gold"


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("user: []", "r.yaml", "r.yaml:1: user is not known; there are tenants"),
        ("users: 1", "r.yaml", "r.yaml:1: users must be a list of mappings"),
        ("users: [1]", "r.yaml", "users must hold mappings"),
        ("users:\n- {}", "r.yaml", "r.yaml:2: users: lacks name"),
        ("settings: {nothing: 1}", "r.yaml", "r.yaml:1: nothing is not known"),
        ("settings: {exp_unit: h}", "r.yaml", "r.yaml:1: exp_unit must be one of s, ms"),
        ("grant_cache: [1]", "r.yaml", "grant_cache must map access tokens to claims"),
        ("[1]", "r.json", "must be a mapping of"),
        ("name\na,b\n", "users.csv", "users.csv:2: has another number of fields"),
        ("a\n1", "people.csv", "a CSV file is named after what it holds"),
        ('name\n"a', "users.csv", "is not CSV"),
        ("name,name\na,b\n", "users.csv", "users.csv:1: every column needs a name of its own"),
        ("name,\na,b\n", "users.csv", "users.csv:1: every column needs a name of its own"),
        ("name\n" + "a" * 200_000 + "\n", "users.csv", "is not CSV"),
        ("name,tenant\na\n", "users.csv", "users.csv:2: has another number of fields"),
        ("settings: [a]", "r.yaml", "r.yaml:1: settings must be a mapping"),
        ("settings: {strip_client_assertion: 'no'}", "r.yaml", "strip_client_assertion must be true or false"),
        ("users: &a [{name: x}]", "r.yaml", "anchors are not read here"),
        ("users: []\nusers: []", "r.yaml", "r.yaml:2: the key is given twice"),
        ('{"users": [{"name": "a", "name": "b"}]}', "r.json", "twice"),
        ("column\n1\n", "subscriptions.csv", "subscriptions: column is not known"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, name: str, sentence: str) -> None:
    assert any(sentence in problem for problem in problems(text, name))


def test_csv_is_utf_8() -> None:
    with pytest.raises(ConfigError, match="is not UTF-8"):
        read_records(b"name\n\xff\n", "users.csv")


def test_every_mistake_of_a_file_is_told_at_once_with_its_line() -> None:
    text = "users:\n- {name: a, x: 1}\n- {}\nsettings:\n  nothing: 1\n  exp_unit: h\napi: []\n"
    assert [problem.partition(" ")[0] for problem in problems(text)] == [
        "r.yaml:2:",
        "r.yaml:3:",
        "r.yaml:5:",
        "r.yaml:6:",
        "r.yaml:7:",
    ]
    assert [problem.split(":")[1] for problem in problems("name,tenant\na\n,b\n", "users.csv")] == ["2", "3"]


def test_a_file_that_holds_nothing_is_none_of_them() -> None:
    assert read_records(b"", "users.csv")[0] == read_records(b"", "r.yaml")[0] == {}
