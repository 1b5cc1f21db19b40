"""What has come out of a run so far: results that are written and told as they come, and failures."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ImageError, MisfitError, ModelError, PluginError, XcnnError
from xcnn.plugin import Attribution, Failure, Result, Tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xcnn.events import Events
    from xcnn.plugin import Image, Network


class Outcome:
    """Collects the results of a run.

    Parameters
    ----------
    events : Events
        Who hears of them.
    pictures, explainers : int
        How many there are: the failure of the only one is the error of the run.
    keep : bool
        Hold the results in memory.
    fail_fast : bool
        Raise the first failure instead of going on.
    """

    def __init__(self, events: Events, *, pictures: int, explainers: int, keep: bool, fail_fast: bool = False) -> None:
        self.events = events
        self.results: list[Result] = []
        self.failures: list[Failure] = []
        self.explained = 0
        self.kept = 0
        """How many results an earlier run had found."""
        self.writer: Any = None
        self.suspect: Callable[[Image], str] = lambda _: ""
        """Tells where in the network the numbers of an image are first not finite."""
        self.distribution: Callable[[str], str] = lambda _: "xcnn"
        """Tells which distribution an explainer is from."""
        self._single = pictures <= 1
        self._alone = self._single and explainers == 1
        self._keep = keep
        self._fail_fast = fail_fast
        self._first: XcnnError | None = None
        self._surveyed = False
        self._warned = 0
        self.warnings: list[str] = []
        """What must be known of the results, beside what the network warns of."""

    def surveyed(self, network: Network) -> None:
        """Tell what was decided about the network, once, and what it warns of since."""
        if not self._surveyed:
            self._surveyed = True
            self.events.surveyed(network)
        elif len(network.warnings) > self._warned:  # it has met something on the way
            self.events.noted(f"warning: {network.warnings[-1]}")
        self._warned = len(network.warnings)

    def warn(self, text: str) -> None:
        """Tell something that must be known of the results."""
        self.warnings.append(text)
        self.events.noted(f"warning: {text}")

    def fail(self, path: str, error: XcnnError, *, explainer: str = "") -> None:
        """Note that a picture, or an explainer, or an explainer on a picture could not be explained."""
        self._first = self._first or error
        self.failures.append(Failure(path, error.code, error.message, error.hint, explainer))
        if self._fail_fast:
            raise error
        if not (self._alone or (self._single and not explainer)):  # that will be the error of the run
            self.events.failed(self.failures[-1])

    def add(self, image: Image, results: Sequence[Result]) -> None:
        """Take the results of one image; those that are not finite are failures."""
        good = self._finite(results)
        if not good:
            return
        self.explained += 1
        if self.writer:
            self.writer.add(image.pixels, good)
        if self._keep:
            # A file can be read again when the run is saved; pixels from memory can't.
            light = replace(image, pixels=None, rgba=None) if Path(image.path).is_file() else image
            self.results += [replace(result, image=light) for result in good]
        self.events.explained(good)

    def add_model(self, results: Sequence[Result]) -> None:
        """Take what was found about the model alone."""
        good = self._finite(results)
        if not good:
            return
        self.explained += 1
        if self.writer:
            self.writer.add_model(good)
        if self._keep:
            self.results += good
        self.events.explained(good)

    def _finite(self, results: Sequence[Result]) -> list[Result]:
        broken = {result.explainer: words for result in results if (words := _not_finite(result))}
        for explainer, words in broken.items():
            image = next(result.image for result in results if result.explainer == explainer)
            if image is None:
                error: XcnnError = ModelError(f"{words} not finite", hint="check the model's weights")
                self.fail("", error, explainer=explainer)
            else:
                where, who = self.suspect(image), self.distribution(explainer)
                hint = f"the model computes NaN or infinity for this picture{where}: check its weights and --preprocess"
                if who != "xcnn" and not where:
                    hint = f"{who} returned it while the maps of the model are finite: tell its author"
                error = ImageError(f"{image.path}: {words} not finite", hint=hint)
                self.fail(image.path, error, explainer=explainer if len(results) > 1 else "")
        return [result for result in results if result.explainer not in broken]

    def may_stop(self, problem: BaseException) -> bool:
        """Whether a run may end early with what it has: it was told to, or the first failure ends it."""
        return not isinstance(problem, XcnnError) or (self._fail_fast and problem is self._first)

    def nothing(self) -> XcnnError:
        """The error for a run without a single result."""
        if self._first and (len(self.failures) == 1 or all(one.code == PluginError.code for one in self.failures)):
            return self._first
        pictures = {failure.path for failure in self.failures if failure.path}
        if not pictures:
            return MisfitError(
                f"none of the {len(self.failures)} explainers could explain this model", hint="see: xcnn doctor"
            )
        return ImageError(f"none of the {len(pictures)} pictures could be explained")


def _not_finite(result: Result) -> str:
    """What about a result is NaN or infinite; empty when nothing is."""
    for panel in result.panels:
        # The sum of finite float32 values may overflow; of their float64 copies it can't.
        if isinstance(panel, (Attribution, Tiles)) and not math.isfinite(panel.values.sum(dtype="float64")):
            what = "map{} is" if isinstance(panel, Attribution) else "tiles{} are"
            return f"the {result.explainer} {what.format(f' at {panel.layer}' if panel.layer else '')}"
    scores = [target.score for target in (result.target, *result.predictions) if target is not None]
    return "" if all(map(math.isfinite, scores)) else "the scores of the classes are"
