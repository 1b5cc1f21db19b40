"""What can go wrong, grouped by who can mend it.

::

    XcnnError                     70  a bug of ours, unless a subclass says otherwise
    ├─ ImageError                  1  one picture
    ├─ UsageError                  2  the command line or the arguments of a call
    │  ├─ OptionError              2  a value of an option
    │  ├─ LayerError               2  a layer name, or a layer that can't be used so
    │  ├─ TargetError              2  a class index or name
    │  ├─ ConfigurationError       2  a configuration file, or a variable of the environment
    │  └─ MisfitError              2  an explainer that does not fit the model
    ├─ ModelError                  3  the model file
    │  ├─ UnknownClassError        3  a model that needs classes of others
    │  └─ UnsafeModelError         4  a model that could run code or read files
    ├─ OutputError                 5  the run folder
    └─ PluginError                 6  an installed plugin; names the distribution

A message is a fact with the received value, in lower case and without a full stop; a hint is one imperative.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


FLAG = re.compile(r"(?<![\w-])--([a-z][a-z-]*)")
"""An option, as hints name it."""
NEAR = 10
"""So many similar words are looked at closely."""


class XcnnError(Exception):
    """Base of everything xcnn raises on purpose.

    Parameters
    ----------
    message : str
        What happened, with the value received.
    hint : str, optional
        What to try, in the words of the command line. A traceback shows it in those of Python.
    """

    exit_code: ClassVar[int] = 70
    code: ClassVar[str] = "bug"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:  # shown by a traceback, where options are no flags
            self.add_note(f"try: {FLAG.sub(lambda flag: flag[1].replace('-', '_'), hint)}")


class ImageError(XcnnError):
    """A picture can't be read."""

    exit_code = 1
    code = "image"


class Terminated(BaseException):
    """SIGTERM has arrived. Nobody takes it for an error, nor for the exit of a plugin."""


class UsageError(XcnnError):
    """The request makes no sense as it is written."""

    exit_code = 2
    code = "usage"


class OptionError(UsageError):
    """An option is unknown or has an impossible value."""

    code = "option"


class LayerError(UsageError):
    """A layer does not exist or can't be used."""

    code = "layer"


class TargetError(UsageError):
    """A class does not exist."""

    code = "target"


class ConfigurationError(UsageError):
    """A configuration file or a variable of the environment says what can't be."""

    code = "configuration"


class MisfitError(UsageError):
    """The explainer asked for does not fit this model."""

    code = "misfit"


class ModelError(XcnnError):
    """The model can't be loaded or is no two-dimensional image model."""

    exit_code = 3
    code = "model"


class UnsafeModelError(ModelError):
    """The model could run code or read files, so it was not loaded."""

    exit_code = 4
    code = "unsafe"


class UnknownClassError(ModelError):
    """The model needs classes or functions that Keras does not have; a plugin may bring them."""

    code = "unknown class"


class OutputError(XcnnError):
    """The output exists or can't be written."""

    exit_code = 5
    code = "output"


class PluginError(XcnnError):
    """An installed plugin failed."""

    exit_code = 6
    code = "plugin"


def plain_words(error: BaseException, most: int = 300) -> str:
    """What a library says of an error: one line, without colours, its first `most` characters.

    Examples
    --------
    >>> plain_words(ValueError(chr(27) + "[1mbad" + chr(10) + "  scope" + chr(27) + "[0m"))
    'bad scope'
    """
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())[:most]


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` most likely meant, whatever its case, or None.

    Examples
    --------
    >>> closest("block5_con3", ["block5_conv3", "block4_conv3"])
    'block5_conv3'
    """
    by_lower = {name.lower(): name for name in reversed(list(known))}
    typed = word.lower()
    near = difflib.get_close_matches(typed, by_lower, n=NEAR, cutoff=0.6)
    # Similar text is not yet a likely slip: "block1_cnov2" is most like "block1_conv1". min keeps the order of equals.
    found = min(near, key=lambda name: slips(typed, name), default=None)
    return None if found is None else by_lower[found]


def slips(word: str, other: str, most: int = 1000) -> int:
    """Count the letters left out, added, exchanged or swapped with a neighbour between two words.

    Parameters
    ----------
    word, other : str
        The two.
    most : int
        More than so many need no exact count.

    Returns
    -------
    int
        The optimal string alignment distance; ``most + 1`` where the lengths alone differ by more than ``most``.

    Examples
    --------
    >>> slips("cnov", "conv"), slips("conv", "convs"), slips("a", "abcd", most=1)
    (1, 1, 2)
    """
    if abs(len(word) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, 1):
        now = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != wanted))
            if before and column > 1 and letter == other[column - 2] and word[row - 2] == wanted:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        before, last = last, now
    return last[-1]


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """A hint: the nearest known word, or else `otherwise`."""
    nearest = closest(word, known)
    return f"{nearest} (did you mean this?), or {otherwise}" if nearest else otherwise
