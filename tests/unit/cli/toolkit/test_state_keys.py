import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jwtgate.cli.answer import Answer
from jwtgate.cli.toolkit import state_keys
from jwtgate.cli.toolkit.keys import keys
from jwtgate.control.state_folder import DATABASE
from jwtgate.errors import ConfigError
from jwtgate.policy.sources import SigningKeys
from jwtgate.state.keys.keyring import Keyring, sealer_of
from jwtgate.state.keys.rotation import SPREAD_SECONDS, Periods
from jwtgate.state.stores.sqlite import SqliteStore

PERIODS = Periods(120, 1000)
MASTER_KEY = "m" * 32


def _ensure(folder: Path, *wanted: SigningKeys, master_key: str | None = None) -> Keyring:
    store = SqliteStore(folder / DATABASE)
    sealer = sealer_of(master_key) if master_key else None
    keyring = Keyring.open(store, wall=time.time, periods=PERIODS, sealer=sealer)
    for each in wanted:
        keyring.ensure(each)
    store.close()
    return keyring


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder with signing keys named `default` and `other`."""
    _ensure(tmp_path, SigningKeys("default", "ES256"), SigningKeys("other", "Ed25519"))
    return tmp_path


def _value(answer: Answer) -> Any:
    return answer.value


def test_the_keys_of_every_name_are_listed_with_their_state(state: Path) -> None:
    listed = _value(state_keys.listed(state, None))["keys"]
    assert [(each["name"], each["alg"], each["state"]) for each in listed] == [
        ("default", "ES256", "active"),
        ("other", "Ed25519", "active"),
    ]


def test_the_keys_of_one_name_are_listed_with_what_comes_next(state: Path) -> None:
    state_keys.rotated(state, "default")
    answer = state_keys.listed(state, "default")
    former, new = _value(answer)["keys"]
    assert (former["state"], new["state"]) == ("active", "upcoming")
    assert former["signs_until"] == new["signs_from"]
    assert former["shown_until"] == former["signs_until"] + 1000 + SPREAD_SECONDS
    assert former["next"].startswith("signs until ")
    assert new["next"].startswith("signs from ")
    assert former["next"] in answer.text


def test_the_keys_of_a_gateway_are_shown_in_public(state: Path) -> None:
    key_set = _value(state_keys.shown(state, "default", kid=None, form="jwks"))
    one = _value(state_keys.shown(state, "default", kid=None, form="jwk"))
    assert key_set == {"keys": [one]}
    assert "d" not in one


def test_a_plan_changes_nothing_and_is_what_then_happens(state: Path) -> None:
    before = _value(state_keys.listed(state, None))
    plan = _value(state_keys.planned(state, "default"))
    assert _value(state_keys.listed(state, None)) == before
    done = _value(state_keys.rotated(state, "default"))
    assert plan["former"] == done["former"] == before["keys"][0]["kid"]
    for timetable in (plan, done):
        assert timetable["takes_over_at"] - timetable["published_at"] == 120 + SPREAD_SECONDS
        assert timetable["leaves_at"] - timetable["takes_over_at"] == 1000 + SPREAD_SECONDS


def test_a_timetable_tells_instants_and_what_they_mean(state: Path) -> None:
    lines = state_keys.planned(state, "default").text.splitlines()
    assert lines[0].startswith("A rotation of 'default' now would go like this. The former key is ")
    assert [bool(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  \w", line)) for line in lines[3:]] == [True, True, True]


def test_a_rotation_under_way_is_planned_as_it_goes_and_refused(state: Path) -> None:
    done = _value(state_keys.rotated(state, "default"))
    plan = state_keys.planned(state, "default")
    assert plan.value == done
    assert plan.text.startswith("A rotation of 'default' is under way.")
    with pytest.raises(ConfigError, match="being rotated already"):
        state_keys.rotated(state, "default")
    assert len(_value(state_keys.listed(state, "default"))["keys"]) == 2


def test_a_key_that_others_know_is_gone_at_once(state: Path) -> None:
    state_keys.rotated(state, "default")
    answer = state_keys.replaced(state, "default")
    (only,) = _value(state_keys.listed(state, "default"))["keys"]
    assert (only["kid"], only["state"]) == (_value(answer)["kid"], "active")
    assert "refused" in answer.text


def test_an_unknown_name_is_answered_with_the_known_ones_and_makes_no_keys(state: Path) -> None:
    for act in (state_keys.listed, state_keys.planned, state_keys.rotated, state_keys.replaced):
        with pytest.raises(ConfigError, match="no signing keys named 'third'"):
            act(state, "third")
    with pytest.raises(ConfigError, match="there are 'default', 'other'"):
        state_keys.shown(state, "third", kid=None, form="jwk")
    assert len(_value(state_keys.listed(state, None))["keys"]) == 2


def test_sec_150_sealed_keys_are_rotated_with_their_master_key_only(tmp_path: Path) -> None:
    _ensure(tmp_path, SigningKeys("default"), master_key=MASTER_KEY)
    rotate = ["rotate", "default", "--state", str(tmp_path)]
    without = CliRunner().invoke(keys, rotate)
    assert (without.exit_code, "the master key they were sealed with is needed" in without.stderr) == (2, True)
    assert CliRunner().invoke(keys, rotate, env={state_keys.MASTER_KEY: MASTER_KEY}).exit_code == 0
    assert len(_ensure(tmp_path, SigningKeys("default"), master_key=MASTER_KEY).keys("default")) == 2


def test_no_private_half_is_shown(state: Path) -> None:
    secrets = [held.key.to_private_jwk()["d"] for held in _ensure(state).keys("default")]
    answers = [state_keys.rotated(state, "default"), state_keys.planned(state, "default")]
    answers += [state_keys.listed(state, None), state_keys.replaced(state, "default")]
    shown = "".join(answer.text + json.dumps(answer.value) for answer in answers)
    assert not any(str(secret) in shown for secret in secrets)


def test_a_folder_without_state_is_a_mistake_and_stays_empty(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no state folder"):
        state_keys.listed(tmp_path, "default")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_state_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("no database" * 100)
    with pytest.raises(ConfigError, match="database"):
        state_keys.listed(tmp_path, "default")
