from __future__ import annotations

import pytest

from jwtgate.errors import KeyRefused
from jwtgate.jose.sealing import NONCE_BYTES, Sealer, is_sealed

MASTER = bytes(range(32))
NONCE = bytes(NONCE_BYTES)


def sealed(data: bytes = b"swordfish", name: str = "keyring/main") -> bytes:
    return Sealer(MASTER).seal(data, name, nonce=NONCE)


@pytest.mark.parametrize("data", [b"", b"swordfish", b"x" * 100_000])
def test_what_was_sealed_is_unsealed(data: bytes) -> None:
    assert Sealer(MASTER).unseal(sealed(data), "keyring/main") == data


def test_sec_150_the_data_is_not_to_be_seen() -> None:
    assert b"swordfish" not in sealed()


def test_a_record_under_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="sealed with another secret"):
        Sealer(MASTER).unseal(sealed(), "keyring/other")


def test_another_master_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="sealed with another secret"):
        Sealer(MASTER[::-1]).unseal(sealed(), "keyring/main")


@pytest.mark.parametrize("place", range(len(sealed())))
def test_a_flipped_bit_anywhere_is_refused(place: int) -> None:
    data = bytearray(sealed())
    data[place] ^= 1
    with pytest.raises(ValueError, match="sealed"):
        Sealer(MASTER).unseal(bytes(data), "keyring/main")


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01" + NONCE, b'{"keys":[]}'])
def test_what_is_no_sealed_record_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="sealed"):
        Sealer(MASTER).unseal(data, "keyring/main")


def test_a_short_master_secret_is_refused() -> None:
    with pytest.raises(KeyRefused) as caught:
        Sealer(MASTER[:31])
    assert caught.value.reason == "key_too_weak"


def test_what_is_sealed_is_told_from_text() -> None:
    assert is_sealed(sealed())
    assert not is_sealed(b'{"keys":[]}')
    assert not is_sealed(b"")


def test_a_name_is_blinded_in_one_way_that_only_the_secret_leads_to() -> None:
    one, same, other = Sealer(b"m" * 32), Sealer(b"m" * 32), Sealer(b"n" * 32)
    assert one.blind("api-key 1") == same.blind("api-key 1")
    assert len({one.blind("api-key 1"), one.blind("api-key 2"), other.blind("api-key 1"), "api-key 1"}) == 4
