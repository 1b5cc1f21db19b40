"""What a user asks for: the options that all explainers share, and how to say the same again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from xcnn import options
from xcnn.options import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xcnn.plugin import Explainer


@dataclass(frozen=True, kw_only=True)
class Request:
    """The options that all explainers share."""

    model: Annotated[
        str, Option("Model file (.keras, .h5, .hdf5), or a name from: xcnn models.", metavar="MODEL", positional=True)
    ]
    images: Annotated[
        tuple[str, ...],
        Option("Pictures: files, globs, or folders (their pictures).", metavar="IMAGE...", positional=True),
    ] = ()
    target: Annotated[
        tuple[str, ...],
        Option("What to explain: top, top3, a class index or a class name. Repeatable.", short="-t", metavar="CLASS"),
    ] = ("top",)
    preprocess: Annotated[
        str,
        Option("What pixels become: auto, none, unit (0..1), tf (-1..1), caffe, torch, or a plugin's.", metavar="NAME"),
    ] = "auto"
    out: Annotated[
        str | None, Option("Folder to make. Default: xcnn-out/COMMAND, numbered.", short="-o", metavar="DIR")
    ] = None
    overwrite: Annotated[bool, Option("Replace the folder if xcnn wrote all that is in it.")] = False
    colormap: Annotated[
        str,
        Option("Any palette of matplotlib. auto: viridis, and a diverging one for signed maps.", metavar="NAME"),
    ] = "auto"
    alpha: Annotated[float, Option("How much the map covers the picture.", minimum=0, maximum=1, metavar="0..1")] = 0.5
    batch_size: Annotated[int, Option("Images computed at once.", minimum=1, maximum=4096, metavar="N")] = 16
    seed: Annotated[int, Option("Where random numbers start.", minimum=0, metavar="N")] = 0

    def __post_init__(self) -> None:
        """Convert and check every option."""
        options.normalise(self)


WHERE = {"out", "overwrite"}
"""Options that say where results go: a command that named a folder which exists now would be refused."""


def command_line(request: Request, explainer: Explainer) -> str:
    """The command that asks for the same; options at their defaults are left out, and where it was written."""
    words = ["xcnn", explainer.name, request.model, *request.images]
    for instance in (explainer, request):
        for option in options.declared(type(instance)):
            value = getattr(instance, option.name)
            if not option.option.positional and value != option.default and option.name not in WHERE:
                words += _flag(option, value)
    return shlex.join(words)


def _flag(option: options.Declared, value: Any) -> list[str]:
    if option.type is bool:
        return [option.flag if value else f"--no-{option.name.replace('_', '-')}"]
    if not option.many:
        return [option.flag, str(value)]
    values = [option.option.separator.join(value)] if option.option.separator else value
    return [word for one in values for word in (option.flag, one)]


def rows(instance: Any, sources: Mapping[str, str]) -> list[dict[str, Any]]:
    """The options of an instance as rows of run.json; positional ones are said elsewhere."""
    positional = {option.name for option in options.declared(type(instance)) if option.option.positional}
    return [
        {"name": row.name, "value": _plain(row.value), "source": row.source, "help": row.help}
        for row in options.described(instance, sources)
        if row.name not in positional
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def split(values: Mapping[str, Any], kinds: Iterable[type]) -> list[dict[str, Any]]:
    """Give each class the values that are its options; a name that belongs to none is an OptionError."""
    kinds = tuple(kinds)
    options.check(kinds, values)
    return [options.picked(kind, values) for kind in kinds]
