"""How a command talks: options that exist on the command line only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from xcnn import options
from xcnn.options import Option


@dataclass(frozen=True, kw_only=True)
class Display:
    """What goes to the screen."""

    json: Annotated[bool, Option("Print run.json on standard output; errors, too.")] = False
    quiet: Annotated[bool, Option("Print the report's path and errors only.", short="-q")] = False
    verbose: Annotated[int, Option("Print every picture and timings; -vv adds TensorFlow's log.", short="-v")] = 0

    def __post_init__(self) -> None:
        """Convert and check."""
        options.normalise(self)


@dataclass(frozen=True, kw_only=True)
class Running(Display):
    """How a run goes, and what goes to the screen."""

    dry_run: Annotated[bool, Option("Only say what would be done; open no model and write nothing.")] = False
    fail_fast: Annotated[bool, Option("End at the first picture or explainer that fails.")] = False
    exit_zero: Annotated[bool, Option("Exit with 0 even when pictures failed.")] = False
    skip_existing: Annotated[
        bool, Option("Keep what --out has of these pictures, if nothing it depends on has changed; compute the rest.")
    ] = False
    keep_partial: Annotated[bool, Option("When it ends early (Ctrl-C), write what is finished.")] = False
