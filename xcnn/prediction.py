"""Predicting pictures: the best classes of each, and the picture with its label drawn on."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import opening
from xcnn.errors import ImageError
from xcnn.events import Silent
from xcnn.inputs import Piped
from xcnn.plugin import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.events import Events
    from xcnn.host import Host
    from xcnn.plugin import Image, Target

SCHEMA_VERSION = 1


def predict(
    options: Any, pictures: Sequence[str | Piped], *, host: Host, out: str, events: Events | None = None
) -> dict[str, Any]:
    """Predict pictures with a model.

    Parameters
    ----------
    options : PredictOptions
        Settings of the model with its name, ``top``, ``overwrite`` and ``batch_size``, and how pictures are read.
    pictures : sequence of str or Piped
        Files.
    host : Host
        Where plugins are found.
    out : str
        The folder to make: a labelled picture of each, and predictions in ``run.json``.
    events : Events, optional
        Who hears of progress.

    Returns
    -------
    dict
        The contents of run.json.

    Raises
    ------
    XcnnError
        If nothing could be predicted.
    """
    from xcnn.io import artifacts, images, places
    from xcnn.io.reading import Reading

    events = events or Silent()
    how = Reading.of(vars(options))
    reads = [*(one for one in pictures if not isinstance(one, Piped)), options.model]
    places.check(Path(out), overwrite=options.overwrite, inputs=reads)
    checked = opening.check(options.model, options, host)
    events.started(len(pictures))
    results: list[dict[str, Any]] = []
    failures: list[dict[str, str]] = []

    def failed(path: str, error: ImageError) -> None:
        if len(pictures) == 1:
            raise error
        failures.append({"path": path, "code": error.code, "message": error.message, "hint": error.hint})
        events.failed(Failure(path, error.code, error.message, error.hint))

    network: Any = None
    draft: Any = None
    with ExitStack() as stack:
        for decoded in images.chunks(pictures, how, size=options.batch_size, failed=failed):
            if network is None:
                events.opening(checked.told(options.model))
                network = checked.open(decoded[0].size)
                events.surveyed(network)
                draft = stack.enter_context(artifacts.Draft(Path(out), overwrite=options.overwrite, inputs=reads))
            fitted = [images.fitted(image, network.input_size, checked.fit) for image in decoded]
            for image, best in zip(fitted, _best(network, fitted, options.top), strict=True):
                events.working(image.path)
                results.append(_written(draft, image, best, network.name))
                events.explained([])
        if network is None:
            raise ImageError(f"none of the {len(failures)} pictures could be read")
        found = {
            "schema_version": SCHEMA_VERSION,
            "model": network.about(),
            "results": results,
            "failures": failures,
            "warnings": list(network.warnings),
        }
        draft.write_json(places.MANIFEST, {**found, "files": [*draft.files(), places.MANIFEST]})
        draft.publish()
    return found


def _best(network: Any, images: Sequence[Image], count: int) -> list[tuple[Target, ...]]:
    import numpy as np

    pictures = [image.pixels if image.rgba is None else image.rgba for image in images]
    batch = network.batch(pictures, ["top"], np.random.default_rng(0))
    network.predict(batch)
    best: list[tuple[Target, ...]] = network.best(batch, count)
    return best


def _written(draft: Any, image: Image, best: tuple[Target, ...], heading: str) -> dict[str, Any]:
    from xcnn.render.labelled import labelled

    assert image.pixels is not None  # noqa: S101 (read above)
    name = f"{draft.name(image.path)}.predicted.jpg"
    title = best[0].label
    rows = [(one.label, one.probability) for one in best]
    file = draft.write_picture(
        name, labelled(image.pixels, title, rows, scores=[one.score for one in best], heading=heading), quality=92
    )
    return {
        "path": image.path,
        "sha256": image.sha256,
        "notes": list(image.notes),
        "file": file,
        "best": [
            {
                "index": one.index,
                "label": one.label,
                "score": one.score,
                "probability": one.probability,
                "notes": list(one.notes),
            }
            for one in best
        ],
    }
