"""The only path that executes an explainer: from a `Request` to a `Run`.

Everything that can be checked without TensorFlow is checked first, the first pictures among it.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import opening, provenance
from xcnn.errors import ImageError, OptionError, PluginError, XcnnError
from xcnn.events import Silent
from xcnn.options import declared
from xcnn.plugin import Attribution, Failure, Result, Run
from xcnn.request import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xcnn.events import Events
    from xcnn.host import Host
    from xcnn.plugin import Batch, Explainer, Image, Network, Panel, Target
    from xcnn.request import Request

PREDICTIONS = 5


def execute(  # noqa: PLR0913 (keyword-only, and this is the one place)
    request: Request,
    explainers: Sequence[Explainer],
    *,
    host: Host,
    model: Any = None,
    pictures: Iterable[Any] | None = None,
    sources: Mapping[str, str] | None = None,
    events: Events | None = None,
    out: Path | None = None,
    keep: bool = True,
) -> Run:
    """Run explainers over pictures.

    Parameters
    ----------
    request : Request
        What is asked for; with ``out`` the results are written as they come.
    explainers : sequence of Explainer
        What to run.
    host : Host
        Where plugins are found.
    model : keras.Model or Network, optional
        Instead of the request's path or name.
    pictures : iterable of str or ndarray, optional
        Instead of the request's paths.
    sources : mapping, optional
        Where each option came from, for the report; "default" where nothing is said.
    events : Events, optional
        Who hears of progress.
    out : Path, optional
        The folder to make when the request names none.
    keep : bool
        Hold the results in memory; without, memory stays flat over any number of pictures.

    Raises
    ------
    XcnnError
        If the run as a whole can't go on, or no picture could be explained.
    """
    from xcnn.io import artifacts
    from xcnn.io.images import fitted
    from xcnn.render.style import Style

    begun = time.monotonic()
    events = events or Silent()
    style = Style(request.colormap, request.alpha)
    todo = _found(list(request.images if pictures is None else pictures))
    paths = [one for one in todo if isinstance(one, str)]
    reads = [*paths, request.model]
    out = Path(request.out) if request.out else out
    if out:
        artifacts.check(out, overwrite=request.overwrite, inputs=reads)
    network, checked = _model(request.model if model is None else model, request, host)
    events.started(len(todo))

    with ExitStack() as stack:
        collected = _Collected(events, alone=len(todo) == 1, keep=keep)
        for decoded in _chunks(todo, request.batch_size, collected):
            if network is None:
                events.opening(request.model or "the model")
                network = checked.open(decoded[0].size)
            images = [fitted(image, network.input_size, checked.fit) for image in decoded]
            if out and collected.writer is None:
                from xcnn.saving import Writer

                draft = stack.enter_context(artifacts.Draft(out, overwrite=request.overwrite, inputs=reads))
                collected.writer = Writer(
                    draft, style, {one.name: provenance.title(one) for one in explainers}, network.name
                )
            batch = network.batch([_channels(image) for image in images], request.target, _rng(request.seed, images[0]))
            found = [_explained(explainer, network, batch, host) for explainer in explainers]
            collected.surveyed(network)
            for image, results in _by_image(images, explainers, found, batch, network.best(batch, PREDICTIONS)):
                events.working(image.path)
                collected.add(image, results)
        if network is None or not collected.explained:
            raise collected.nothing()
        about = provenance.about(
            request,
            explainers,
            network,
            host=host,
            style=style,
            sources=sources or {},
            fit=checked.fit,
            repeatable=bool(request.model) and len(paths) == len(todo),
        )
        about["seconds"] = round(time.monotonic() - begun, 2)
        run = Run(about, tuple(collected.results), tuple(collected.failures), tuple(network.warnings), out)
        if collected.writer:
            collected.writer.finish(run.about, run.failures, run.warnings)
        return run


def _found(given: list[Any]) -> list[Any]:
    """Expand the paths among pictures."""
    from xcnn.io import images

    if not given:
        raise OptionError("no image was given", hint="name files, globs or folders")
    paths = [one for one in given if isinstance(one, str)]
    return [*(images.find(paths) if paths else []), *(one for one in given if not isinstance(one, str))]


def _model(model: Any, request: Request, host: Host) -> tuple[Network | None, opening.Checked]:
    if not hasattr(model, "layer_gradients"):
        return None, opening.check(model, request, host)
    for option in declared(Settings):
        if option.name != "fit" and getattr(request, option.name) != option.default:
            raise OptionError("the network is open already", hint=f"give {option.name} to xcnn.open_network instead")
    fit: str = request.fit or str(getattr(model, "picture_fit", opening.STRETCH))
    return model, opening.Checked(model, fit=fit)


def _channels(image: Image) -> Any:
    """The pixels of an image, with their transparency where it has some."""
    return image.pixels if image.rgba is None else image.rgba


class _Collected:
    """What has come out of a run so far."""

    def __init__(self, events: Events, *, alone: bool, keep: bool) -> None:
        self.events = events
        self._alone = alone
        self.results: list[Result] = []
        self.failures: list[Failure] = []
        self.explained = 0
        self.writer: Any = None
        self._keep = keep
        self._first: XcnnError | None = None
        self._surveyed = False

    def surveyed(self, network: Network) -> None:
        if not self._surveyed:
            self._surveyed = True
            self.events.surveyed(network)

    def fail(self, path: str, error: XcnnError) -> None:
        self._first = self._first or error
        self.failures.append(Failure(path, error.code, error.message, error.hint))
        if not self._alone:  # the failure of the only picture is the error of the run
            self.events.failed(self.failures[-1])

    def add(self, image: Image, results: Sequence[Result]) -> None:
        if broken := next(filter(None, map(_not_finite, results)), None):
            hint = "the model computes NaN or infinity for this picture: check its weights and --preprocess"
            self.fail(image.path, ImageError(f"{image.path}: {broken} not finite", hint=hint))
            return
        self.explained += 1
        if self.writer:
            self.writer.add(image.pixels, results)
        if self._keep:
            # A file can be read again when the run is saved; pixels from memory can't.
            light = replace(image, pixels=None, rgba=None) if Path(image.path).is_file() else image
            self.results += [replace(result, image=light) for result in results]
        self.events.explained(results)

    def nothing(self) -> XcnnError:
        """The error for a run without a single result."""
        if self._first and len(self.failures) == 1:
            return self._first
        return ImageError(f"none of the {len(self.failures)} pictures could be explained")


def _not_finite(result: Result) -> str:
    """What about a result is NaN or infinite; empty when nothing is."""
    for panel in result.panels:
        # The sum of finite float32 values may overflow; of their float64 copies it can't.
        if not math.isfinite(panel.values.sum(dtype="float64")):
            return f"the {result.explainer} map{f' at {panel.layer}' if panel.layer else ''} is"
    if not all(math.isfinite(target.score) for target in (result.target, *result.predictions)):
        return "the scores of the classes are"
    return ""


def _chunks(todo: Sequence[Any], size: int, collected: _Collected) -> Iterator[list[Image]]:
    """Decode pictures, `size` at a time; those that can't be are failures."""
    from xcnn.io import images

    for start in range(0, len(todo), size):
        good: list[Image] = []
        for number, one in enumerate(todo[start : start + size], start):
            try:
                good.append(images.read(one) if isinstance(one, str) else images.from_array(one, f"array-{number}"))
            except ImageError as error:
                collected.fail(one if isinstance(one, str) else f"array-{number}", error)
        if good:
            yield good


