"""Classes and functions that the user supplies for a model: ``module:Class``, ``module:A,B`` or ``package:name``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import OptionError, did_you_mean, plain_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

EXAMPLE = "write module:Class, such as --custom-objects mymodel:Attention2D"


@dataclass(frozen=True)
class Supplied:
    """Names to be taken from one module."""

    module: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        """As the user writes it."""
        return f"{self.module}:{','.join(self.names)}"


def parse(words: Sequence[str]) -> tuple[Supplied, ...]:
    """Read the words of ``--custom-objects`` without importing anything.

    Raises
    ------
    OptionError
        For a word that is no ``module:name``.

    Examples
    --------
    >>> [str(supplied) for supplied in parse(["layers.blur:Blur, Sharpen"])]
    ['layers.blur:Blur,Sharpen']
    """
    found = []
    for word in words:
        module, colon, rest = (part.strip() for part in word.removesuffix(":").partition(":"))
        names = tuple(name.strip() for name in rest.split(",") if name.strip())
        if module.endswith(".py") or "/" in module:
            stem = Path(module).stem
            raise OptionError(
                f"{word!r} names a file; custom objects come from modules",
                hint=f"go to its folder and write {stem}:{','.join(names) or 'Class'}",
            )
        if not colon or not names or not all(part.isidentifier() for part in [*module.split("."), *names]):
            raise OptionError(f"{word!r} names no custom object", hint=EXAMPLE)
        found.append(Supplied(module, names))
    return tuple(found)


def names(supplied: Iterable[Supplied]) -> frozenset[str]:
    """The names that a model's file may use, known without importing their modules."""
    return frozenset(name for one in supplied for name in one.names)


def load(supplied: Iterable[Supplied]) -> dict[str, Any]:
    """Import what the user supplies; modules in the current folder are found, too.

    Returns
    -------
    dict
        Classes and functions by name, as Keras takes them for ``custom_objects``.

    Raises
    ------
    OptionError
        If a module does not exist, fails, or has no such name.
    """
    with _current_folder():
        return {name: _attribute(one.module, name) for one in supplied for name in one.names}


@contextmanager
def _current_folder() -> Iterator[None]:
    """Look for modules in the current folder last, so that nothing there hides an installed one; then as before."""
    folder = str(Path.cwd())
    if folder in sys.path or "" in sys.path:
        yield
        return
    sys.path.append(folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _attribute(module: str, name: str) -> Any:
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise OptionError(
                f"there is no module {module!r} for the custom object {name}",
                hint="install it, or go to the folder that holds it",
            ) from error
        raise OptionError(
            f"the module {module!r} needs {error.name!r}, which is not installed", hint=f"pip install {error.name}"
        ) from error
    except (Exception, SystemExit) as error:
        raise OptionError(
            f"the module {module!r} of the custom object {name} fails: {type(error).__name__}: {plain_words(error)}",
            hint=f"make this work first: python -c 'import {module}'",
        ) from error
    try:
        return getattr(found, name)
    except AttributeError as error:
        own = [other for other, value in vars(found).items() if callable(value) and not other.startswith("_")]
        listed = f"name one of: {', '.join(own[:8])}" if own else "check the spelling"
        raise OptionError(f"the module {module!r} has no {name!r}", hint=did_you_mean(name, own, listed)) from error
