"""Checks of what an explainer declares, without a model."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from xcnn import importing, options
from xcnn.errors import XcnnError
from xcnn.testing.finding import Broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.plugin import BaseExplainer

COMMAND = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""What a command may be called."""
HEAVY = {"tensorflow", "keras", "cv2", "matplotlib"}
"""What a plugin may not import with its module: listing its help would take seconds."""


def a_sentence(words: object) -> bool:
    """Whether words begin with a capital or a digit and end with a full stop."""
    return isinstance(words, str) and bool(re.fullmatch(r"[A-Z0-9].*\.", words.strip(), re.DOTALL))


def summary(kind: type[BaseExplainer]) -> None:
    """The docstring's first line is a sentence."""
    words = (kind.__doc__ or "").strip().partition("\n")[0]
    if words.startswith(f"{kind.__name__}("):  # what dataclass writes where there is none
        words = ""
    if not a_sentence(words):
        raise Broken(f"the docstring begins with {words!r}; the first line must be a sentence: it is the help")


def documented(kind: type[BaseExplainer]) -> None:
    """Every option has a help of whole sentences."""
    for option in _declared(kind):
        if not a_sentence(option.option.help):
            raise Broken(f"option {option.name!r} has the help {option.option.help!r}; it must be a sentence")


def ranged(kind: type[BaseExplainer]) -> None:
    """Every numeric option states a minimum, a maximum or its choices."""
    for option in _declared(kind):
        about = option.option
        ends = (about.minimum, about.maximum, about.choices or None)
        if (option.type in {int, float} or option.pair) and ends == (None, None, None):
            raise Broken(f"option {option.name!r} is a number without minimum, maximum or choices")


def defaults(kind: type[BaseExplainer]) -> None:
    """Every option has a default, and all defaults together are valid."""
    for option in _declared(kind):
        if option.required:
            raise Broken(f"option {option.name!r} has no default")
    try:
        kind()
    except XcnnError as error:
        raise Broken(f"the defaults are refused: {error.message}") from error


def command(kind: type[BaseExplainer]) -> None:
    """It becomes a command: a plain name, and no option with the name of a common one."""
    from xcnn.cli import bridge

    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not re.fullmatch(COMMAND, name):
        raise Broken(f"the command is {name!r}; it must be lower-case words joined by hyphens")
    _declared(kind)
    try:
        bridge.command(kind, lambda *_: None, distribution=name)
    except XcnnError as error:
        raise Broken(error.message) from error


def light(kind: type[BaseExplainer]) -> None:
    """Importing its module loads no TensorFlow, Keras, OpenCV or matplotlib, and prints nothing."""
    light_module(kind.__module__)


def light_module(name: str) -> None:
    """Refuse a module whose import is heavy or prints."""
    cost = importing.of_module(name, getattr(sys.modules.get(name), "__file__", None) or "")
    heavy = HEAVY & set(cost.heavy)
    if cost.error:
        raise Broken(f"importing {name} failed in a process of its own: {cost.error}")
    if heavy:
        raise Broken(f"importing {name} loads {', '.join(sorted(heavy))}: import them inside functions")
    if cost.printed:
        raise Broken(f"importing {name} writes to standard output")


def _declared(kind: type[BaseExplainer]) -> tuple[options.Declared, ...]:
    try:
        return options.declared(kind)
    except TypeError as error:
        raise Broken(str(error)) from error


CHECKS: tuple[Callable[[type[BaseExplainer]], None], ...] = (summary, documented, ranged, defaults, command, light)
"""In the order in which they are tried."""
