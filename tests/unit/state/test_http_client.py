"""What can be told of an address without a connection; fetches are in tests/integration/test_http_client.py."""

from __future__ import annotations

import ipaddress

import pytest

from jwtgate.state.http_client import FetchFailed, FetchRules, basic_fields, check_url, is_internal

RULES = FetchRules()
INSECURE = FetchRules(insecure_http=True)


def cause(url: str, rules: FetchRules = RULES) -> str:
    with pytest.raises(FetchFailed) as caught:
        check_url(url, rules)
    return caught.value.cause


@pytest.mark.parametrize(
    "url",
    [
        "https://idp.example/jwks",
        "https://idp.example:8443/jwks?a=b",
        "https://[2001:db8::1]/",
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "http://[::1]:80/",
    ],
)
def test_sec_60_https_is_allowed_and_http_to_this_machine(url: str) -> None:
    check_url(url, RULES)


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "ftp://localhost/x",
        "gopher://localhost/x",
        "unix://localhost/x",
        "HTTPX://idp.example/",
    ],
)
def test_sec_60_other_schemes_and_plain_http_are_refused(url: str) -> None:
    assert cause(url) in ("scheme_refused", "address_malformed")


def test_sec_60_plain_http_needs_to_be_named_insecure() -> None:
    check_url("http://idp.example/", INSECURE)
    assert cause("ftp://idp.example/", INSECURE) == "scheme_refused"


@pytest.mark.parametrize("url", ["https://user@idp.example/", "https://u:p@idp.example/", "https://@idp.example/"])
def test_sec_60_user_information_is_refused(url: str) -> None:
    assert cause(url) == "address_has_user_info"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/jwks",
        "https://",
        "https:///jwks",
        "data:application/json,{}",
        "https://idp.example:99999/",
        "https://idp.example:0/",
        "https://[::1/",
        "https://idp.example/ jwks",
        "https://idp.example/\njwks",
        "https://idp.exämple/",
        "https://idp.example\\.evil.example/",
    ],
)
def test_an_address_that_cannot_be_read_in_one_way_is_refused(url: str) -> None:
    assert cause(url) == "address_malformed"


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
    ],
)
def test_sec_63_internal_addresses_are_told_however_they_are_wrapped(text: str) -> None:
    assert is_internal(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::"]
)
def test_sec_63_addresses_of_the_internet_are_not_internal(text: str) -> None:
    assert not is_internal(ipaddress.ip_address(text))


def test_who_asks_is_said_as_rfc_7617_has_it() -> None:
    assert basic_fields("Aladdin", "open sesame") == {"Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}
    assert basic_fields("test", "123£") == {"Authorization": "Basic dGVzdDoxMjPCow=="}
