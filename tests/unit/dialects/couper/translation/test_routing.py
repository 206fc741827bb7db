from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import configuration
from tests.unit.dialects.couper.translated import draft, not_exact, settings, translate

from jwtgate.dialects.couper.translation.document import translated
from jwtgate.dialects.couper.translation.routing import (
    below,
    default_port,
    hosts_of,
    is_template,
    particular_first,
    ports_of,
    rank,
    templates_of,
)


def server(hosts: str, label: str = "s") -> str:
    return f'server "{label}" {{\n hosts = {hosts}\n endpoint "/" {{\n response {{}}\n }}\n }}\n'


@pytest.mark.parametrize(
    ("path", "templates"),
    [
        ("/", ["/"]),
        ("/a", ["/a", "/a/"]),
        ("/a/", ["/a", "/a/"]),
        ("/a/{b}", ["/a/{b}", "/a/{b}/"]),
        ("/**", ["/*"]),
        ("/a/**", ["/a", "/a/*"]),
    ],
)
def test_a_path_is_a_template_with_and_without_a_slash_at_its_end(path: str, templates: list[str]) -> None:
    assert templates_of(path) == templates


def test_everything_in_a_base_path_is_below_it() -> None:
    assert (below("/"), below("/api"), below("/api/")) == ("/**", "/api/**", "/api/**")


def test_text_goes_before_parameters_and_those_before_everything_below() -> None:
    paths = ["/**", "/{a}/b", "/a/**", "/a/{b}", "/a/b/**", "/a/b", "/a", "/{a}"]
    assert sorted(paths, key=rank) == ["/a", "/a/b", "/a/b/**", "/a/{b}", "/a/**", "/{a}", "/{a}/b", "/**"]


def test_a_parameter_is_a_whole_segment() -> None:
    assert is_template("/a/{b}/**")
    assert not is_template("/a/{b}.json")
    assert not is_template("/a/x{b}")


def test_names_of_hosts_are_looked_at_and_a_star_is_any() -> None:
    found = draft(server('["A.example", "b.example:8080"]'))
    (one,) = found.configuration.servers
    assert hosts_of(found, one, [one]) == {"hosts": ["a.example", "b.example"]}
    (every,) = configuration(server('["*"]')).servers
    assert hosts_of(found, every, [every]) == {}


def test_servers_on_different_ports_are_told_apart_by_where_a_request_came_to() -> None:
    source = server('["a.example:8081", "a.example"]', "one") + server('["b.example:8082"]', "two")
    listening = replace(settings(), listen=("[::]:8081", "[::]:8080"), tls_listen=("0.0.0.0:8082",))
    translation = translated(configuration(source), listening)
    routes = translation.document["routes"]
    assert [routes[name]["match"] for name in ("one:/", "two:/")] == [{"ports": [8081, 8080]}, {"ports": [8082]}]
    assert not not_exact(translation)


def test_hosts_on_ports_of_their_own_are_told_to_be_on_all() -> None:
    other = server('["c.example:8083"]', "two")
    listening = replace(settings(), listen=("[::]:8081", "[::]:8082", "[::]:8083"))

    def said(hosts: str) -> set[str]:
        return set(not_exact(translated(configuration(server(hosts, "one") + other), listening)))

    assert said('["a.example:8081", "b.example:8082"]') == {'server "one"/hosts'}
    assert said('["a.example:8081", "a.example:8082"]') == set()


def test_the_usual_port_may_stand_in_the_environment() -> None:
    found = draft(server('["a.example"]', "one") + server('["b.example:8082"]', "two"), {"COUPER_DEFAULT_PORT": "7000"})
    one, two = found.configuration.servers
    assert hosts_of(found, one, [one, two])["match"] == {"when": "request.headers.host.endsWith(':7000')"}


def test_servers_whose_ports_are_not_listened_on_are_told_apart_by_the_host_field() -> None:
    source = server('["*:8081"]', "one") + server('["*:8082"]', "two")
    translation = translate(source)
    assert translation.document["routes"]["one:/"]["match"] == {"when": "request.headers.host.endsWith(':8081')"}
    assert set(not_exact(translation)) == {'server "one"/hosts', 'server "two"/hosts'}


def test_a_server_for_any_host_comes_last() -> None:
    every, one = configuration(server('["*"]', "every") + server('["a.example"]', "one")).servers
    assert particular_first([every, one]) == [one, every]


def test_the_port_is_that_of_the_host_or_the_usual_one() -> None:
    (found,) = configuration(server('["a.example:81", "b.example"]')).servers
    assert ports_of(found, 8080) == [81, 8080]
    told: list[dict[str, object]] = [{"default_port": 9090}, {"port": 7070}, {}, {"port": True}]
    assert [default_port(each, {}) for each in told] == [9090, 7070, 8080, 8080]
    assert [default_port({"port": 1}, {"COUPER_DEFAULT_PORT": said}) for said in ("7000", "x", "")] == [7000, 1, 1]
