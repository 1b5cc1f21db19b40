"""The options of the commands that look at a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from xcnn import options
from xcnn.options import Option
from xcnn.request import REPORT_MAX_MB, Pictured, Settings

MODEL = Option("Model file (.keras, .h5, .hdf5, .json), or a name from: xcnn models.", metavar="MODEL", positional=True)
JSON = Option("Print JSON on standard output; errors, too.")


@dataclass(frozen=True, kw_only=True)
class LayersOptions(Settings):
    """The options of ``xcnn layers``."""

    model: Annotated[str, MODEL]
    spatial: Annotated[bool, Option("Only layers with a map, those that --layer takes.")] = False
    all: Annotated[bool, Option("Also what changes nothing, such as dropout.")] = False
    trace: Annotated[bool, Option("Load and run the model: every shape, and the layers picked by default.")] = False
    plot: Annotated[
        str | None, Option("Draw the architecture to this picture (.png); implies --trace.", metavar="FILE")
    ] = None
    json: Annotated[bool, JSON] = False


@dataclass(frozen=True, kw_only=True)
class PredictOptions(Pictured, Settings):
    """The options of ``xcnn predict``."""

    model: Annotated[str, MODEL]
    images: Annotated[
        tuple[str, ...],
        Option(
            "Pictures: files, globs, folders (their pictures), or - for one on standard input.",
            metavar="IMAGE...",
            positional=True,
        ),
    ] = ()
    top: Annotated[int, Option("How many of the best classes.", minimum=1, maximum=1000, metavar="N")] = 5
    out: Annotated[
        str | None, Option("Folder to make. Default: xcnn-out/predict, numbered.", short="-o", metavar="DIR")
    ] = None
    overwrite: Annotated[bool, Option("Replace the folder if xcnn wrote all that is in it.")] = False
    batch_size: Annotated[int, Option("Images computed at once.", minimum=1, maximum=4096, metavar="N")] = 16


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(Pictured, Settings):
    """The options of ``xcnn doctor``."""

    model: Annotated[str, MODEL]
    images: Annotated[
        tuple[str, ...],
        Option(
            "Pictures to predict under each preprocessing, - for one on standard input.",
            metavar="[IMAGE...]",
            positional=True,
        ),
    ] = ()
    write: Annotated[bool, Option("Write what was found to MODEL.xcnn.toml, which xcnn reads next time.")] = False
    overwrite: Annotated[bool, Option("With --write: replace that file.")] = False
    json: Annotated[bool, JSON] = False


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """The options of ``xcnn report``."""

    runs: Annotated[
        tuple[str, ...],
        Option("Folders of runs. The results of one picture come together.", metavar="RUN...", positional=True),
    ]
    out: Annotated[
        str | None, Option("Folder to make. Default: xcnn-out/report, numbered.", short="-o", metavar="DIR")
    ] = None
    overwrite: Annotated[bool, Option("Replace the folder if xcnn wrote all that is in it.")] = False
    report_max_mb: Annotated[float, REPORT_MAX_MB] = 25.0
    open: Annotated[bool, Option("Show the report in the browser; on a terminal only.")] = False

    def __post_init__(self) -> None:
        """Convert and check."""
        options.normalise(self)
