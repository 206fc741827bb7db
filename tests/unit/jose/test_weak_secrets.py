from __future__ import annotations

from jwtgate.jose.weak_secrets import WEAK_SECRETS


def test_sec_22_some_dozens_of_secrets_are_known() -> None:
    assert len(WEAK_SECRETS) > 100
    assert {b"secret", b"changeme", b"your-256-bit-secret", b"a-string-secret-at-least-256-bits-long"} <= WEAK_SECRETS


def test_entries_are_in_the_form_they_are_compared_in() -> None:
    assert all(secret == secret.strip().lower() for secret in WEAK_SECRETS)
