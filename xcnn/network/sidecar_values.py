"""The values of a sidecar: read strictly, written exactly."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args

from xcnn.errors import OptionError, did_you_mean
from xcnn.plugin import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Fit = Literal["stretch", "crop", "pad"]

MAX_SIDE = 16384
MAX_CHANNELS = 4


def custom(
    *,
    channels: Literal["rgb", "bgr"] = "rgb",
    scale: tuple[float, ...] = (1.0,),
    offset: tuple[float, ...] = (0.0,),
) -> Preprocessing:
    """A preprocessing that is known by its numbers alone."""
    steps = f"{channels.upper()} pixels * {_shown(scale)} + {_shown(offset)}"
    return Preprocessing("custom", steps, channels=channels, scale=scale, offset=offset)


def _shown(numbers: tuple[float, ...]) -> str:
    words = ", ".join(f"{number:.6g}" for number in numbers)
    return words if len(numbers) == 1 and numbers[0] >= 0 else f"({words})"


def toml(value: Any) -> str:
    """Write a value as TOML; OptionError for lone surrogates, which no TOML can hold."""
    if isinstance(value, Preprocessing):
        parts = {"channels": value.channels, "scale": value.scale, "offset": value.offset}
        return "{ " + ", ".join(f"{key} = {toml(part)}" for key, part in parts.items()) + " }"
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return repr(value)  # Python writes whole numbers and floats as TOML does


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return "\\" + sign
    category = unicodedata.category(sign)
    if category == "Cs":
        raise OptionError(f"{sign!a} is no text and can't be written to a TOML file")
    # Control and formatting characters: what can't be seen is spelled out.
    if category[0] == "C" or category in {"Zl", "Zp"}:
        return f"\\u{ord(sign):04x}" if ord(sign) < 2**16 else f"\\U{ord(sign):08x}"
    return sign


def _refuse(path: Path, key: str, value: Any, wanted: str) -> NoReturn:
    shown = json.dumps(value, default=str, ensure_ascii=False)
    raise OptionError(f"{path} has {key} = {shown if len(shown) <= 60 else shown[:60] + '...'}", hint=wanted)  # noqa: PLR2004


def _word(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        _refuse(path, key, value, f'write {key} = "..."')
    return value


def _words(path: Path, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        _refuse(path, key, value, f'write {key} = ["...", "..."]')
    return tuple(value)


def _labels(path: Path, key: str, value: Any) -> tuple[str, ...] | str:
    if isinstance(value, list) and value:
        return _words(path, key, value)
    if not isinstance(value, str) or not value.strip():
        _refuse(path, key, value, 'write a list of names, a file beside the model, or "imagenet"')
    return value


def _preprocessing(path: Path, key: str, value: Any) -> str | Preprocessing:
    if isinstance(value, str) and value.strip():
        return value
    if not isinstance(value, dict):
        _refuse(path, key, value, 'write a name such as "tf", or { channels = "rgb", scale = 1.0, offset = 0.0 }')
    known = ("channels", "scale", "offset")
    for part in value:
        if part not in known:
            hint = did_you_mean(part, known, "one of " + ", ".join(known))
            raise OptionError(f"{path} has an unknown key {part[:80]!r} in {key}", hint=hint)
    channels = value.get("channels", "rgb")
    if channels not in {"rgb", "bgr"} if isinstance(channels, str) else True:
        _refuse(path, f"{key}.channels", channels, 'write "rgb" or "bgr"')
    scale = _numbers(path, f"{key}.scale", value.get("scale", 1.0))
    offset = _numbers(path, f"{key}.offset", value.get("offset", 0.0))
    if 0.0 in scale:
        _refuse(path, f"{key}.scale", value["scale"], "write factors other than 0")
    for name, numbers in (("scale", scale), ("offset", offset)):
        if len(numbers) not in {1, 3, 4}:
            _refuse(path, f"{key}.{name}", value[name], "write one number, or one per channel: 3 for RGB, 4 for RGBA")
    if len({len(scale), len(offset)} - {1}) > 1:
        raise OptionError(
            f"{path} has {len(scale)} numbers in {key}.scale and {len(offset)} in {key}.offset",
            hint="write one number for each channel, or one for all",
        )
    return custom(channels=channels, scale=scale, offset=offset)


def _numbers(path: Path, key: str, value: Any) -> tuple[float, ...]:
    items = value if isinstance(value, list) else [value]
    hint = "write a number, or a list of one for each channel"
    if not 1 <= len(items) <= MAX_CHANNELS:
        _refuse(path, key, value, hint)
    if not all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in items):
        _refuse(path, key, value, hint)
    try:
        numbers = tuple(float(item) for item in items)
    except OverflowError:
        _refuse(path, key, "a number too large", hint)
    if not all(map(math.isfinite, numbers)):
        _refuse(path, key, value, hint)
    return numbers


def _size(path: Path, key: str, value: Any) -> tuple[int, int]:
    sides = value if isinstance(value, list) else [value, value]
    whole = all(isinstance(side, int) and not isinstance(side, bool) and 1 <= side <= MAX_SIDE for side in sides)
    if len(sides) != 2 or not whole:  # noqa: PLR2004 (height and width)
        _refuse(path, key, value, f"write [height, width] or one number, each 1..{MAX_SIDE}")
    return sides[0], sides[1]


def _fit(path: Path, key: str, value: Any) -> Fit:
    if not isinstance(value, str) or value not in get_args(Fit):
        _refuse(path, key, value, "write one of " + ", ".join(get_args(Fit)))
    return value  # type: ignore[return-value]


READERS: Mapping[str, Callable[[Path, str, Any], Any]] = {
    "preprocessing": _preprocessing,
    "labels": _labels,
    "layer": _word,
    "input_size": _size,
    "output": _word,
    "fit": _fit,
    "notes": _words,
}
"""How the value of each key is read: from the file, the key and what TOML has there; OptionError for nonsense."""
