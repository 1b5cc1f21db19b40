"""Options, declared once.

A field of a frozen keyword-only dataclass, annotated with `Option`, *is* an option: from it come the command-line flag
with its help and range, the Python keyword with the same check, the row in the report and the entry in run.json.
"""

from __future__ import annotations

import dataclasses
import math
import operator
import reprlib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

from xcnn.errors import OptionError, did_you_mean


@dataclass(frozen=True)
class Option:
    """What a field needs beside its type and default to be an option.

    Parameters
    ----------
    help : str
        One or two sentences, for the command line, the report and the documentation.
    short : str
        A one-letter flag such as ``"-l"``.
    metavar : str
        What stands for the value in the help.
    unit : str
        The unit of a number, such as ``"px"``; it may be typed behind the number. Seconds may be minutes: ``"2m"``.
    minimum, maximum : float, optional
        The range of a number, both ends included.
    choices : tuple of str
        The accepted words; empty accepts any.
    separator : str
        For a tuple: one string is split at this character (``"a,b"`` means ``("a", "b")``, ``"8x4"`` means ``(8, 4)``).
        A pair of numbers separated by ``x`` is a size, and one number means a square.
    positional : bool
        An argument instead of a flag on the command line.
    completes : str
        What a shell offers for the value: "layers" of the model, or nothing.
    extends : bool
        More of it only adds to what a run with less has done: another value may go on from that run.
    """

    help: str
    short: str = ""
    metavar: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    separator: str = ""
    positional: bool = False
    completes: str = ""
    extends: bool = False


@dataclass(frozen=True)
class Declared:
    """One option of one class: its name, the type of its values (without ``| None``), its default and its `Option`."""

    name: str
    type: Any
    optional: bool
    default: Any
    option: Option

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is dataclasses.MISSING

    @property
    def many(self) -> bool:
        """Whether the value is a tuple of words."""
        return bool(self.type == tuple[str, ...])

    @property
    def pair(self) -> bool:
        """Whether the value is a pair of whole numbers."""
        return bool(self.type == tuple[int, int])

    @property
    def flag(self) -> str:
        """The long flag on the command line."""
        # A field can't have the name of a keyword of Python: with_ is --with.
        return "--" + self.name.rstrip("_").replace("_", "-")


SCALARS = (str, int, float, bool)
LARGER = {"s": {"m": 60, "h": 3600}}
"""Units that may be typed instead of a smaller one, and how much of it each is."""
TUPLES = (tuple[str, ...], tuple[int, int])


def declared(kind: type) -> tuple[Declared, ...]:
    """List the options of a dataclass in the order of its fields.

    Raises
    ------
    TypeError
        If a field has no `Option` or a type that no option can have: a mistake of the class's author.
    """
    return _fields(kind)


@cache
def _fields(kind: type) -> tuple[Declared, ...]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return tuple(_declared_field(kind, field, hints[field.name]) for field in dataclasses.fields(kind))


def _declared_field(kind: type, field: dataclasses.Field[Any], hint: Any) -> Declared:
    option = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Option)), None)
    if option is None:
        raise TypeError(f"{kind.__name__}.{field.name} is not declared as Annotated[type, Option(...)]")
    bare, optional = hint.__origin__, False
    if isinstance(bare, types.UnionType) or typing.get_origin(bare) is typing.Union:
        arms = [arm for arm in typing.get_args(bare) if arm is not type(None)]
        optional = len(arms) < len(typing.get_args(bare))
        bare = arms[0] if len(arms) == 1 else bare
    if bare not in SCALARS and bare not in TUPLES:
        raise TypeError(
            f"{kind.__name__}.{field.name} has type {bare}; an option is str, int, float, bool, tuple[str, ...] or "
            "tuple[int, int]"
        )
    return Declared(field.name, bare, optional, field.default, option)


def checked(option: Declared, value: Any) -> Any:
    """Convert one value to the option's type and check its range and choices.

    Raises
    ------
    OptionError
        Naming the option, the value received and what is accepted.
    """
    if value is None and option.optional:
        return None
    if option.many:
        converted: Any = _words(option, value)
    else:
        converted = _pair(option, value) if option.pair else _scalar(option, value)
        for number in converted if option.pair else (converted,):
            _check_range(option, number)
    for word in converted if option.many else (converted,):
        if option.option.choices and word not in option.option.choices:
            raise OptionError(
                f"{option.flag} is {word!r}, which is not one of its choices",
                hint=did_you_mean(str(word), option.option.choices, "one of " + ", ".join(option.option.choices)),
            )
    return converted


