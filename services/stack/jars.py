"""The engines' jars: a committed lock, fetched side by side into a user cache and checked before use.

The lock names coordinates, sha256 and sizes; the repository's address is jgo's own.
A jar is written under a temporary name and renamed once its sha256 is right, so that a cache never holds half a jar
under its final name; what another program truncated is found by the check and fetched again.
"""

import hashlib
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from services.stack.download import ATTEMPTS, CONNECTIONS, byte_bar, connections, download
from services.stack.errors import DownloadFailed, WrongDigest
from services.stack.processes import locked

LOCK_FILE = Path(__file__).with_name("jars.lock")


@dataclass(frozen=True, slots=True)
class Jar:
    """One locked file of one engine; coordinate is `group:artifact:version[:classifier]`."""

    engine: str
    coordinate: str
    sha256: str
    size_bytes: int

    @property
    def path(self) -> PurePosixPath:
        """Where a Maven repository keeps it; our cache has the same layout."""
        group, artifact, version, *classifier = self.coordinate.split(":")
        name = "-".join((artifact, version, *classifier)) + ".jar"
        return PurePosixPath(*group.split("."), artifact, version, name)


def read_lock(path: Path = LOCK_FILE) -> list[Jar]:
    """Every jar of the lock, in the order of the class path."""
    jars = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            engine, coordinate, sha256, size = line.split()
            jars.append(Jar(engine, coordinate, sha256, int(size)))
    return jars


def write_lock(path: Path, jars: Iterable[Jar]) -> None:
    """Replace the lock."""
    head = "# engine coordinate sha256 bytes; renewed by: python -m services.stack.lock_jars\n"
    lines = "".join(f"{jar.engine} {jar.coordinate} {jar.sha256} {jar.size_bytes}\n" for jar in jars)
    path.write_text(head + lines, encoding="utf-8")


def cache_dir() -> Path:
    """GATEFOLD_CACHE, or `gatefold` in the user's cache directory."""
    if chosen := os.environ.get("GATEFOLD_CACHE"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "gatefold"


def repository_url() -> str:
    """GATEFOLD_JARS_URL (a mirror), or the repository that jgo uses."""
    if mirror := os.environ.get("GATEFOLD_JARS_URL"):
        return mirror
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL)


def digest(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_good(path: Path, jar: Jar) -> bool:
    """Whether the cached file is the locked one."""
    try:
        return path.stat().st_size == jar.size_bytes and digest(path) == jar.sha256
    except FileNotFoundError:
        return False


def fetch(
    jars: Sequence[Jar], cache: Path, base_url: str | None = None, progress: bool = False, attempts: int = ATTEMPTS
) -> list[Path]:
    """The local files of the jars, in their order, every one checked; downloads only what is missing or damaged.

    Raises:  DownloadFailed when the repository cannot be reached, WrongDigest when it serves another file.
    """
    root = cache / "jars"
    with ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="jars") as threads:
        if _missing(jars, root, threads):
            root.mkdir(parents=True, exist_ok=True)
            # Two stacks that start at once on an empty cache: the second waits, then finds everything there.
            with locked(root / ".lock"):
                absent = _missing(jars, root, threads)
                _download(absent, root, base_url or repository_url(), threads, progress, attempts)
    return [root / jar.path for jar in jars]


def _missing(jars: Sequence[Jar], root: Path, threads: ThreadPoolExecutor) -> list[Jar]:
    good = threads.map(lambda jar: is_good(root / jar.path, jar), jars)
    return [jar for jar, ok in zip(jars, good, strict=True) if not ok]


def _download(
    jars: Sequence[Jar], root: Path, base_url: str, threads: ThreadPoolExecutor, progress: bool, attempts: int
) -> None:
    stop = threading.Event()
    # One file for each path: the engines share some jars. The largest first, so that none of them is left for the end.
    wanted = sorted({jar.path: jar for jar in jars}.values(), key=lambda jar: -jar.size_bytes)
    total_bytes = sum(jar.size_bytes for jar in wanted)
    with connections(base_url) as pool, byte_bar("fetching the engines", total_bytes, progress) as advance:

        def one(jar: Jar) -> None:
            target = root / jar.path
            target.parent.mkdir(parents=True, exist_ok=True)
            # The lock makes us the cache's only writer: with a fixed name the next run overwrites what a crash left.
            partial = target.with_suffix(".part")
            try:
                download(pool, f"{base_url.rstrip('/')}/{jar.path}", partial, advance, stop, attempts)
            except DownloadFailed as error:
                raise DownloadFailed(
                    f"cannot fetch {jar.coordinate}: {error}. The engines' jars come from a Maven repository once and "
                    f"stay in {root}; check the network, HTTPS_PROXY and SSL_CERT_FILE, or name a mirror in "
                    "GATEFOLD_JARS_URL"
                ) from error
            found = digest(partial)
            if found != jar.sha256:
                partial.unlink()
                raise WrongDigest(f"{jar.coordinate}: fetched a file with sha256 {found}, locked is {jar.sha256}")
            os.replace(partial, target)

        waiting = [threads.submit(one, jar) for jar in wanted]
        try:
            for done in as_completed(waiting):
                done.result()
        except BaseException:
            stop.set()
            wait(waiting)
            raise