def _rng(seed: int, image: Image) -> Any:
    import numpy as np

    return np.random.default_rng([seed, int(image.sha256[:8], 16)])


def _explained(
    explainer: Explainer, network: Network, batch: Batch, host: Host
) -> tuple[list[tuple[Panel, ...]], float]:
    """Run one explainer on one batch: the panels per row, and the seconds per row."""
    who = f"plugin {host.distribution(explainer.name)}"
    begun = time.perf_counter()
    try:
        rows = explainer.explain(network, batch)
    except XcnnError:
        raise
    except Exception as error:
        if host.distribution(explainer.name) == "xcnn":
            raise
        raise PluginError(f"{who} failed in {explainer.name}: {type(error).__name__}: {error}") from error
    network.predict(batch)
    expected = len(batch.targets or ())
    if len(rows) != expected:
        raise PluginError(f"{who}: {explainer.name} returned {len(rows)} rows for {expected}")
    for panel in (panel for row in rows for panel in row):
        _check(panel, f"{who}: {explainer.name}")
    return rows, (time.perf_counter() - begun) / expected


def _check(panel: Panel, who: str) -> None:
    if not isinstance(panel, Attribution):
        raise PluginError(f"{who} returned {type(panel).__name__}; a panel is an Attribution")
    if getattr(panel.values, "ndim", 0) != 2:  # noqa: PLR2004 (h, w)
        raise PluginError(f"{who} returned values of shape {getattr(panel.values, 'shape', '?')}; a map is (h, w)")
    if panel.sign == "positive" and (panel.values < 0).any():
        raise PluginError(f"{who} returned negative values in a map it calls positive")


def _by_image(
    images: Sequence[Image],
    explainers: Sequence[Explainer],
    found: Sequence[tuple[list[tuple[Panel, ...]], float]],
    batch: Batch,
    best: Sequence[tuple[Target, ...]],
) -> Iterator[tuple[Image, list[Result]]]:
    """Regroup rows: all results of one image, explainer by explainer."""
    targets = batch.targets or ()
    each = len(targets) // len(images)
    for number, image in enumerate(images):
        # The best classes and those given by index may be the same.
        first = {targets[row].coefficients: row for row in reversed(range(number * each, (number + 1) * each))}
        rows = sorted(first.values())
        yield (
            image,
            [
                Result(explainer.name, image, targets[row], panels[row], best[number], seconds)
                for explainer, (panels, seconds) in zip(explainers, found, strict=True)
                for row in rows
            ],
        )
