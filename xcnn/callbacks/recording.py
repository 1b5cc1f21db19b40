"""What explainers find in one network, epoch by epoch."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import opening, provenance, truth
from xcnn.errors import XcnnError, plain_words
from xcnn.events import Silent
from xcnn.execution import expanded
from xcnn.io import images, places
from xcnn.io.reading import Reading
from xcnn.outcome import Outcome
from xcnn.plugin import Explainer, Failure, Run
from xcnn.request import Request
from xcnn.resuming import Resuming
from xcnn.saving import curves, glimpses, memory, training
from xcnn.stage import style_of
from xcnn.working import Working

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xcnn.errors import ImageError
    from xcnn.host import Host
    from xcnn.plugin import Image, Network, Result
    from xcnn.run import Asked
    from xcnn.values import Pixels


class Recording:
    """The results of one training.

    Parameters
    ----------
    asked : Asked
        What is to be explained, and how.
    model : keras.Model
        The model that is trained; its weights are read anew each time.
    host : Host
        Where plugins are found.
    out : Path or str
        The folder to make when the training ends; a word for one in xcnn-out.
    common_scale : bool
        Whether the maps of one image share a colour scale over all epochs.

    Raises
    ------
    XcnnError
        If anything is not as it must be, as far as that can be told before the model is built.
    """

    def __init__(self, asked: Asked, model: Any, *, host: Host, out: Path | str, common_scale: bool) -> None:
        request = asked.request
        self._request = request
        self._explainers = asked.explainers
        self._sources = asked.sources
        self._host = host
        pictured = isinstance(request, Request) and any(isinstance(one, Explainer) for one in asked.explainers)
        todo = expanded(asked.pictures, request) if isinstance(request, Request) and pictured else []
        paths = [one for one in todo if isinstance(one, str)]
        self.out = out if isinstance(out, Path) else places.default_folder(out)
        places.settle(self.out)
        places.check(self.out, overwrite=request.overwrite, inputs=paths)
        self._place = self.out.absolute()  # the training may change its working directory
        self._epochs = training.Epochs(self.out, overwrite=request.overwrite)
        self._checked = opening.check(model, request, host)
        self._images = list(_read(todo, request)) if isinstance(request, Request) else []
        self._network: Network | None = None
        self._truths = truth.read(request.truth, paths) if isinstance(request, Request) and request.truth else {}
        self._resuming = Resuming(request, asked.explainers) if isinstance(request, Request) else None
        self._results: list[Result] = []
        self._failures: list[Failure] = []
        self._logs: list[dict[str, Any]] = []
        self._warnings: list[str] = []
        self._seconds = 0.0
        self._style = style_of(request)
        self._common_scale = common_scale
        self._about: dict[str, Any] = {}
        self.unexplained = 0
        """The last epoch, if it has not been explained."""

    @property
    def opened(self) -> bool:
        """Whether the model has been looked at."""
        return self._network is not None

    def open(self) -> None:
        """Look at the model, which must be built, and explain once for a trial.

        Raises
        ------
        XcnnError
            If anything that is asked for can't be with this model.
        """
        network = self._checked.open(self._images[0].size if self._images else None)
        self._images = [images.fitted(one, network.input_size, self._checked.fit) for one in self._images]
        self._computed(network, fail_fast=True)
        self._about = provenance.about(
            self._request,
            self._explainers,
            {**network.about(), "warnings": list(network.warnings)},
            host=self._host,
            style=self._style,
            sources=self._sources,
            fit=self._checked.fit,
            repeatable=False,
        )
        if self._common_scale:
            words = "The maps of one image share a colour scale over all epochs."
            told = {"name": memory.COMMON_SCALE, "value": True, "source": "python", "help": words}
            self._about["options"] = [*self._about["options"], told]
        self._network = network

    def _computed(self, network: Network, *, fail_fast: bool = False) -> Outcome:
        """Explain everything as the model is now."""
        counts = {"pictures": len(self._images), "explainers": len(self._explainers)}
        outcome = Outcome(Silent(), **counts, keep=True, fail_fast=fail_fast)
        working = Working(self._explainers, self._host, outcome, self._request.seed, self._truths, self._resuming)
        working.on_model(network)
        if isinstance(self._request, Request):
            most = self._request.batch_size
            for start in range(0, len(self._images), most):
                working.on_pictures(network, self._images[start : start + most], self._request.target)
        return outcome

    @property
    def epochs(self) -> int:
        """How many epochs there have been."""
        return len(self._logs)

    def log(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Keep the losses and metrics of an epoch."""
        self._logs.append(curves.record(epoch, logs))
        self.unexplained = epoch

    def explain(self, epoch: int) -> list[Result]:
        """Explain the model as it is after an epoch; what of it fails is a failure of the run and a warning."""
        assert self._network is not None  # noqa: S101 (opened before)
        begun = time.perf_counter()
        self.unexplained = 0
        outcome = self._computed(self._network)
        # With the pixels in hand: a file may change while the training goes on.
        whole = {image.path: image for image in self._images}
        results = [
            replace(result, epoch=epoch, image=whole[result.image.path] if result.image else None)
            for result in outcome.results
        ]
        self._results += results
        for failure in outcome.failures:
            self._fail(replace(failure, epoch=epoch))
        self._warnings += outcome.warnings
        self._seconds += time.perf_counter() - begun
        return results

    def fail(self, epoch: int, error: Exception) -> None:
        """Note that nothing could be explained after an epoch."""
        if isinstance(error, XcnnError):
            self._fail(Failure("", error.code, error.message, error.hint, epoch=epoch))
        else:
            self._fail(Failure("", XcnnError.code, f"{type(error).__name__}: {plain_words(error)}", epoch=epoch))

    def _fail(self, failure: Failure) -> None:
        self._failures.append(failure)
        warnings.warn(f"xcnn, epoch {failure.epoch}: {failure.message}", RuntimeWarning, stacklevel=3)

    def glimpses(self, results: Sequence[Result]) -> Iterator[tuple[str, Pixels]]:
        """Draw results small, each with a name that it has after every epoch."""
        return glimpses.named(results, self._style)

    def keep(self, epoch: int) -> None:
        """Write the numbers of one epoch beside the folder; OutputError when it can't be."""
        run = self.run()
        results = tuple(one for one in run.results if one.epoch == epoch)
        failures = tuple(one for one in run.failures if one.epoch == epoch)
        about = {**run.about, "epochs": self._logs[-1:]}
        self._epochs.write(replace(run, about=about, results=results, failures=failures), epoch)

    def run(self, stopped: str = "") -> Run:
        """All results so far, the epochs of one image together."""
        order = {image.path: place for place, image in enumerate(self._images)}
        results = sorted(
            self._results, key=lambda one: (-1 if one.image is None else order[one.image.path], one.epoch or 0)
        )
        about = {**self._about, "seconds": round(self._seconds, 2), "epochs": list(self._logs)}
        told = [f"{stopped} before the end: {len(self._logs)} epochs are here"] if stopped else []
        every = (*(self._network.warnings if self._network else ()), *self._warnings, *told)
        return Run(about, tuple(results), tuple(self._failures), tuple(dict.fromkeys(every)), self.out, stopped)

    def write(self, stopped: str) -> Path:
        """Write the run with its figures and its report, and remove what stood in its place meanwhile.

        Raises
        ------
        OutputError
            If it can't be written; nothing is removed then.
        """
        out = self.out if self.out.absolute() == self._place else self._place
        report = memory.save(self.run(stopped), out, overwrite=self._request.overwrite)
        self._epochs.remove()
        return report


def _read(todo: Sequence[Any], request: Request) -> Iterator[Image]:
    """Decode pictures; one that can't be is an error."""
    for some in images.chunks(todo, Reading.of(vars(request)), size=request.batch_size, failed=_refuse):
        yield from some


def _refuse(_: str, error: ImageError) -> None:
    raise error
