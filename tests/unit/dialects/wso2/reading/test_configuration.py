from __future__ import annotations

from typing import Any

import pytest

from jwtgate.dialects.wso2.reading.configuration import STANDARD_CLAIMS, Configuration, configured, warnings_of
from jwtgate.errors import ConfigError


def objects(*, toml: bool = False, **options: Any) -> dict[str, Any]:
    return {"options": options, "places": {}, "notes": [], "has_toml": toml, "has_xml": not toml}


def configuration(**options: Any) -> Configuration:
    return configured(objects(**options))


def test_the_kind_of_file_says_the_generation_unless_somebody_does() -> None:
    assert configuration().profile == "v2"
    assert configuration(toml=True).profile == "v4"
    assert configuration(toml=True, jwt_profile="v3").profile == "v3"


def test_everything_has_the_default_of_the_product() -> None:
    found = configuration()
    assert not found.enabled
    assert (found.header, found.prefix) == ("X-JWT-Assertion", "http://wso2.org/claims/")
    assert (found.encoding, found.x5t, found.x5t_padded, found.x5c, found.kid) == (
        "base64",
        "sha1-hex",
        False,
        False,
        False,
    )
    assert (found.ttl_seconds, found.reuse, found.reuse_margin_seconds, found.claim_cache_seconds) == (
        900,
        True,
        5,
        900,
    )
    assert (found.retriever, found.generators, found.conversion) == ("", ("default", "default"), None)
    assert (found.custom_first, found.jwks, found.strip_client_assertion) == (True, True, True)
    late = configuration(toml=True)
    assert (late.encoding, late.x5t_padded, late.kid, late.custom_first, late.arrays) == (
        "base64-unpadded", True, True, False, True,
    )  # fmt: skip
    first = configuration(jwt_profile="v1")
    assert (first.x5t, first.exp_in_milliseconds) == ("sha1", True)


@pytest.mark.parametrize(("dialect", "prefix"), [("", ""), ("/", "/"), ("urn:x", "urn:x/")])
def test_a_dialect_stands_before_names(dialect: str, prefix: str) -> None:
    assert configuration(claim_dialect=dialect).prefix == prefix


@pytest.mark.parametrize(
    ("options", "ttl", "reuse", "margin"),
    [
        ({}, 900, True, 5),
        ({"jwt_profile": "v3"}, 960, True, 60),
        ({"token_cache_expiry": 600}, 600, True, 5),
        ({"gateway_token_cache": False}, 900, False, 0),
        ({"gateway_token_cache": False, "km_token_cache": True, "token_cache_expiry": 60}, 60, True, 5),
        ({"gateway_token_cache": False, "jwt_expiry_time": 300}, 300, False, 0),
        ({"jwt_expiry_time": 300}, 900, True, 5),
        ({"jwt_profile": "v4", "gateway_token_cache": False, "km_token_cache": True}, 900, False, 0),
        ({"clock_skew": 90}, 900, True, 90),
    ],
)
def test_caches_say_how_long_a_token_lasts(options: dict[str, Any], ttl: int, reuse: bool, margin: int) -> None:
    found = configuration(**options)
    assert (found.ttl_seconds, found.reuse, found.reuse_margin_seconds) == (ttl, reuse, margin)


@pytest.mark.parametrize("seconds", [0, 86401])
def test_a_token_lives_for_a_while(seconds: int) -> None:
    with pytest.raises(ConfigError, match="a token lives for 1 to 86400 seconds"):
        configuration(token_cache_expiry=seconds)


@pytest.mark.parametrize(
    ("options", "encoding"),
    [
        ({"encoding": "base64url"}, None),
        ({"generator_impl": "org.wso2.carbon.apimgt.keymgt.token.URLSafeJWTGenerator"}, None),
        ({"encoding": "base64"}, "base64"),
        ({"jwt_profile": "v4", "enable_base64_padding": True}, "base64"),
        ({"jwt_profile": "v3"}, "base64"),
    ],
)
def test_encodings(options: dict[str, Any], encoding: str | None) -> None:
    assert configuration(**options).encoding == encoding


def test_one_generator_stands_in_for_the_other() -> None:
    assert configuration(generator_impl="a:B").generators == ("a:B", "a:B")
    assert configuration(gateway_impl="c:D").generators == ("c:D", "c:D")
    assert configuration(generator_impl="a:B", gateway_impl="c:D").generators == ("a:B", "c:D")