def _check_range(option: Declared, number: Any) -> None:
    low, high = option.option.minimum, option.option.maximum
    if (low is not None and not number >= low) or (high is not None and not number <= high):
        # Written with "not" so that a NaN is refused, too.
        ends = f"{low:g} or more" if high is None else f"{high:g} or less" if low is None else f"in {low:g}..{high:g}"
        raise OptionError(
            f"{option.flag} is {number}; it must be {ends}{' ' + option.option.unit if option.option.unit else ''}"
        )
    if isinstance(number, float) and not math.isfinite(number):
        raise OptionError(f"{option.flag} is {number}; it must be a finite number")


def _pair(option: Declared, value: Any) -> tuple[int, int]:
    """Two whole numbers: given as such, as text with the separator between, or as one number for a square."""
    separator = option.option.separator
    given: Any = _without_unit(option, value)[0].lower().split(separator) if isinstance(value, str) else value
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        given = [given]
    numbers: list[int] = []
    if isinstance(given, Iterable) and not isinstance(given, (bytes, Mapping)):
        try:
            numbers = [int(one) if isinstance(one, str) else int(operator.index(one)) for one in given]
        except (TypeError, ValueError):
            numbers = []
    if len(numbers) == 1 and separator == "x":
        numbers *= 2
    if len(numbers) != 2:  # noqa: PLR2004
        form = "a number, or two like 8x4 (height x width)" if separator == "x" else f"two numbers like 8{separator}4"
        raise OptionError(f"{option.flag} is {value!r}; it must be {form}")
    return numbers[0], numbers[1]


def spelled(option: Declared, value: Any) -> str:
    """A value as it is typed."""
    return option.option.separator.join(map(str, value)) if option.pair else str(value)


def _words(option: Declared, value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, (bytes, Mapping)):
        raise OptionError(f"{option.flag} is {reprlib.repr(value)}; it must be a word or a list of words")
    given = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    if option.option.separator:
        given = tuple(part for word in given for part in str(word).split(option.option.separator))
    if option.option.positional:  # names of files, which may begin and end with spaces
        return tuple(map(str, given))
    return tuple(text for text in (str(word).strip() for word in given) if text)


def _scalar(option: Declared, value: Any) -> Any:
    if option.type is bool and not isinstance(value, bool):
        raise OptionError(f"{option.flag} is {value!r}; it must be true or false")
    if option.type is str and isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]  # of an option that explainers share, and that takes several words for another
    if option.type is str and not isinstance(value, (str, int, float, PurePath)):
        raise OptionError(f"{option.flag} is {value!r}; it must be one word")
    try:
        if option.type is int and not isinstance(value, str):
            return int(operator.index(value))  # int(2.7) would be 2
        if option.type in {int, float} and isinstance(value, str):
            number, times = _without_unit(option, value)
            return option.type(number) * times
        return option.type(value)
    except (TypeError, ValueError, OverflowError):
        expected = {int: "a whole number", float: "a number", str: "a word"}.get(option.type, "valid")
        raise OptionError(f"{option.flag} is {value!r}; it must be {expected}") from None


def _without_unit(option: Declared, text: str) -> tuple[str, int]:
    """The number in a text, and how many of the option's unit it counts: "2m" is 2 times 60 s."""
    unit = option.option.unit
    for suffix, times in {unit: 1, **LARGER.get(unit, {})}.items():
        number = text.strip().removesuffix(suffix)
        # A digit must stand before it: the "s" of "infs" is no second.
        if suffix and number != text.strip() and number.rstrip()[-1:].isdigit():
            return number, times
    return text, 1


def check(kinds: Iterable[type], values: Mapping[str, Any]) -> None:
    """Refuse a name that is an option of none of `kinds`.

    Raises
    ------
    OptionError
        Naming the nearest known option.
    """
    known = [option.name for kind in kinds for option in declared(kind)]
    for name in values:
        if name not in known:
            raise OptionError(
                f"there is no option {name!r}", hint=did_you_mean(name, known, "one of " + ", ".join(known))
            )


def normalise(instance: Any) -> None:
    """Convert and check every field of a frozen dataclass in place; for ``__post_init__``."""
    for option in declared(type(instance)):
        object.__setattr__(instance, option.name, checked(option, getattr(instance, option.name)))


def picked(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `values` that are options of `kind`."""
    return {option.name: values[option.name] for option in declared(kind) if option.name in values}


@dataclass(frozen=True)
class Described:
    """One option of a finished run: its value in words and where that came from."""

    name: str
    value: Any
    source: str
    help: str


def described(instance: Any, sources: Mapping[str, str]) -> tuple[Described, ...]:
    """List the options of `instance` with their values and sources ("default" where none is given)."""
    return tuple(
        Described(option.name, getattr(instance, option.name), sources.get(option.name, "default"), option.option.help)
        for option in declared(type(instance))
    )
