"""Renews jars.lock: `python -m services.stack.lock_jars` resolves the engines' Maven dependencies with jgo.

Each root is resolved on its own and the first mention of an artifact wins: resolved together, one root's dependency
management would change the versions of another's.
"""

import sys
import tempfile
from pathlib import Path
from typing import TextIO

from services.stack.jars import LOCK_FILE, Jar, write_lock

# Kafka logs nothing without an SLF4J binding; its version is the one of the log4j-core that Kafka depends on.
ROOTS: dict[str, tuple[str, ...]] = {
    "kafka": ("org.apache.kafka:kafka_2.13:4.1.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"),
    "neo4j": ("org.neo4j:neo4j:2026.09.0",),
}


def resolve(engine: str, cache: Path) -> list[Jar]:
    """The jars one engine needs, its own first."""
    import jgo
    from jgo.maven import PythonResolver

    found: dict[tuple[str, str, str], Jar] = {}
    for root in ROOTS[engine]:
        # Lenient: optional dependencies that nobody publishes any more are no reason to fail.
        environment = jgo.build(root, cache_dir=cache, resolver=PythonResolver(lenient=True))
        sizes = {path.name: path.stat().st_size for path in environment.all_jars}
        for locked in environment.lockfile.dependencies:
            if locked.packaging != "jar":
                continue
            name = (locked.groupId, locked.artifactId, locked.classifier or "")
            coordinate = ":".join((locked.groupId, locked.artifactId, locked.version, locked.classifier or ""))
            file_name = Jar(engine, coordinate.rstrip(":"), locked.sha256, 0).path.name
            found.setdefault(name, Jar(engine, coordinate.rstrip(":"), locked.sha256, sizes[file_name]))
    return list(found.values())


def main(out: TextIO = sys.stderr) -> None:
    """Resolve every engine and write the lock."""
    jars: list[Jar] = []
    with tempfile.TemporaryDirectory(prefix="gatefold-lock-") as cache:
        for engine in ROOTS:
            resolved = resolve(engine, Path(cache))
            total = sum(jar.size_bytes for jar in resolved)
            out.write(f"{engine}: {len(resolved)} jars, {total / 1e6:.0f} MB\n")
            jars += resolved
    write_lock(LOCK_FILE, jars)


if __name__ == "__main__":
    main()