def test_the_user_store_is_asked_where_that_is_said() -> None:
    assert not configuration(enable_user_claims=True).user_claims  # generations that have no such switch
    found = configuration(jwt_profile="v3", enable_user_claims=True)
    assert (found.user_claims, found.user_claims_of_jwt) == (True, True)
    found = configuration(jwt_profile="v4", enable_user_claims=True)
    assert (found.user_claims, found.user_claims_of_jwt) == (True, False)
    assert configuration(jwt_profile="v4", enable_claim_retrieval=True).user_claims_of_jwt


def test_claims_and_names_may_be_chosen() -> None:
    assert configuration().claims == STANDARD_CLAIMS["v2"]
    assert configuration(standard_claims=["exp"]).claims == ("exp",)
    conversion = configuration(convert_dialect=True, claim_conversion={"shoe": "shoesize"}).conversion
    assert conversion is not None
    assert (conversion["shoe"], conversion["given_name"]) == ("shoesize", "givenname")


def test_what_is_worth_a_sentence() -> None:
    given = objects(enable=True, signing_algorithm="bogus")
    sentences = [sentence for _, sentence in warnings_of(given, configured(given))]
    assert sentences == [
        "bogus is not an algorithm that is known here; SHA256withRSA signs instead.",
        "No JOSE library reads tokens in standard base64; base64url is read by all.",
    ]
    quiet = objects(enable=True, encoding="base64url", signing_algorithm="SHA256WITHRSA")
    assert warnings_of(quiet, configured(quiet)) == []
    assert configured(given).signed
    assert not configuration(signing_algorithm="NONE").signed


def test_every_generation_has_the_standard_claims_of_its_own() -> None:
    old = {"subscriber", "applicationid", "applicationname", "applicationtier", "apicontext", "version", "tier"}
    old |= {"keytype", "usertype", "enduser", "enduserTenantId", "iss", "exp"}
    new = old | {"iat", "jti", "sub", "apiname", "applicationUUId", "applicationAttributes"}
    assert {profile: set(names) for profile, names in STANDARD_CLAIMS.items()} == {
        "v1": old,
        "v2": old,
        "v3": new,
        "v4": new,
    }


MATRIX = [
    ({}, 900, 960),
    ({"km_token_cache": True}, 900, 960),
    ({"jwt_expiry_time": 300}, 900, 960),
    ({"token_cache_expiry": 600}, 600, 660),
    ({"token_cache_expiry": 600, "km_token_cache": True, "jwt_expiry_time": 300}, 600, 660),
    ({"gateway_token_cache": False, "km_token_cache": True, "token_cache_expiry": 600}, 600, 660),
    ({"gateway_token_cache": False, "km_token_cache": True, "jwt_expiry_time": 300}, 900, 960),
    ({"gateway_token_cache": False}, 900, 960),
    ({"gateway_token_cache": False, "token_cache_expiry": 600}, 900, 960),
    ({"gateway_token_cache": False, "jwt_expiry_time": 300}, 300, 360),
]


@pytest.mark.parametrize(("options", "seconds", "buffered"), MATRIX)
@pytest.mark.parametrize("profile", ["v1", "v2", "v3", "v4"])
def test_the_matrix_of_lifetimes(profile: str, options: dict[str, Any], seconds: int, buffered: int) -> None:
    found = configuration(jwt_profile=profile, **options)
    assert found.ttl_seconds == (buffered if profile == "v3" else seconds)
    assert found.exp_in_milliseconds is (profile == "v1")


@pytest.mark.parametrize("profile", ["v1", "v2", "v3", "v4"])
@pytest.mark.parametrize("skew", [0, 5, 60, 10**8])
def test_a_token_is_never_used_again_for_longer_than_the_cache_keeps_it(profile: str, skew: int) -> None:
    found = configuration(jwt_profile=profile, clock_skew=skew, token_cache_expiry=30)
    assert found.ttl_seconds - found.reuse_margin_seconds <= 30
    assert found.reuse_margin_seconds >= min(skew, 86400)


def test_the_time_that_is_out_of_bounds_is_told_where_it_stands() -> None:
    given = objects(gateway_token_cache=False, jwt_expiry_time=0, token_cache_expiry=600)
    given["places"] = {"jwt_expiry_time": "a.xml:7", "token_cache_expiry": "a.xml:9"}
    with pytest.raises(ConfigError, match=r"a\.xml:7: a token lives"):
        configured(given)


