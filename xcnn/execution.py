"""The only path that executes an explainer: from a `Request` to a `Run`.

Everything that can be checked without TensorFlow is checked first, the first pictures among it.
"""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import opening, provenance, truth
from xcnn.errors import LayerError, OptionError, Terminated, XcnnError
from xcnn.events import Silent
from xcnn.inputs import STDIN, Piped, named, names
from xcnn.options import declared
from xcnn.outcome import Outcome
from xcnn.plugin import Explainer, Run
from xcnn.request import Request, Settings
from xcnn.resuming import Resuming
from xcnn.reusing import Reusing
from xcnn.stage import Place, Stage, style_of
from xcnn.working import Working

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy as np

    from xcnn.events import Events
    from xcnn.host import Host
    from xcnn.plugin import BaseExplainer, Image, Network, Section
    from xcnn.request import Common, ModelRequest, Pictured

Left = list[tuple[frozenset[str], list[Any]]]
"""Pictures to be explained, and which explainers have done so."""
STOPS: Mapping[type, str] = {KeyboardInterrupt: "interrupted", Terminated: "terminated"}
"""What ends a run from outside, in words."""


def execute(  # noqa: PLR0913 (keyword-only, and this is the one place)
    request: Request | ModelRequest,
    explainers: Sequence[BaseExplainer],
    *,
    host: Host,
    model: Any = None,
    pictures: Iterable[Any] | None = None,
    sources: Mapping[str, str] | None = None,
    events: Events | None = None,
    out: Path | None = None,
    keep: bool = True,
    fail_fast: bool = False,
    keep_partial: bool = False,
    skip_existing: bool = False,
) -> Run:
    """Run explainers over pictures, or over the model alone.

    Parameters
    ----------
    request : Request or ModelRequest
        What is asked for; with ``out`` the results are written as they come.
    explainers : sequence of Explainer or ModelExplainer
        What to run. One that does not fit the model is a failure among several, and the error when it is the only one.
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
    fail_fast : bool
        End at the first failure, with its error.
    keep_partial : bool
        When the run is interrupted, terminated or ended by ``fail_fast``, return what is finished.
    skip_existing : bool
        Take over what the folder has of these pictures, and compute the rest. What is taken over is written only.

    Raises
    ------
    XcnnError
        If the run as a whole can't go on, or nothing could be explained.
    """
    from xcnn.io import places

    begun = time.monotonic()
    events = events or Silent()
    options = request if isinstance(request, Request) else None
    pictured = options is not None and any(isinstance(one, Explainer) for one in explainers)
    _check(options, explainers)
    todo = expanded(options.images if pictures is None else pictures, options) if options and pictured else []
    style = style_of(request)
    paths = [one for one in todo if isinstance(one, str)]
    from_memory = any(not isinstance(one, (str, Piped)) for one in todo)
    reads = [*paths, request.model]
    out = Path(request.out) if request.out else out
    place = Place(out, style, request.overwrite or skip_existing, reads) if out else None
    if place:
        places.settle(place.out)
        places.check(place.out, overwrite=place.overwrite, inputs=reads)
    truths = truth.read(options.truth, paths) if options and options.truth else {}
    resuming = Resuming(options, explainers) if options else None
    network, checked = _model(request.model if model is None else model, request, host)
    reusing = None
    if skip_existing and out and os.path.lexists(out):
        reusing = Reusing(out, request, explainers, host=host, checked=checked, pictures=todo)
    size = reusing.size if reusing else None
    given: dict[str, Any] = {"checked": checked, "network": network, "size": size, "head": pictured}
    with Stage(request, explainers, **given, place=place, events=events) as stage:
        outcome = Outcome(events, pictures=len(todo), explainers=len(explainers), keep=keep, fail_fast=fail_fast)
        working = Working(explainers, host, outcome, request.seed, truths, resuming)
        left: Left = [(frozenset(), todo)]
        if reusing:
            left = _left(reusing, truths, stage=stage, outcome=outcome, working=working)
        events.started(sum(len(group) for _, group in left))
        stopped = _work(left, options, stage=stage, outcome=outcome, working=working, keep_partial=keep_partial)
        if not (outcome.explained or outcome.kept):
            raise outcome.nothing()
        told = stage.told() if stage.network else reusing.model if reusing else {}
        about = provenance.about(
            request,
            explainers,
            told,
            host=host,
            style=style,
            sources=sources or {},
            fit=checked.fit,
            repeatable=bool(request.model) and not from_memory,
        )
        about["seconds"] = round(time.monotonic() - begun, 2)
        if skip_existing and out:
            about["reused"] = outcome.kept
        warnings = [*told["warnings"], *outcome.warnings, *([_missing(stopped, outcome, len(todo))] if stopped else [])]
        run = Run(about, tuple(outcome.results), tuple(outcome.failures), tuple(warnings), out, stopped)
        if outcome.writer:
            more = partial(_sections, host, events)
            how: dict[str, Any] = {"more": more, "say": events.noted, "partial": bool(stopped)}
            order = [one.name if isinstance(one, Piped) else str(one) for one in todo] if outcome.kept else None
            outcome.writer.finish(run.about, run.failures, run.warnings, **how, order=order)
        return run


