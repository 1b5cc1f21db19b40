"""What a user asks for: the options that all explainers share, and how to say the same again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from xcnn import options, privacy
from xcnn.options import Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xcnn.plugin import BaseExplainer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a model is to be opened and understood: the options of every command that takes one."""

    preprocess: Annotated[
        str,
        Option(
            "What pixels become: auto, none, unit (0..1), tf (-1..1), caffe, torch, a keras.applications name, or a "
            "plugin's.",
            metavar="NAME",
        ),
    ] = "auto"
    fit: Annotated[
        str | None,
        Option(
            "How a picture of another shape is made to fit: stretch, crop (the middle), pad (black). Default: stretch.",
            choices=("stretch", "crop", "pad"),
            metavar="HOW",
        ),
    ] = None
    input_size: Annotated[
        tuple[int, int] | None,
        Option(
            "Size to feed a model that takes any: 299, or HxW.",
            minimum=1,
            maximum=16384,
            unit="px",
            separator="x",
            metavar="HxW",
        ),
    ] = None
    labels: Annotated[
        tuple[str, ...],
        Option(
            "Class names: a file (lines, CSV, JSON), imagenet, or --labels NAME for each. Default: those beside it.",
            metavar="FILE",
        ),
    ] = ()
    input: Annotated[
        tuple[str, ...],
        Option("Feed an input of the model another picture or .npy file: NAME=FILE. Repeatable.", metavar="NAME=FILE"),
    ] = ()
    output: Annotated[
        str | None, Option("Which output to explain, by name or number. Default: the first.", metavar="NAME")
    ] = None
    on: Annotated[
        str,
        Option("Explain the logit or the probability.", choices=("logit", "probability"), metavar="WHAT"),
    ] = "logit"
    at: Annotated[
        tuple[int, int] | None,
        Option(
            "For outputs that are maps: the pixel X,Y of the picture to explain. Default: the mean over the predicted "
            "area.",
            minimum=0,
            separator=",",
            metavar="X,Y",
        ),
    ] = None
    custom_objects: Annotated[
        tuple[str, ...],
        Option("Classes that the model needs, as module:Class; runs that module. Repeatable.", metavar="MODULE:CLASS"),
    ] = ()
    trust_model: Annotated[
        str | None,
        Option("Let exactly the file with this hash run its own code (Lambda layers).", metavar="sha256:HASH"),
    ] = None
    max_model_gb: Annotated[
        float, Option("Refuse models that would take more memory.", minimum=0.001, unit="GB", metavar="N")
    ] = 8.0

    def __post_init__(self) -> None:
        """Convert and check every option."""
        options.normalise(self)


MODEL = "Model file (.keras, .h5, .hdf5, .json), or a name from: xcnn models."


REPORT_MAX_MB = Option(
    "Above this size the report is several pages beside its photographs, 200 images each; 0: always.",
    minimum=0,
    unit="MB",
    metavar="N",
)


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """How pictures are found and read: the options of every command that takes some."""

    recursive: Annotated[bool, Option("A folder means the pictures in all folders below it, too.")] = False
    from_file: Annotated[
        str | None,
        Option("Also the pictures that this file names, one per line or NUL; - is standard input.", metavar="FILE"),
    ] = None
    background: Annotated[
        str, Option("What is behind transparent parts: a colour of CSS, or #rrggbb.", metavar="COLOUR")
    ] = "white"
    frame: Annotated[int, Option("Which frame or page of a file that has several, from 1.", minimum=1, metavar="N")] = 1
    allow_truncated: Annotated[
        bool, Option("Take what can be read of a damaged picture, and mark its results. Else it is an error.")
    ] = False
    max_megapixels: Annotated[
        float, Option("Refuse larger pictures before they are decoded.", minimum=0.001, unit="MP", metavar="N")
    ] = 64.0


