"""Running explainers on a network, batch by batch."""

from __future__ import annotations

import math
import os
import sys
import time
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from xcnn import checking, truth
from xcnn.errors import ImageError, MisfitError, ModelError, PluginError, UsageError, XcnnError, plain_words
from xcnn.plugin import Explainer, ModelExplainer, Result
from xcnn.protocol import nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xcnn.host import Host
    from xcnn.outcome import Outcome
    from xcnn.plugin import BaseExplainer, Batch, Image, Network, Panel, Target
    from xcnn.resuming import Resuming
    from xcnn.values import Class

PREDICTIONS = 5
SHORT = "memory was short"
"""How it begins what is said, once, of a run that had to compute less at a time."""


@dataclass(frozen=True)
class Found:
    """What an explainer made of a batch: the panels of each row (or image), and the seconds for each on average."""

    explainer: Explainer
    rows: Sequence[tuple[Panel, ...]]
    seconds: float


class Working:
    """Runs explainers; one of several that does not fit the model is a failure and takes no further part.

    Parameters
    ----------
    explainers : sequence of Explainer or ModelExplainer
        What to run.
    host : Host
        Tells which distribution an explainer comes from.
    outcome : Outcome
        Receives results and failures.
    seed : int
        Where random numbers start.
    truths : mapping of str to str
        What the pictures show, in the user's words, by path.
    resuming : Resuming, optional
        Finds what earlier runs left; None where no picture is explained.
    """

    def __init__(
        self,
        explainers: Sequence[BaseExplainer],
        host: Host,
        outcome: Outcome,
        seed: int,
        truths: Mapping[str, str],
        resuming: Resuming | None,
    ) -> None:
        self._resuming = resuming
        self._truths = truths
        self._classes: Mapping[str, Class] | None = None
        self._alone = len(explainers) == 1
        self._of_pictures = [one for one in explainers if isinstance(one, Explainer)]
        self._of_model = [one for one in explainers if isinstance(one, ModelExplainer)]
        self._host = host
        self._outcome = outcome
        outcome.distribution = host.distribution
        self._seed = seed
        self._asked: set[str] = set()
        self._at_once = 0

    def leave(self, names: frozenset[str]) -> None:
        """Don't run these explainers of the model."""
        self._of_model = [one for one in self._of_model if one.name not in names]

    @property
    def on_model_left(self) -> bool:
        """Whether an explainer of the model is still to be run."""
        return bool(self._of_model)

    def on_model(self, network: Network) -> None:
        """Run what needs no picture, once."""
        import numpy as np

        while self._of_model:
            explainer = self._of_model[0]
            begun = time.perf_counter()
            rng, progress = np.random.default_rng(self._seed), self._progress(explainer)
            explain = partial(explainer.explain, network, rng=rng, progress=progress)
            panels = self._attempt(explainer, network, partial(self._checked, explainer, explain))
            if panels is None:
                continue
            del self._of_model[0]
            self._outcome.surveyed(network)
            self._outcome.add_model([Result(explainer.name, None, None, panels, (), time.perf_counter() - begun)])

    def on_pictures(
        self, network: Network, images: Sequence[Image], wanted: Sequence[str], leave: frozenset[str] = frozenset()
    ) -> None:
        """Run the others on a batch of images, but for those to ``leave``.

        Where the only explainer is a plugin's and raises, the images are tried one by one: what it breaks on is a
        failure, and the rest is explained. Where memory has no room for the batch, half of it is tried, from then on.
        """
        most = self._at_once or len(images)
        for start in range(0, len(images), most):
            self._on_batch(network, images[start : start + most], wanted, leave)

    def _on_batch(
        self, network: Network, images: Sequence[Image], wanted: Sequence[str], leave: frozenset[str]
    ) -> None:
        try:
            computed = list(self._computed(network, images, wanted, leave))
        except PluginError as error:
            if self._outcome.may_stop(error):  # a failure already, and the first is the end
                raise
            if len(images) == 1:
                self._outcome.fail(images[0].path, error)
            for image in images if len(images) > 1 else ():
                self._on_batch(network, [image], wanted, leave)
        except MemoryError as error:
            if len(images) == 1:
                self._outcome.fail(images[0].path, _too_large(images[0], error))
                return
            if not self._at_once and not any(words.startswith(SHORT) for words in network.warnings):
                self._outcome.warn(f"{SHORT}: fewer pictures were explained at a time")
            self._at_once = len(images) // 2
            self.on_pictures(network, images, wanted, leave)
        else:
            self._write(computed)

    def _computed(
        self, network: Network, images: Sequence[Image], wanted: Sequence[str], leave: frozenset[str]
    ) -> Iterator[tuple[Image, list[Result]]]:
        import numpy as np

        pictures = [_channels(image) for image in images]
        rng = np.random.default_rng(self._seed)  # Batch.rng_of tells the images apart
        batch = network.batch(pictures, wanted, rng)
        if self._classes is None:
            # Before anything is explained. Once: all batches have one network.
            self._classes = truth.resolve(self._truths, network) if self._truths else {}
        asked = [one for one in self._of_pictures if one.name not in leave]
        every = (self._found(one, network, batch, images) for one in asked)
        found = [made for made in every if made is not None]
        if found:
            self._outcome.surveyed(network)
            self._outcome.suspect = lambda image: _first_broken(network, batch, images.index(image))
            yield from _by_image(images, found, batch, network.best(batch, PREDICTIONS))

    def _write(self, computed: Sequence[tuple[Image, list[Result]]]) -> None:
        for image, results in computed:
            self._outcome.events.working(image.path)
            true = (self._classes or {}).get(image.path)
            self._outcome.add(image, [replace(result, truth=true) for result in results] if true else results)

    def _found(self, explainer: Explainer, network: Network, batch: Batch, images: Sequence[Image]) -> Found | None:
        begun = time.perf_counter()
        batch.progress = self._progress(explainer)
        earlier = self._resuming.of(explainer, network, images) if self._resuming else None
        batch.earlier = earlier or nothing

        def explain() -> Sequence[tuple[Panel, ...]]:
            rows = explainer.explain(network, batch)
            network.predict(batch)
            expected = len(batch.targets or ()) if explainer.per_target else batch.images
            return checking.rows(rows, expected, self._who(explainer))

        try:
            rows = self._attempt(explainer, network, explain)
        except MemoryError as error:
            if len(images) > 1 or self._alone:
                raise
            self._outcome.fail(images[0].path, _too_large(images[0], error), explainer=explainer.name)
            return None
        return None if rows is None else Found(explainer, rows, (time.perf_counter() - begun) / len(rows))

    def _checked(self, explainer: BaseExplainer, explain: Callable[[], Any]) -> tuple[Panel, ...]:
        return checking.panels(explain(), self._who(explainer))

    def _attempt(self, explainer: BaseExplainer, network: Network, explain: Callable[[], Any]) -> Any:
        """Call an explainer; None when it is one of several and does not fit or breaks."""
        found, error = None, None
        ours = self._host.distribution(explainer.name) == "xcnn"
        try:
            with nullcontext() if ours else _beside():
                found = explain()
        except XcnnError as problem:
            error = problem
        except MemoryError:
            if isinstance(explainer, Explainer):  # fewer pictures at a time may do
                raise
            hint = "close other programs, or ask for less at once"
            error = ModelError(f"{explainer.name} needs more memory than there is", hint=hint)
        except (Exception, SystemExit) as problem:
            if ours and not explainer.fits(network):
                raise
            error = PluginError(f"{self._who(explainer)} failed: {type(problem).__name__}: {problem}")
            error.__cause__ = problem
        error = self._misfit(explainer, network, error) or error
        if error is None:
            return found
        if self._alone or (isinstance(error, UsageError) and not isinstance(error, MisfitError)):
            raise error
        self._outcome.fail("", error, explainer=explainer.name)
        self._of_pictures = [one for one in self._of_pictures if one is not explainer]
        self._of_model = [one for one in self._of_model if one is not explainer]
        return None

    def _misfit(self, explainer: BaseExplainer, network: Network, error: XcnnError | None) -> XcnnError | None:
        """Ask an explainer once whether it fits: after it has run, because then the network is traced."""
        if explainer.name in self._asked:
            return None
        self._asked.add(explainer.name)
        if self._alone and error is not None and not isinstance(error, PluginError):
            return None  # it says more about this case
        reason = explainer.fits(network)
        if not reason:
            return None
        hint = "see what does with: xcnn doctor"
        return MisfitError(f"{explainer.name} does not fit {network.name}: {reason}", hint=hint)

    def _who(self, explainer: BaseExplainer) -> str:
        return f"plugin {self._host.distribution(explainer.name)}: {explainer.name}"

    def _progress(self, explainer: BaseExplainer) -> Callable[[int, int], None]:
        return lambda done, total: self._outcome.events.progressed(explainer.name, done, total)


