"""Checks of an extension: a module or object whose hooks add something beside commands."""

from __future__ import annotations

import inspect
import math
import re
from typing import TYPE_CHECKING, Any

import pluggy

from xcnn import hookspecs
from xcnn.plugin import NamedModel, Preprocessing
from xcnn.testing.declared import light_module
from xcnn.testing.finding import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CHANNELS = (1, 3, 4)
"""How many numbers a preprocessing may have per channel."""


def hooks(extension: Any) -> None:
    """It implements at least one hook, and none that xcnn does not have."""
    manager = _registered(extension)
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise Broken(f"it implements a hook that xcnn does not have: {error}") from error
    if not manager.get_hookcallers(extension):
        raise Broken("it implements no hook: mark functions with xcnn.plugin.hookimpl")


def light(extension: Any) -> None:
    """Importing its module loads no TensorFlow, Keras, OpenCV or matplotlib, and prints nothing."""
    light_module(extension.__name__ if inspect.ismodule(extension) else type(extension).__module__)


def models(extension: Any) -> None:
    """Its models are NamedModels with a name, a summary, a licence and a size."""
    for model in _returned(extension, "xcnn_models"):
        if not isinstance(model, NamedModel):
            raise Broken(f"xcnn_models returned {type(model).__name__}; it must be NamedModel")
        _check_name(model.name, "xcnn_models")
        if not (model.summary and model.licence):
            raise Broken(f"model {model.name!r} has no summary or no licence")
        if len(model.size) != 2 or not all(isinstance(side, int) and side > 0 for side in model.size):  # noqa: PLR2004
            raise Broken(f"model {model.name!r} has the size {model.size!r}; it must be (height, width)")
        _check_preprocessing(model.preprocessing, f"model {model.name!r}")


def preprocessors(extension: Any) -> None:
    """Its preprocessors have a name, a summary, and finite numbers for each channel or one for all."""
    for mode in _returned(extension, "xcnn_preprocessors"):
        _check_preprocessing(mode, "xcnn_preprocessors")
        _check_name(mode.name, "xcnn_preprocessors")


def _registered(extension: Any) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("xcnn")
    manager.add_hookspecs(hookspecs)
    manager.register(extension)
    return manager


def _returned(extension: Any, hook: str) -> Iterable[Any]:
    found: list[Any] = []
    for values in getattr(_registered(extension).hook, hook)():
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            raise Broken(f"{hook} returned {type(values).__name__}; it must be a list")
        found += values
    return found


def _check_name(name: Any, hook: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise Broken(f"{hook} returned the name {name!r}; it must be lower-case letters, digits, dots and hyphens")


def _check_preprocessing(mode: Any, where: str) -> None:
    if not isinstance(mode, Preprocessing):
        raise Broken(f"{where}: {type(mode).__name__} is no Preprocessing")
    if not mode.summary:
        raise Broken(f"{where}: preprocessing {mode.name!r} has no summary")
    if mode.channels not in {"rgb", "bgr"}:
        raise Broken(f"{where}: preprocessing {mode.name!r} has the channels {mode.channels!r}, not 'rgb' or 'bgr'")
    for field, numbers in (("scale", mode.scale), ("offset", mode.offset)):
        if len(numbers) not in CHANNELS or not all(math.isfinite(number) for number in numbers):
            raise Broken(
                f"{where}: preprocessing {mode.name!r} has the {field} {numbers!r}; one number, or one a channel"
            )
    if not all(mode.scale):
        raise Broken(f"{where}: preprocessing {mode.name!r} has a scale of 0, which makes every picture the same")


CHECKS: tuple[Callable[[Any], None], ...] = (hooks, light, models, preprocessors)
"""In the order in which they are tried."""
