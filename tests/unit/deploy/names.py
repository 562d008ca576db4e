"""What deployment files may name: settings, commands, metrics."""

import re
from pathlib import Path

import yaml

from services import metrics
from services.api import meters
from services.cli.main import app
from services.settings import Settings

DEPLOY = Path(__file__).parents[3] / "deploy"
SETTINGS = {f"GATEFOLD_{name.upper()}" for name in Settings.model_fields}
# What Prometheus itself, and its client in every process, have.
FOREIGN = {"up": {"job", "instance"}, "process_start_time_seconds": {"job", "instance"}}


def commands() -> set[str]:
    """Every command of `gatefold`."""
    groups = {str(group.name) for group in app.registered_groups}
    return groups | {str(command.name) for command in app.registered_commands}


def samples() -> dict[str, set[str]]:
    """Every series that our processes show, with its labels."""
    found: dict[str, set[str]] = {name: set(labels) for name, labels in FOREIGN.items()}
    for module in (metrics, meters):
        for metric in vars(module).values():
            if hasattr(metric, "_labelnames") and hasattr(metric, "_type"):
                labels = {*metric._labelnames, "job", "instance"}
                found[metric._name if metric._type == "gauge" else f"{metric._name}_total"] = labels
                if metric._type == "histogram":
                    found |= {f"{metric._name}_{part}": labels | {"le"} for part in ("bucket", "sum", "count")}
    return found


def series(query: str) -> dict[str, set[str]]:
    """Every series that a PromQL query names, with the labels that it is asked by."""
    found: dict[str, set[str]] = {}
    for name, selector in re.findall(r"\b(gatefold_\w+|up|process_\w+)\b(?:\{([^}]*)\})?", query):
        found.setdefault(name, set()).update(re.findall(r"(\w+)\s*=~?", selector))
    return found


def grouped(query: str) -> set[str]:
    """The labels that a query groups by."""
    return {label for labels in re.findall(r"\bby\s*\(([^)]*)\)", query) for label in re.findall(r"\w+", labels)}


def read(path: str) -> object:
    """A YAML file of the deployment."""
    return yaml.safe_load((DEPLOY / path).read_text(encoding="utf-8"))
