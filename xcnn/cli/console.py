"""What a person sees: answers on standard output, progress and everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xcnn.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xcnn.cli.display import Display
    from xcnn.errors import XcnnError
    from xcnn.plugin import Failure, Network, Result

FEW = 12
"""Up to so many pictures, each gets a line."""
TENTHS = 10


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

    def __init__(self, display: Display, *, default_layer: bool) -> None:
        self._silent = display.quiet or display.json
        self._json = display.json
        self._verbose = display.verbose
        self._default_layer = default_layer
        self._total = 0
        self._done = 0

    @cached_property
    def _bar(self) -> Any:
        """The progress bar; None where there is no terminal or nothing to wait for."""
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
        if self._silent or plain or self._total == 1:
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
        bar.add_task("", total=self._total)
        bar.start()
        return bar

    def close(self) -> None:
        """Take the progress bar away."""
        if self.__dict__.get("_bar"):
            self._bar.stop()

    def _say(self, text: str, *, always: bool = False) -> None:
        if always or not self._silent:
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
        if self._default_layer and about["default_layer"]:
            self._say(f"layer: {about['default_layer']['path']}, {about['default_layer']['reason']}")
        mode = about["preprocessing"]
        self._say(f"preprocessing: {mode['name']}, {mode['summary']}: {mode['reason']}")
        for note in about["notes"]:
            self._say(f"note: {note}")
        for warning in network.warnings:
            self._say(f"warning: {warning}")

    def working(self, path: str) -> None:
        """Show which picture is next."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=printable(path))

    def explained(self, results: Sequence[Result]) -> None:
        """Say what was explained."""
        self._step()
        if self._total <= FEW or self._verbose:
            for result in results:
                target = result.target
                chance = "" if target.probability is None else f" {target.probability:.1%}"
                time = f" ({result.seconds * 1000:.0f} ms)" if self._verbose else ""
                empty = (
                    "" if any(panel.values.any() for panel in result.panels) else ", no evidence: the map is all zero"
                )
                index = f"{target.index} " if len(target.coefficients) == 1 else ""
                self._say(f"{result.image.path}: {index}{target.label}{chance}{empty}{time}")

    def failed(self, failure: Failure) -> None:
        """Say which picture failed and why."""
        self._step()
        for line in error_lines(failure.message, failure.hint):
            self._say(line, always=not self._json)

    def _step(self) -> None:
        self._done += 1
        if self._bar:
            self._bar.advance(self._bar.task_ids[0])
        elif self._total > FEW and self._done * TENTHS // self._total > (self._done - 1) * TENTHS // self._total:
            self._say(f"{self._done} of {self._total} pictures")
