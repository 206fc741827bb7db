from __future__ import annotations

import pytest

from jwtgate.dialects.wso2.reading.classes import generator_class, retriever_class
from jwtgate.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("org.wso2.carbon.apimgt.keymgt.token.JWTGenerator", "default"),
        ("org.wso2.carbon.apimgt.impl.token.JWTGenerator", "default"),
        ("org.wso2.carbon.apimgt.keymgt.token.URLSafeJWTGenerator", "default+base64url"),
        ("org.wso2.carbon.apimgt.impl.token.URLSafeJWTGenerator", "default+base64url"),
        ("org.wso2.carbon.apimgt.common.gateway.jwtgenerator.APIMgtGatewayJWTGeneratorImpl", "default"),
        (
            "org.wso2.carbon.apimgt.common.gateway.jwtgenerator.APIMgtGatewayUrlSafeJWTGeneratorImpl",
            "default+base64url",
        ),
        ("org.wso2.carbon.apimgt.gateway.elsewhere.APIMgtGatewayUrlSafeJWTGeneratorImpl", "default+base64url"),
        ("mine:Generator", "mine:Generator"),
        ("com.acme.Mapped", "acme.tokens:Mapped"),
    ],
)
def test_names_of_java_have_something_that_stands_for_them(name: str, meant: str) -> None:
    assert generator_class(name, {"com.acme.Mapped": "acme.tokens:Mapped"}) == meant


def test_the_retrievers_are_known() -> None:
    assert retriever_class("org.wso2.carbon.apimgt.impl.token.DefaultClaimsRetriever", {}) == "user-store"
    assert retriever_class("org.wso2.carbon.apimgt.impl.token.ExtendedDefaultClaimsRetriever", {}) == ""


@pytest.mark.parametrize("name", ["com.acme.JWTGenerator", "org.wso2.Nobody", "JWTGenerator"])
def test_any_other_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=f"The generator {name} is a class of Java"):
        generator_class(name, {})


@pytest.mark.parametrize("name", ["mine:", ":Mine", "my-module:Mine", "mine:a.b", "../mine:Mine"])
def test_a_class_of_python_is_written_in_one_way(name: str) -> None:
    with pytest.raises(ConfigError, match="must be written module:Class"):
        generator_class("a.B", {"a.B": name})


def test_what_is_mapped_stands_over_what_is_known() -> None:
    name = "org.wso2.carbon.apimgt.impl.token.JWTGenerator"
    assert generator_class(name, {name: "acme.tokens:Generator"}) == "acme.tokens:Generator"


def test_a_generator_is_no_retriever() -> None:
    with pytest.raises(ConfigError, match=r"The claims retriever .*JWTGenerator is a class of Java"):
        retriever_class("org.wso2.carbon.apimgt.impl.token.JWTGenerator", {})
