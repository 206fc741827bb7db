from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SERVER, configuration
from tests.unit.dialects.couper.translated import settings

from jwtgate.dialects.couper.settings import settings_of
from jwtgate.errors import ConfigError

NOT_TOLD = replace(settings(), listen=())


def test_couper_listens_on_its_usual_port() -> None:
    assert settings_of(configuration(SERVER), NOT_TOLD).listen == ("0.0.0.0:8080",)


def test_a_port_of_settings_or_of_the_environment_is_taken() -> None:
    read = configuration(f"{SERVER}settings {{\n default_port = 9090\n }}")
    assert settings_of(read, NOT_TOLD).listen == ("0.0.0.0:9090",)
    told = replace(NOT_TOLD, environ={"COUPER_DEFAULT_PORT": "7070"})
    assert settings_of(read, told).listen == ("0.0.0.0:7070",)


def test_an_address_of_settings_is_taken() -> None:
    read = configuration(f'{SERVER}settings {{\n bind_address = "::1"\n }}')
    assert settings_of(read, NOT_TOLD).listen == ("[::1]:8080",)


def test_every_port_a_server_names_is_listened_on() -> None:
    hosts = 'server {\n hosts = ["a.example:81", "b.example", "c.example:81"]\n endpoint "/" { response {} }\n }'
    assert settings_of(configuration(hosts), NOT_TOLD).listen == ("0.0.0.0:81", "0.0.0.0:8080")


def test_what_was_told_otherwise_stands() -> None:
    told = settings()
    assert settings_of(configuration(SERVER), told) is told


def test_a_port_that_is_none_is_a_mistake() -> None:
    read = configuration(f"{SERVER}settings {{\n default_port = 65536\n }}")
    with pytest.raises(ConfigError, match="port 65536: ports end at 65535"):
        settings_of(read, NOT_TOLD)
    assert settings_of(read, replace(NOT_TOLD, environ={"COUPER_DEFAULT_PORT": "65535"})).listen == ("0.0.0.0:65535",)
