"""What is to be known about a model before explaining with it: what it is, what works on it, and what was guessed."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from xcnn.errors import XcnnError
from xcnn.network import preprocess, sidecar
from xcnn.plugin import Explainer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xcnn.host import Host
    from xcnn.opening import Checked
    from xcnn.plugin import BaseExplainer, Image, Network, Preprocessing

SCHEMA_VERSION = 1
BEST = 5
BATCH = 16
FLOAT = 4
"""Bytes of a float32."""


def examine(network: Any, images: Sequence[Image], host: Host) -> dict[str, Any]:
    """Diagnose a network.

    Parameters
    ----------
    network : KerasNetwork
        Opened.
    images : sequence of Image
        Pictures to predict under each preprocessing, with their pixels.
    host : Host
        Where explainers and preprocessings are found.

    Returns
    -------
    dict
        Plain data, as ``xcnn doctor --json`` prints it.
    """
    about = network.about()
    layers = network.layers()
    seconds = _seconds_per_pass(network)
    activations = sum(math.prod(side or 1 for side in layer.shape) for layer in layers if layer.leaf)
    # The weights once; features and their gradients for each picture of a batch.
    memory = FLOAT * (about["parameters"] + 2 * BATCH * activations)
    return {
        "schema_version": SCHEMA_VERSION,
        "model": about,
        "layers": {"all": len(layers), "spatial": sum(layer.leaf and layer.spatial for layer in layers)},
        "logits": about["head"] != "linear",
        "explainers": [_fitness(kind, network, seconds, memory) for kind in _installed(host)],
        "seconds_per_pass": seconds,
        "memory_bytes": memory,
        "predictions": [_compared(network, image, host) for image in images],
        "warnings": list(network.warnings),
    }


def _seconds_per_pass(network: Network) -> float:
    """The least of three timed forward passes of one picture, after one that warms up."""
    import numpy as np

    height, width = network.input_size
    inputs = np.zeros((1, height, width, network.input_shape[2]), np.float32)
    found = []
    for _ in range(4):
        begun = time.perf_counter()
        network.scores(inputs)
        found.append(time.perf_counter() - begun)
    return min(found[1:])


def _installed(host: Host) -> list[type[BaseExplainer] | tuple[str, XcnnError]]:
    """The explainer classes; for a plugin that can't be imported, its name and why."""
    found: list[type[BaseExplainer] | tuple[str, XcnnError]] = list(host.builtin.values())
    for name in host.listings:
        try:
            found.append(host.explainer(name))
        except XcnnError as error:
            found.append((name, error))
    return found


def _fitness(kind: Any, network: Network, seconds: float, memory: float) -> dict[str, Any]:
    if isinstance(kind, tuple):
        return {"name": kind[0], "works": False, "reason": kind[1].message}
    try:
        explainer = kind()
        reason = explainer.fits(network)
        picked = None if reason else explainer.picks(network)
        passes = 0 if reason or not isinstance(explainer, Explainer) else explainer.cost(network)
    except (XcnnError, TypeError) as error:  # TypeError: an option without a default
        return {"name": kind.name, "works": False, "reason": str(error)}
    found: dict[str, Any] = {"name": kind.name, "works": reason is None, "reason": reason or ""}
    if reason is None:
        if passes:
            found |= {"seconds_per_picture": passes * seconds, "memory_bytes": memory}
        found["layer"] = {"path": picked.value, "reason": picked.reason} if picked else None
    return found


def _compared(network: Any, image: Image, host: Host) -> dict[str, Any]:
    """The best classes of one picture under the decided and under each built-in preprocessing."""
    decided = network.preprocessing.preprocessing
    modes = {mode.name: mode for mode in host.preprocessors(extensions=False).values()}
    rows = [
        _under(network, image, mode, decided=mode.name == decided.name)
        for mode in (modes | {decided.name: decided}).values()
    ]
    return {"path": image.path, "under": rows}


def _under(network: Any, image: Image, mode: Preprocessing, *, decided: bool) -> dict[str, Any]:
    best = network.predicted(image.pixels if image.rgba is None else image.rgba, mode, BEST)
    return {
        "preprocessing": mode.name,
        "summary": mode.summary,
        "decided": decided,
        "best": [_target(one) for one in best],
    }


def _target(target: Any) -> Mapping[str, Any]:
    return {"index": target.index, "label": target.label, "score": target.score, "probability": target.probability}


def write(network: Any, checked: Checked, options: Any) -> Path:
    """Write what was found about a model beside it, so that it need not be guessed again.

    A guessed preprocessing is left out: written down, it would pass for known.

    Raises
    ------
    OutputError
        If there is such a file and it is not to be replaced, or the folder can't be written.
    """
    assert checked.file is not None  # noqa: S101 (the caller refused)
    decision = network.preprocessing
    mode = decision.preprocessing
    fit: Any = None if checked.fit == "stretch" else checked.fit
    found = sidecar.Sidecar(
        preprocessing=None if decision.warning else mode.name if mode in preprocess.BUILTIN else mode,
        labels=_labels(network, checked, checked.file.path.parent),
        layer=network.default_layer().value,
        output=network.survey.output if len(network.survey.outputs) > 1 else None,
        input_size=options.input_size,
        fit=fit,
    )
    return sidecar.write(checked.file.path, found, overwrite=options.overwrite)


def _labels(network: Any, checked: Checked, folder: Path) -> tuple[str, ...] | str | None:
    """The names themselves, unless a file beside the model has them anyway."""
    chosen = checked.choices.labels
    if chosen is None:
        return "imagenet" if network.labels else None
    names, where = chosen
    return where if (folder / where).is_file() and "/" not in where and not where.endswith(".toml") else names
