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
