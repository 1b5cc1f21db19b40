"""What a person sees: answers on standard output, progress and everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xcnn.errors import LayerError, OutputError
from xcnn.plugin import Attribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xcnn.cli.display import Display
    from xcnn.errors import XcnnError
    from xcnn.plugin import BaseExplainer, Failure, Network, Result

FEW = 12
"""Up to so many pictures, each gets a line."""
MANY = 40
"""So many different notes are told at most."""
TENTHS = 10
WIDTH = 50
SECONDS = 15
"""Where there is no bar, a line as often."""


def printable(text: object) -> str:
    """Text without control characters and lone surrogates, so that no file name can steer a terminal."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown)


def shortened(text: str, most: int = 40) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else text[: most - 3] + "..."


def percent(probability: float | None) -> str:
    """A probability in percent; "" when there is none."""
    return "" if probability is None else f"{probability:.1%}"


def coloured() -> bool:
    """Whether a terminal may be sent escape sequences."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def answer(text: object) -> None:
    """Print one line of the answer on standard output."""
    _write(sys.stdout, f"{printable(text)}\n")


def answer_json(data: Any) -> None:
    """Print JSON, pure ASCII, on standard output."""
    _write(sys.stdout, json.dumps(data, indent=1, allow_nan=False) + "\n")


def say(text: str) -> None:
    """Print one line on standard error."""
    _write(sys.stderr, f"{printable(text)}\n")


def _write(stream: Any, text: str) -> None:
    if stream is None:  # closed by the user: >&-
        return
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise OutputError(f"can't write to {stream.name}: {problem.strerror}") from problem


def error(problem: XcnnError) -> None:
    """Print what happened and what to try."""
    for line in error_lines(problem.message, problem.hint):
        say(line)


def error_lines(message: str, hint: str) -> list[str]:
    """An error in the form of the design."""
    return [f"error: {message}", *([f"  try: {hint}"] if hint else [])]


def error_json(problem: XcnnError) -> dict[str, Any]:
    """An error as JSON."""
    detail = {"code": problem.code, "exit_code": problem.exit_code, "message": problem.message, "hint": problem.hint}
    return {"schema_version": 1, "error": detail}


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on standard output: plain columns, so that other programs can read them."""
    cells = [[printable(heading) for heading in headings], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        _write(sys.stdout, line.rstrip() + "\n")


class Screen:
    """The events of a run as lines on standard error, and a progress bar on a terminal."""

    def __init__(self, display: Display, explainers: Sequence[BaseExplainer] = ()) -> None:
        self._silent = display.quiet or display.json
        self._json = display.json
        self._verbose = display.verbose
        self._explainers = explainers
        self._total = 0
        self._done = 0
        self._tasks: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self._spoke = time.monotonic()
        self._standing = 0

    def starting(self, model: str) -> None:
        """Tell a person at once that something happens: libraries alone take a second to load."""
        if not self._silent and sys.stderr is not None and sys.stderr.isatty():
            text = shortened(f"looking at {printable(model)} ...", WIDTH)
            self._standing = len(text)
            _write(sys.stderr, f"{text}\r")

    def _clear(self) -> None:
        """Take the first words away again; with blanks, which every terminal understands."""
        if self._standing:
            _write(sys.stderr, f"{' ' * self._standing}\r")
            self._standing = 0

    @cached_property
    def _bar(self) -> Any:
        """The progress bar; None where there is no terminal."""
        if self._silent or not coloured() or not sys.stderr.isatty():
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
                self._bar.console.print(printable(text), markup=False, highlight=False)
            else:
                say(text)

    def started(self, total: int) -> None:
        """Pictures were found."""
        self._total = total

    def opening(self, model: str) -> None:
        """The model is about to be loaded."""
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
        if self._total > 1 and self._bar:
            self._bar.update(self._task("", self._total), description=printable(path))

    def progressed(self, explainer: str, done: int, total: int) -> None:
        """Show how far an explainer is."""
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
        for line in error_lines(failure.message, failure.hint):
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