@pytest.mark.parametrize(
    ("options", "x5t", "padded"),
    [
        ({"jwt_profile": "v1"}, "sha1", False),
        ({"jwt_profile": "v2"}, "sha1-hex", False),
        ({"jwt_profile": "v3"}, "sha1-hex", True),
        ({"jwt_profile": "v4"}, "sha1-hex", True),
        ({"jwt_profile": "v4", "encode_x5t_without_padding": True}, "sha1-hex", False),
        ({"jwt_profile": "v4", "x5t_format": "rfc7515"}, "sha1", True),
        ({"jwt_profile": "v1", "x5t_format": "wso2-hex"}, "sha1-hex", False),
        ({"jwt_profile": "v4", "use_sha256_hash": True}, "sha256-hex", True),
    ],
)
def test_how_the_certificate_is_named(options: dict[str, Any], x5t: str, padded: bool) -> None:
    found = configuration(**options)
    assert (found.x5t, found.x5t_padded) == (x5t, padded)


@pytest.mark.parametrize(
    ("profile", "options", "kid"),
    [
        ("v1", {}, False),
        ("v2", {"use_kid_property": True}, False),
        ("v3", {}, False),
        ("v4", {}, True),
        ("v4", {"use_kid_property": False}, False),
    ],
)
def test_only_the_last_generation_names_its_key(profile: str, options: dict[str, Any], kid: bool) -> None:
    assert configuration(jwt_profile=profile, **options).kid is kid


@pytest.mark.parametrize(
    ("algorithm", "signed", "warned"),
    [
        ("SHA256withRSA", True, False),
        ("SHA256WITHRSA", True, False),
        ("RS256", True, False),
        ("NONE", False, False),
        ("none", True, True),
        ("None", True, True),
        ("", True, True),
        ("HS256", True, True),
    ],
)
def test_sec_1_only_one_spelling_leaves_a_token_unsigned(algorithm: str, signed: bool, warned: bool) -> None:
    given = objects(signing_algorithm=algorithm)
    found = configured(given)
    assert found.signed is signed
    assert not found.unsigned_allowed
    assert bool(warnings_of(given, found)) is warned


@pytest.mark.parametrize(
    ("profile", "said", "custom_first"),
    [
        ("v1", None, True),
        ("v2", None, True),
        ("v3", None, False),
        ("v4", None, False),
        ("v2", "standard", False),
        ("v4", "custom", True),
    ],
)
def test_which_of_two_claims_of_one_name_stands(profile: str, said: str | None, custom_first: bool) -> None:
    options = {} if said is None else {"claim_precedence": said}
    assert configuration(jwt_profile=profile, **options).custom_first is custom_first


def test_names_are_converted_by_this_table_where_that_is_asked_for() -> None:
    assert configuration(convert_dialect=False, claim_conversion={"a": "b"}).conversion is None
    assert configuration(convert_dialect=True).conversion == {
        "given_name": "givenname",
        "family_name": "lastname",
        "email": "emailaddress",
        "groups": "role",
        "phone_number": "mobile",
        "preferred_username": "username",
        "name": "fullname",
        "nickname": "nickname",
        "website": "url",
        "country": "country",
        "birthdate": "dob",
        "gender": "gender",
    }


def test_lists_in_texts_are_of_the_last_generation_unless_another_says_so() -> None:
    assert [configuration(jwt_profile=profile).arrays for profile in ("v1", "v2", "v3", "v4")] == [False] * 3 + [True]
    assert configuration(jwt_profile="v3", parse_json_arrays=True).arrays
    assert not configuration(jwt_profile="v2", parse_json_arrays=True).arrays


def test_a_class_nobody_knows_is_a_mistake_that_names_it() -> None:
    for option in ("generator_impl", "gateway_impl", "claims_extractor_impl"):
        with pytest.raises(ConfigError, match=r"com\.acme\.Unknown"):
            configuration(**{option: "com.acme.Unknown"})
        configuration(**{option: "com.acme.Unknown"}, java_class_map={"com.acme.Unknown": "acme:Known"})


def test_the_claim_cache_may_be_off() -> None:
    assert configuration(jwt_claim_cache_expiry=30).claim_cache_seconds == 30
    assert configuration(jwt_claim_cache=False, jwt_claim_cache_expiry=30).claim_cache_seconds == 0