@dataclass(frozen=True, kw_only=True)
class Common(Settings):
    """The options that all explainers share, those of the model alone, too."""

    out: Annotated[
        str | None, Option("Folder to make. Default: xcnn-out/COMMAND, numbered.", short="-o", metavar="DIR")
    ] = None
    overwrite: Annotated[bool, Option("Replace the folder if xcnn wrote all that is in it.")] = False
    colormap: Annotated[
        str,
        Option("Any palette of matplotlib. auto: viridis, and a diverging one for signed maps.", metavar="NAME"),
    ] = "auto"
    seed: Annotated[int, Option("Where random numbers start.", minimum=0, metavar="N")] = 0
    report_max_mb: Annotated[float, REPORT_MAX_MB] = 25.0


@dataclass(frozen=True, kw_only=True)
class ModelRequest(Common):
    """What explainers of the model alone are asked for."""

    model: Annotated[str, Option(f"{MODEL} Default: vgg16.", metavar="[MODEL]", positional=True)] = "vgg16"


@dataclass(frozen=True, kw_only=True)
class Request(Pictured, Common):
    """What explainers of pictures are asked for."""

    model: Annotated[str, Option(MODEL, metavar="MODEL", positional=True)]
    images: Annotated[
        tuple[str, ...],
        Option(
            "Pictures: files, globs, folders (their pictures), or - for one on standard input.",
            metavar="IMAGE...",
            positional=True,
        ),
    ] = ()
    target: Annotated[
        tuple[str, ...],
        Option(
            "What to explain: top, topN, a class index or name, label:NAME, 'A vs B', not:A. Repeatable.",
            short="-t",
            metavar="CLASS",
        ),
    ] = ("top",)
    alpha: Annotated[float, Option("How much the map covers the picture.", minimum=0, maximum=1, metavar="0..1")] = 0.5
    mosaic: Annotated[
        tuple[int, int] | None,
        Option(
            "Also draw the first map of every picture in grids of ROWSxCOLUMNS.",
            minimum=1,
            maximum=64,
            separator="x",
            metavar="RxC",
        ),
    ] = None
    truth: Annotated[
        str | None,
        Option(
            "What the pictures show: folder (the class is the name of the folder of each), or a CSV file: file,class.",
            metavar="folder|FILE",
        ),
    ] = None
    batch_size: Annotated[int, Option("Images computed at once.", minimum=1, maximum=4096, metavar="N")] = 16


def command_line(request: Request | ModelRequest, explainers: Sequence[BaseExplainer]) -> str:
    """The command that asks for the same, with nothing of the user in it; options at their defaults are left out."""
    user = privacy.Redaction.of_user()
    several = len(explainers) > 1
    images = request.images if isinstance(request, Request) else ()
    command = ["xcnn", "explain" if several else explainers[0].name]
    named = ["--with", ",".join(explainer.name for explainer in explainers)] if several else []
    said: dict[str, list[str]] = {}
    for instance in (*explainers, request):
        for option in options.declared(type(instance)):
            value = getattr(instance, option.name)
            if not option.option.positional and value != option.default:
                said.setdefault(option.name, _flag(option, value, user))  # one flag serves all that have the option
    given, flags = [request.model, *images], [*named, *(word for flags in said.values() for word in flags)]
    # Behind "--" a name that begins with a dash is no flag; a dash alone is none anyway.
    dashed = any(word.startswith("-") and word != "-" for word in given)
    paths = [user.quoted(word, path=True) for word in given]
    return " ".join([*command, *flags, "--", *paths] if dashed else [*command, *paths, *flags])


def _flag(option: options.Declared, value: Any, user: privacy.Redaction) -> list[str]:
    """A flag and its value, quoted; once for each of several."""
    if option.type is bool:
        return [option.flag if value else f"--no-{option.name.replace('_', '-')}"]
    if option.many:
        values = [option.option.separator.join(value)] if option.option.separator else value
    else:
        values = [options.spelled(option, value)]
    # The path of a layer is none of a file.
    quoted = shlex.quote if option.option.completes == "layers" else partial(user.quoted, path=option.name == "out")
    return [word for one in values for word in (option.flag, quoted(one))]


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
