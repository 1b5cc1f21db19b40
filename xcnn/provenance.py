"""What run.json says about a run beside its results: enough to repeat it and to tell why two runs differ."""

from __future__ import annotations

import inspect
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

from xcnn import privacy
from xcnn import request as requests
from xcnn._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.host import Host
    from xcnn.plugin import BaseExplainer, Network
    from xcnn.render.style import Style
    from xcnn.request import ModelRequest, Request

SCHEMA_VERSION = 2
"""2: kinds of panels, results of the model alone, mosaics, trust."""


def about(
    request: Request | ModelRequest,
    explainers: Sequence[BaseExplainer],
    network: Network,
    *,
    host: Host,
    style: Style,
    sources: Mapping[str, str],
    repeatable: bool,
    fit: str,
) -> dict[str, Any]:
    """Describe a run.

    ``repeatable`` is False when the model or the pictures came from memory: then no command can ask for the same.
    """
    from xcnn.render import colours

    model = network.about()
    versions = model.pop("versions", {})
    told: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": requests.command_line(request, explainers) if repeatable else "",
        "explainers": [_explainer(explainer, host, sources) for explainer in explainers],
        "options": requests.rows(request, sources),
        "model": model,
        "fit": fit,
        "palette": {
            "name": style.colormap,
            "stops": colours.stops(style.colormap, "positive"),
            "signed_stops": colours.stops(style.colormap, "signed"),
        },
        "versions": _versions() | versions,
    }
    return dict(privacy.redacted(told))


def title(explainer: BaseExplainer) -> str:
    """What an explainer is called on pictures."""
    return explainer.title or explainer.name


def _explainer(explainer: BaseExplainer, host: Host, sources: Mapping[str, str]) -> dict[str, Any]:
    words = inspect.getdoc(explainer) or ""
    summary, _, rest = words.partition("\n\n")
    own = {key.rpartition(".")[2]: source for key, source in sources.items() if key.startswith(f"{explainer.name}.")}
    return {
        "name": explainer.name,
        "title": title(explainer),
        "summary": " ".join(summary.split()),
        "about": " ".join(rest.split()),
        "distribution": host.distribution(explainer.name),
        "source": asdict(explainer.source) if explainer.source else None,
        "options": requests.rows(explainer, {**sources, **own}),
    }


def _versions() -> dict[str, str]:
    packages = {"numpy": "numpy", "opencv": "opencv-python", "pillow": "pillow"}
    return {
        "xcnn": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: _version(package) for name, package in packages.items()},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        # A server may have opencv-python-headless in its place.
        return "unknown"
