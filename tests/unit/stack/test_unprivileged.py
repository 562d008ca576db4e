"""Where PostgreSQL lives when its account may not go everywhere."""

import os
import stat
from pathlib import Path

import pytest

from services.stack import unprivileged
from services.stack.errors import BootFailed
from services.stack.processes import Owner

NOBODY = Owner(65534, 65534)


@pytest.fixture
def open_place(tmp_path: Path) -> Path:
    """A directory below which permissions are those that the test sets."""
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o711)
    return tmp_path


def test_data_stay_in_the_state_directory_where_the_account_gets_there(open_place: Path) -> None:
    assert unprivileged.data_home(open_place / "postgres", "gatefold-1", NOBODY) == open_place / "postgres"


def test_data_go_elsewhere_below_a_closed_directory(open_place: Path) -> None:
    home = open_place / "closed" / "state" / "postgres"
    home.parent.mkdir(parents=True)
    home.parent.parent.chmod(0o700)
    assert unprivileged.data_home(home, "gatefold-1", NOBODY) == unprivileged.SHARED_ROOT / "gatefold-1"
    assert unprivileged.data_home(home, "gatefold-1", None) == home
    assert stat.S_IMODE(home.parent.parent.stat().st_mode) == 0o700


def test_the_copied_server_is_open_to_everybody_and_made_once(open_place: Path) -> None:
    package = open_place / "site" / unprivileged.PACKAGE
    server = package / unprivileged.INSTALL / "bin" / "postgres"
    server.parent.mkdir(parents=True)
    server.write_text("#!/bin/sh\necho here\n")
    server.chmod(0o700)
    library = package.with_name(f"{unprivileged.PACKAGE}.libs") / "libz.so"
    library.parent.mkdir(mode=0o700)
    library.write_text("code")
    library.chmod(0o600)
    copy = unprivileged.copied(package, open_place)
    assert os.access(copy / unprivileged.INSTALL / "bin" / "postgres", os.X_OK)
    for path in (copy, *copy.rglob("*"), *copy.with_name(library.parent.name).rglob("*")):
        wanted = 0o005 if path.is_dir() or path.name == "postgres" else 0o004
        assert path.stat().st_mode & 0o007 == wanted, path
    made = copy.stat().st_ctime_ns
    assert unprivileged.copied(package, open_place) == copy
    assert copy.stat().st_ctime_ns == made
    assert stat.S_IMODE(server.stat().st_mode) == 0o700


def test_a_place_that_another_user_prepared_is_not_trusted(open_place: Path) -> None:
    package = open_place / unprivileged.PACKAGE
    server = package / unprivileged.INSTALL / "bin" / "postgres"
    server.parent.mkdir(parents=True)
    server.touch()
    (open_place / "trap").mkdir()
    (open_place / "postgresql").symlink_to(open_place / "trap")
    with pytest.raises(BootFailed, match="belongs to somebody else"):
        unprivileged.copied(package, open_place)


def test_the_package_carries_the_server() -> None:
    assert (unprivileged.binaries(unprivileged.server_owner()) / "initdb").exists()
