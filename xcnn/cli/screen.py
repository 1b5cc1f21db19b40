"""What a person sees of a run: its events as lines on standard error, and a progress bar on a terminal."""

from __future__ import annotations

import sys
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xcnn.cli import console
from xcnn.cli.signals import listening
from xcnn.errors import LayerError
from xcnn.plugin import Attribution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.cli.display import Display
    from xcnn.cli.signals import Watch
    from xcnn.plugin import BaseExplainer, Failure, Network, Result

FEW = 12
"""Up to so many pictures, each gets a line."""
MANY = 40
"""So many different notes are told at most."""
TENTHS = 10
WIDTH = 50
SECONDS = 15
"""Where there is no bar, a line as often."""
PATIENCE = 0.3
"""So many seconds after the program's start, what is no terminal is told that something happens."""


class Screen:
    """The events of a run as lines on standard error, and a progress bar on a terminal."""

    def __init__(self, display: Display, explainers: Sequence[BaseExplainer] = (), *, watch: Watch) -> None:
        self._silent = display.quiet or display.json
        self._json = display.json
        self._verbose = display.verbose
        self._explainers = explainers
        self._watch = watch
        self._total = 0
        self._done = 0
        self._tasks: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._spoke = time.monotonic()
        self._standing = 0
        self._opened = ""
        self._soon: threading.Timer | None = None

    def starting(self, model: str) -> None:
        """Tell a person at once that something happens: libraries alone take a second to load.

        What is no terminal gets a line, which can't be taken back: only after `PATIENCE` without a word, so that an
        error found by then stands alone.
        """
        if self._silent or sys.stderr is None:
            return
        if sys.stderr.isatty():
            text = console.shortened(f"looking at {console.printable(model)} ...", WIDTH)
            self._standing = len(text)
            console.write(sys.stderr, f"{text}\r")
        elif listening():
            left = max(0.0, PATIENCE - time.process_time())
            self._soon = threading.Timer(left, self._late, [model])
            self._soon.daemon = True
            self._soon.start()

    def _late(self, model: str) -> None:
        """Say in another thread what is about to be said anyway."""
        self._opened = model
        console.say(f"opening {model} ...")

    def _clear(self) -> None:
        """Take the first words away again; with blanks, which every terminal understands."""
        if self._soon:
            self._soon.cancel()
            self._soon.join()
            self._soon = None
        if self._standing:
            console.write(sys.stderr, f"{' ' * self._standing}\r")
            self._standing = 0

    @cached_property
    def _bar(self) -> Any:
        """The progress bar; None where there is no terminal."""
        if self._silent or not console.coloured() or not sys.stderr.isatty():
            return None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        bar.start()
        return bar

    def _task(self, name: str, total: int) -> int:
        """The line of the bar for pictures, or for the steps of one explainer."""
        if name not in self._tasks:
            self._tasks[name] = self._bar.add_task(name, total=total)
        return self._tasks[name]

    def close(self) -> None:
        """Take the progress bar away."""
        self._clear()
        if self.__dict__.get("_bar"):
            self._bar.stop()

    def _say(self, text: str, *, always: bool = False) -> None:
        if always or not self._silent:
            self._clear()
            if self.__dict__.get("_bar"):
                self._bar.console.print(console.printable(text), markup=False, highlight=False)
            else:
                console.say(text)

    def started(self, total: int) -> None:
        """Pictures were found."""
        self._total = total

    def opening(self, model: str) -> None:
        """The model is about to be loaded."""
        self._clear()
        if model != self._opened:
            self._say(f"opening {model} ...")

    def surveyed(self, network: Network) -> None:
        """Say what was decided for the user."""
        about = network.about()
        picked: dict[str, list[str]] = {}
        for one in self._explainers:
            picked.setdefault(_picked(one, network), []).append(one.name)
        picked.pop("", None)
        for line, names in picked.items():
            who = f" of {', '.join(names)}" if len(picked) > 1 else ""
            self._say(f"layer{who}: {line}")
        mode = about["preprocessing"]
        self._say(f"preprocessing: {mode['name']}, {mode['summary']}: {mode['reason']}")
        for note in about["notes"]:
            self._say(f"note: {note}")
        for warning in network.warnings:
            self._say(f"warning: {warning}")

    def working(self, path: str) -> None:
        """Show which picture is next."""
        self._watch.pause()
        if self._total > 1 and self._bar:
            self._bar.update(self._task("", self._total), description=console.printable(path))

    def progressed(self, explainer: str, done: int, total: int) -> None:
        """Show how far an explainer is."""
        self._watch.pause()
        if total <= 1:
            return
        if self._bar:
            task = self._task(explainer, total)
            self._bar.update(task, completed=done, total=total, visible=done < total)
        elif time.monotonic() - self._spoke > SECONDS and done < total:
            self._spoke = time.monotonic()
            self._say(f"{explainer}: {done} of {total}")

    def explained(self, results: Sequence[Result]) -> None:
        """Say what was explained."""
        self._watch.finished()
        if any(result.image for result in results):
            self._step()
        if self._total > FEW and not self._verbose:
            return
        for line in dict.fromkeys(filter(None, map(self._line, results))):
            self._say(line)
        several = len(self._explainers) > 1
        for note in dict.fromkeys(note for result in results for note in _notes(result, named=several)):
            # Of several pictures, what is said of one alone would not be seen to be its own.
            self._noted[note] = self._noted.get(note, 0) + 1
            if self._noted[note] == (1 if self._total <= 1 or self._verbose else 2) and len(self._noted) <= MANY:
                self._say(f"note: {note}")

    def _line(self, result: Result) -> str:
        """One result in words; the same for all explainers of one target, unless each took its time."""
        mean = f", mean of {result.together}" if result.together > 1 else ""
        took = f" ({result.explainer}, {result.seconds * 1000:.0f} ms{mean})" if self._verbose else ""
        if result.image is None:
            return f"{result.explainer}: {result.seconds:.1f} s"
        target = result.target or result.predictions[0]
        chance = "" if target.probability is None else f" {target.probability:.1%}"
        maps = [panel.values for panel in result.panels if isinstance(panel, Attribution)]
        empty = f", no evidence: the {result.explainer} map is all zero" if maps and not any(map(_any, maps)) else ""
        index = f"{target.index} " if [weight for _, weight in target.coefficients] == [1.0] else ""
        return f"{result.image.path}: {index}{target.label}{chance}{empty}{took}"

    def failed(self, failure: Failure) -> None:
        """Say which picture or explainer failed and why."""
        if failure.path and not failure.explainer:
            self._step()
        for line in console.error_lines(failure.message, failure.hint):
            self._say(line, always=not self._json)

    def noted(self, text: str) -> None:
        """Say what must be known of the report."""
        self._say(text)

    def _step(self) -> None:
        self._done += 1
        if self._total > 1 and self._bar:
            self._bar.advance(self._task("", self._total))
        elif self._total > FEW and self._done * TENTHS // self._total > (self._done - 1) * TENTHS // self._total:
            self._say(f"{self._done} of {self._total} pictures")


def _picked(explainer: BaseExplainer, network: Network) -> str:
    """The layer that an explainer looks at because none was named."""
    if getattr(explainer, "layer", None) not in ((), ""):
        return ""
    try:
        choice = explainer.picks(network)
    except LayerError:  # it has said so itself
        return ""
    return f"{choice.value}, {choice.reason}" if choice else ""


def _notes(result: Result, *, named: bool) -> list[str]:
    """What a reader must know about a result; of its maps with the explainer's name when there are several."""
    seen = result.image.notes if result.image else ()
    own = result.target.notes if result.target else ()
    who = f"{result.explainer}: " if named else ""
    return [*seen, *own, *(f"{who}{note}" for panel in result.panels for note in panel.notes)]


def _any(values: Any) -> bool:
    return bool(values.any())
