"""Ends a throw-away stack when the process that wanted it is gone, whatever became of that process.

A helper process holds the reading end of a pipe; its writing end closes with the process that owns the stack, on
SIGKILL too. `python -m services.stack.reaper DIRECTORY` is that helper.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def doomed_directory() -> Iterator[Path]:
    """A new state directory; the stack in it and the directory are gone after the block or after this process."""
    directory = Path(tempfile.mkdtemp(prefix="gatefold-"))
    # Its name is a secret to nobody, its content is private; the account of PostgreSQL has to pass through.
    directory.chmod(0o711)
    package_root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    reaper = subprocess.Popen(
        [sys.executable, "-m", "services.stack.reaper", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd="/",
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    try:
        yield directory
    finally:
        assert reaper.stdin is not None
        reaper.stdin.close()
        reaper.wait()


def main() -> None:
    """Wait for the end of the owner, then end its stack."""
    directory = Path(sys.argv[1])
    sys.stdin.buffer.read()
    if not directory.exists():
        return
    from services.stack.stack import Stack

    Stack(directory).down(wipe=True)
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