def _left(reusing: Reusing, truths: Mapping[str, str], *, stage: Stage, outcome: Outcome, working: Working) -> Left:
    """Take over what holds of an earlier run, say what, and tell what is left to be computed."""
    left: Left = [(frozenset(), reusing.pictures)]
    if reusing.any:
        classes = truth.resolve(truths, stage.open()) if truths else {}
        outcome.writer = stage.writer(reusing.model["name"])
        of_model, left = reusing.take(outcome.writer, classes)
        working.leave(of_model)
        outcome.kept = reusing.count
        outcome.explained = len(reusing.pictures) - sum(len(group) for _, group in left)
    for words in reusing.said():
        outcome.events.noted(words)
    return left


def _work(
    left: Left, options: Request | None, *, stage: Stage, outcome: Outcome, working: Working, keep_partial: bool
) -> str:
    """Explain what is left; return what ended that early, where the rest is to be kept."""
    try:
        for leave, decoded in _batches(left, options, outcome, working):
            network = stage.open(decoded[0].size if decoded else None)
            outcome.writer = outcome.writer or stage.writer(network.name)
            network = _on_model(working, stage)
            if options and decoded:
                working.on_pictures(network, _fitted(decoded, network, stage.checked), options.target, leave)
    except (KeyboardInterrupt, Terminated, XcnnError) as problem:
        some = stage.network is not None and (outcome.explained or outcome.kept)
        if not (keep_partial and some and outcome.may_stop(problem)):
            raise
        return STOPS.get(type(problem), "failed")
    return ""


def _missing(stopped: str, outcome: Outcome, pictures: int) -> str:
    rest = f"{outcome.explained} of {pictures} pictures were explained" if pictures else "results are missing"
    return f"{stopped} before the end: {rest}"


def _sections(
    host: Host, events: Events, run: Mapping[str, Any], values: Callable[[str], np.ndarray]
) -> tuple[list[tuple[str, Section]], list[str]]:
    """What plugins add to the report, and what is said of those that failed, which the user hears at once."""
    found, warnings = host.report_sections(run, values)
    for words in warnings:
        events.noted(f"warning: {words}")
    return found, warnings


def _on_model(working: Working, stage: Stage) -> Network:
    """Run what needs no picture; on the whole of a named model if a layer is not in the part that was loaded."""
    network = stage.open()
    try:
        working.on_model(network)
    except LayerError:
        if stage.head or stage.checked.named is None or stage.checked.named.build is None:
            raise
        network = stage.open_whole()
        working.on_model(network)
    return network


def _fitted(decoded: Sequence[Image], network: Network, checked: opening.Checked) -> list[Image]:
    from xcnn.io.images import fitted

    return [fitted(image, network.input_size, checked.fit) for image in decoded]


def found(request: Request, explainers: Sequence[BaseExplainer]) -> list[str]:
    """List the pictures that a request stands for, after the checks that need no model."""
    style_of(request)
    _check(request, explainers)
    files = [one for one in request.images if one != STDIN]
    piped = [STDIN] if STDIN in request.images else []
    return [*(expanded(files, request) if files or request.from_file or not piped else []), *piped]


def _check(options: Request | None, explainers: Sequence[BaseExplainer]) -> None:
    """Refuse a mosaic of nothing, and what no picture could be read with."""
    from xcnn.io.reading import Reading

    if options is None:
        return
    Reading.of(vars(options))
    if options.mosaic and not any(isinstance(one, Explainer) and one.per_target for one in explainers):
        raise OptionError("--mosaic shows maps, and none of these explainers makes any", hint="leave --mosaic out")


def expanded(pictures: Iterable[Any], options: Pictured) -> list[Any]:
    """List the files that the paths among pictures stand for, with those that a file names, then the other pictures.

    Raises
    ------
    UsageError
        If there is none.
    ImageError
        If the header of the only one says that it can't be read.
    """
    from xcnn.io import finding, images
    from xcnn.io.reading import Reading

    given = [*pictures, *(names(options.from_file) if options.from_file else [])]
    if not given:
        raise OptionError("no image was given", hint="name files, globs or folders")
    paths = [one for one in given if isinstance(one, str)]
    found = [
        *(finding.find(paths, recursive=options.recursive) if paths else []),
        *(one for one in given if not isinstance(one, str)),
    ]
    if len(found) == 1 and isinstance(found[0], (str, Piped)):  # before the model is looked at, which takes longer
        file, name = named(found[0])
        images.glance(file, Reading.of(vars(options)), name=name)
    return found


def _model(model: Any, request: Common, host: Host) -> tuple[Network | None, opening.Checked]:
    if not hasattr(model, "layer_gradients"):
        return None, opening.check(model, request, host)
    for option in declared(Settings):
        if option.name != "fit" and getattr(request, option.name) != option.default:
            raise OptionError("the network is open already", hint=f"give {option.name} to xcnn.open_network instead")
    fit: str = request.fit or str(getattr(model, "picture_fit", opening.STRETCH))
    return model, opening.Checked(model, fit=fit)


def _batches(
    groups: Left, options: Request | None, outcome: Outcome, working: Working
) -> Iterator[tuple[frozenset[str], list[Image]]]:
    """Decode pictures, with the explainers that need not see them; none, once, where only the model is left."""
    if options:
        for leave, pictures in groups:
            yield from ((leave, decoded) for decoded in _decoded(pictures, options, outcome))
    if working.on_model_left and not any(pictures for _, pictures in groups):
        yield frozenset(), []


def _decoded(todo: Sequence[Any], options: Request, outcome: Outcome) -> Iterator[list[Image]]:
    """Decode pictures, as many at a time as are computed at once; those that can't be are failures."""
    from xcnn.io import images
    from xcnn.io.reading import Reading

    return images.chunks(todo, Reading.of(vars(options)), size=options.batch_size, failed=outcome.fail)
