from __future__ import annotations

from pathlib import Path

from jwtgate.dialects.kong.reference import signer_table
from jwtgate.dialects.kong.signer_fields import CONFIG, EXTRA

PAGE = Path(__file__).parents[4] / "docs" / "dialects" / "kong.md"


def test_the_table_names_every_field() -> None:
    table = signer_table()
    for name in (*CONFIG, *EXTRA):
        template = name.replace("access_token", "{t}").replace("channel_token", "{t}")
        assert f"| `{template}` |" in table


def test_the_page_shows_the_table_as_it_is() -> None:
    assert PAGE.read_text().endswith(f"\n\n{signer_table()}\n")


def test_what_differs_between_the_tokens_is_shown() -> None:
    assert '| `{t}_upstream_header` | string | `"Authorization:Bearer"`; channel: none |' in signer_table()
