"""Files over HTTPS: few connections kept open, the environment's proxies and certificates, retries with a pause."""

import contextlib
import os
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from services.stack.errors import DownloadFailed

if TYPE_CHECKING:
    from urllib3 import PoolManager

CONNECTIONS = 16
ATTEMPTS = 5
TIMEOUT_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 8.0
CHUNK_BYTES = 256 * 1024
RETRIED_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


def connections(base_url: str) -> "PoolManager":
    """A pool for one server. A connection of its own for each of 290 small files took 25 times as long."""
    import urllib3

    address = urlsplit(base_url)
    proxy = urllib.request.getproxies().get(address.scheme)
    context = trusted_certificates()
    if not proxy or urllib.request.proxy_bypass(address.hostname or ""):
        return urllib3.PoolManager(maxsize=CONNECTIONS, block=True, ssl_context=context)
    credentials = urlsplit(proxy).netloc.rpartition("@")[0]
    headers = urllib3.make_headers(proxy_basic_auth=unquote(credentials)) if credentials else None
    return urllib3.ProxyManager(
        proxy, proxy_headers=headers, maxsize=CONNECTIONS, block=True, ssl_context=context, proxy_ssl_context=context
    )


def trusted_certificates() -> ssl.SSLContext:
    """The system's certificates (SSL_CERT_FILE, SSL_CERT_DIR), those of REQUESTS_CA_BUNDLE, and the public ones."""
    context = ssl.create_default_context()
    if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
        context.load_verify_locations(bundle)
    if "SSL_CERT_FILE" not in os.environ:
        # Some Pythons find none on their system.
        with contextlib.suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context


def download(
    pool: "PoolManager", url: str, target: Path, advance: Callable[[int], None], stop: threading.Event, attempts: int
) -> None:
    """Write what the server sends to the target; a failed attempt is taken back from the progress.

    Raises:  DownloadFailed once the attempts are used up or the server says that there is no such file.
    """
    import urllib3

    for attempt in range(1, attempts + 1):
        taken = 0
        retried = True
        try:
            once = urllib3.Retry(total=3, connect=0, read=0, status=0, other=0, redirect=3)
            answer = pool.request("GET", url, preload_content=False, retries=once, timeout=TIMEOUT_SECONDS)
            try:
                if answer.status != 200:
                    retried = answer.status in RETRIED_STATUS
                    raise DownloadFailed(f"the server answers {answer.status} {answer.reason or ''}".strip())
                with target.open("wb") as file:
                    for chunk in answer.stream(CHUNK_BYTES):
                        file.write(chunk)
                        taken += len(chunk)
                        advance(len(chunk))
                        if stop.is_set():
                            raise DownloadFailed("given up")
                return
            except BaseException:
                # Half read, it is of no use to the next request.
                answer.close()
                raise
        except (OSError, urllib3.exceptions.HTTPError, DownloadFailed) as error:
            advance(-taken)
            if not retried or attempt == attempts or stop.is_set():
                raise DownloadFailed(str(error)) from error
        stop.wait(min(0.5 * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))


@contextlib.contextmanager
def byte_bar(what: str, total_bytes: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """A bar on standard error that counts bytes; where none is to be shown, nothing."""
    if not shown or total_bytes == 0:
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    began = time.monotonic()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total_bytes)
        yield lambda count: bar.advance(task, count)
    seconds = time.monotonic() - began
    console.print(f"{what}: {total_bytes / 1e6:.0f} MB in {seconds:.1f} s", highlight=False)
