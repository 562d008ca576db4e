"""The cache of jars, against a repository of our own on loopback."""

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.stack import download, jars
from services.stack.errors import DownloadFailed, WrongDigest
from services.stack.jars import Jar, fetch, read_lock
from services.stack.ports import free_port


class Repository:
    """Serves files by path; `trouble` holds what goes wrong before the path is served: a status or a byte count."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.trouble: dict[str, list[int]] = {}
        self.asked: list[str] = []

    def add(self, coordinate: str, content: bytes) -> Jar:
        jar = Jar("kafka", coordinate, hashlib.sha256(content).hexdigest(), len(content))
        self.files[f"/{jar.path}"] = content
        return jar


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.asked.append(self.path)
            content = served.files.get(self.path)
            trouble = served.trouble.get(self.path)
            step = trouble.pop(0) if trouble else 200
            if content is None or step >= 400:
                self.send_response(404 if content is None else step)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content if step == 200 else content[:step])
            self.close_connection = step != 200

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Repository(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "LONGEST_PAUSE_SECONDS", 0.01)


def leftovers(cache: Path) -> list[Path]:
    return list(cache.rglob("*.part"))


def test_fetches_in_order_under_the_layout_of_a_repository(repository: Repository, tmp_path: Path) -> None:
    wanted = [repository.add(f"org.example:part{n}:1.{n}", b"%d" % n * 1000) for n in range(40)]
    wanted.append(repository.add("org.example:native:2:linux-x86_64", b"elf"))
    paths = fetch(wanted, tmp_path, repository.url)
    assert [path.read_bytes() for path in paths] == [repository.files[f"/{jar.path}"] for jar in wanted]
    assert paths[-1] == tmp_path / "jars/org/example/native/2/native-2-linux-x86_64.jar"
    assert leftovers(tmp_path) == []


def test_a_full_cache_needs_no_network(repository: Repository, tmp_path: Path) -> None:
    jar = repository.add("org.example:part:1", b"content")
    first = fetch([jar], tmp_path, repository.url)
    assert fetch([jar], tmp_path, f"http://127.0.0.1:{free_port()}") == first
    assert len(repository.asked) == 1


@pytest.mark.parametrize("damage", [b"", b"con", b"CONTENT"], ids=["empty", "truncated", "altered"])
def test_a_damaged_jar_in_the_cache_is_replaced(repository: Repository, tmp_path: Path, damage: bytes) -> None:
    good, other = repository.add("org.example:part:1", b"content"), repository.add("org.example:other:1", b"other")
    path, _ = fetch([good, other], tmp_path, repository.url)
    path.write_bytes(damage)
    assert fetch([good, other], tmp_path, repository.url)[0].read_bytes() == b"content"
    assert repository.asked.count(f"/{good.path}") == 2
    assert repository.asked.count(f"/{other.path}") == 1


def test_what_a_killed_download_left_is_overwritten(repository: Repository, tmp_path: Path) -> None:
    jar = repository.add("org.example:part:1", b"content")
    partial = (tmp_path / "jars" / jar.path).with_suffix(".part")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"longer than the content will be")
    assert fetch([jar], tmp_path, repository.url)[0].read_bytes() == b"content"
    assert leftovers(tmp_path) == []


def test_another_file_than_the_locked_one_is_refused_and_not_kept(repository: Repository, tmp_path: Path) -> None:
    jar = repository.add("org.example:part:1", b"content")
    repository.files[f"/{jar.path}"] = b"c0ntent"
    found = hashlib.sha256(b"c0ntent").hexdigest()
    with pytest.raises(WrongDigest, match=f"org.example:part:1: .*{found}.*{jar.sha256}"):
        fetch([jar], tmp_path, repository.url)
    assert not (tmp_path / "jars" / jar.path).exists()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("trouble", [[503, 429], [3, 0], [3, 500]], ids=["busy", "cut off", "both"])
def test_trouble_that_passes_is_waited_out(repository: Repository, tmp_path: Path, trouble: list[int]) -> None:
    jar = repository.add("org.example:part:1", b"content")
    repository.trouble[f"/{jar.path}"] = trouble
    assert fetch([jar], tmp_path, repository.url)[0].read_bytes() == b"content"
    assert len(repository.asked) == 3


def test_trouble_that_stays_is_an_error_that_says_what_to_check(repository: Repository, tmp_path: Path) -> None:
    jar = repository.add("org.example:part:1", b"content")
    repository.trouble[f"/{jar.path}"] = [500] * 9
    with pytest.raises(DownloadFailed, match=r"org\.example:part:1: the server answers 500.*HTTPS_PROXY"):
        fetch([jar], tmp_path, repository.url, attempts=3)
    assert len(repository.asked) == 3


def test_a_missing_file_is_asked_for_once(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed, match="404"):
        fetch([Jar("kafka", "org.example:absent:1", "0" * 64, 7)], tmp_path, repository.url)
    assert len(repository.asked) == 1


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DownloadFailed, match="cannot fetch"):
        fetch([Jar("kafka", "org.example:part:1", "0" * 64, 7)], tmp_path, f"http://127.0.0.1:{free_port()}")


def test_progress_counts_bytes_on_standard_error(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch([repository.add("org.example:part:1", b"x" * 3_000_000)], tmp_path, repository.url, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "fetching the engines: 3 MB" in err


def test_a_proxy_of_the_environment_is_used_with_its_credentials(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = repository.add("org.example:part:1", b"content")
    # A proxy is asked for the whole address.
    repository.files[f"http://maven.invalid/{jar.path}"] = b"content"
    monkeypatch.setenv("http_proxy", repository.url.replace("//", "//user:p%40ss@"))
    assert fetch([jar], tmp_path, "http://maven.invalid")[0].read_bytes() == b"content"
    assert repository.asked == [f"http://maven.invalid/{jar.path}"]


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEFOLD_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert jars.cache_dir() == Path("/somewhere/gatefold")
    monkeypatch.setenv("GATEFOLD_CACHE", "/elsewhere")
    assert jars.cache_dir() == Path("/elsewhere")
    monkeypatch.delenv("GATEFOLD_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert jars.cache_dir() == Path.home() / ".cache" / "gatefold"


def test_the_committed_lock_is_complete_and_names_no_address() -> None:
    locked = read_lock()
    for jar in locked:
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
        assert jar.size_bytes > 0
        assert 3 <= len(jar.coordinate.split(":")) <= 4, jar
    coordinates = {engine: [jar.coordinate for jar in locked if jar.engine == engine] for engine in ("kafka", "neo4j")}
    assert sum(map(len, coordinates.values())) == len(locked)
    assert "org.apache.kafka:kafka_2.13:4.1.1" in coordinates["kafka"]
    assert "org.neo4j:neo4j:2026.09.0" in coordinates["neo4j"]
    for engine, names in coordinates.items():
        artifacts = [(*name.split(":")[:2], *name.split(":")[3:]) for name in names]
        assert len(artifacts) == len(set(artifacts)), f"{engine} has two versions of one artifact"
    assert "//" not in jars.LOCK_FILE.read_text(encoding="utf-8")


def test_every_engine_of_the_lock_has_a_binding_for_its_log() -> None:
    """Without one Kafka would say nothing, not even why it does not start."""
    versions = {name: version for name, version in _versions("kafka") if name.startswith("log4j")}
    assert versions.keys() >= {"log4j-api", "log4j-core", "log4j-slf4j-impl"}
    assert len(set(versions.values())) == 1


def _versions(engine: str) -> list[tuple[str, str]]:
    return [(jar.coordinate.split(":")[1], jar.coordinate.split(":")[2]) for jar in read_lock() if jar.engine == engine]
