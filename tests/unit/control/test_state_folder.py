"""One supervisor at a time has a state folder, and nobody else may write in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from jwtgate.control.state_folder import StateFolder
from jwtgate.errors import ConfigError


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with StateFolder(tmp_path / "a" / "b") as folder:
        assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_second_supervisor_is_refused_and_may_have_the_folder_afterwards(tmp_path: Path) -> None:
    with StateFolder(tmp_path), pytest.raises(ConfigError, match="another jwtgate"), StateFolder(tmp_path):
        pass
    with StateFolder(tmp_path):
        pass


def test_rel_51_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    hold = f"""
import sys, time
from pathlib import Path
from jwtgate.control.state_folder import StateFolder
with StateFolder(Path({str(tmp_path)!r})):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match="another jwtgate"), StateFolder(tmp_path):
            pass
        holder.kill()
        holder.wait()
    with StateFolder(tmp_path):
        pass


def test_a_folder_others_may_write_in_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)
    with pytest.raises(ConfigError, match="writable by others"), StateFolder(tmp_path):
        pass


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="state folder"), StateFolder(tmp_path / "file"):
        pass


def test_a_lock_file_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError), StateFolder(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_rel_51_who_was_killed_is_told_from_who_left(tmp_path: Path) -> None:
    with StateFolder(tmp_path) as first:
        assert not first.left_behind
        (tmp_path / "as-it-is").write_bytes((tmp_path / "lock").read_bytes())
    with StateFolder(tmp_path) as second:
        assert not second.left_behind
    (tmp_path / "lock").write_bytes((tmp_path / "as-it-is").read_bytes())
    with StateFolder(tmp_path) as third:
        assert third.left_behind