@contextmanager
def _beside() -> Iterator[None]:
    """Send to standard error what a plugin, or a library or program that it uses, writes to standard output.

    That is for the answer that was asked for.
    """
    try:
        kept = os.dup(1)
    except OSError:  # closed
        kept = -1
    sys.stdout.flush()
    try:
        with redirect_stdout(sys.stderr):
            if kept >= 0:
                os.dup2(2, 1)
            yield
    finally:
        if kept >= 0:
            if sys.__stdout__ is not None:
                sys.__stdout__.flush()
            os.dup2(kept, 1)
            os.close(kept)


def _first_broken(network: Network, batch: Batch, image: int) -> str:
    """Name the first layer whose map of an image is not finite."""
    paths = [layer.path for layer in network.maps()]
    found = network.activations(batch.inputs[image : image + 1], paths) if paths else {}
    broken = next((path for path in paths if not math.isfinite(found[path].sum(dtype="float64"))), "")
    return f", first at layer {broken}" if broken else ""


def _too_large(image: Image, error: MemoryError) -> ImageError:
    """What is said of a picture for which memory has no room, even alone."""
    words = ": ".join(filter(None, (f"{image.path} needs more memory than there is", plain_words(error, 120))))
    return ImageError(words, hint="close other programs, or ask for fewer targets and layers")


def _channels(image: Image) -> Any:
    """The pixels of an image, with their transparency where it has some."""
    return image.pixels if image.rgba is None else image.rgba


def _by_image(
    images: Sequence[Image], found: Sequence[Found], batch: Batch, best: Sequence[tuple[Target, ...]]
) -> Iterator[tuple[Image, list[Result]]]:
    """Regroup rows: all results of one image, explainer by explainer."""
    targets = batch.targets or ()
    each = len(targets) // len(images)
    for number, image in enumerate(images):
        # The best classes and those given by index may be the same.
        first = {targets[row].coefficients: row for row in reversed(range(number * each, (number + 1) * each))}
        results = []
        for one in found:
            which: list[tuple[int, Target | None]] = [(row, targets[row]) for row in sorted(first.values())]
            for row, target in which if one.explainer.per_target else [(number, None)]:
                panels, name = one.rows[row], one.explainer.name
                results.append(Result(name, image, target, panels, best[number], one.seconds, together=len(one.rows)))
        yield image, results
