from __future__ import annotations

import pytest

from jwtgate.dialects.couper.reading.parts.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("1k", 1024), ("64MiB", 64 * 2**20), ("10 KB", 10240), ("1.5m", 1572864), ("2GB", 2**31), ("7b", 7)],
)
def test_units_are_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "1x", "-1k", "1 k b"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid size") as caught:
        parse_size(text)
    assert str(caught.value) == f"invalid size: '{text}'"
