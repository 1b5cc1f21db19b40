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
    from xcnn.plugin import BaseExplainer
    from xcnn.render.style import Style
    from xcnn.request import ModelRequest, Request

SCHEMA_VERSION = 2
"""2: kinds of panels, results of the model alone, mosaics, trust."""


def about(
    request: Request | ModelRequest,
    explainers: Sequence[BaseExplainer],
    model: Mapping[str, Any],
    *,
    host: Host,
    style: Style,
    sources: Mapping[str, str],
    repeatable: bool,
    fit: str,
) -> dict[str, Any]:
    """Describe a run.

    ``model`` is what `Network.about` tells.
    ``repeatable`` is False when the model or the pictures came from memory: then no command can ask for the same.
    """
    from xcnn.render import colours

    told: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": requests.command_line(request, explainers) if repeatable else "",
        "explainers": [_explainer(explainer, host, sources) for explainer in explainers],
        "options": requests.rows(request, sources),
        "model": {key: value for key, value in model.items() if key != "versions"},
        "fit": fit,
        "palette": {
            "name": style.colormap,
            "stops": colours.stops(style.colormap, "positive"),
            "signed_stops": colours.stops(style.colormap, "signed"),
        },
        "versions": versions(host, explainers) | model.get("versions", {}),
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


def versions(host: Host, explainers: Sequence[BaseExplainer], *, loaded: bool = True) -> dict[str, str]:
    """The versions of what made the numbers.

    Those of the libraries that a network tells itself are there only unless one is ``loaded``.
    """
    ours = [host.listings[one.name] for one in explainers if host.distribution(one.name) != "xcnn"]
    packages = {"numpy": "numpy", "opencv": "opencv-python", "pillow": "pillow"}
    return {
        "xcnn": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        **{name: _version(package) for name, package in packages.items()},
        **({} if loaded else {name: _version(name) for name in ("keras", "tensorflow")}),
        **{listing.distribution: listing.version for listing in (*ours, *host.extensions)},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        # A server may have opencv-python-headless in its place.
        return "unknown"
