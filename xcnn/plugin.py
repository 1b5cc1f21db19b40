"""The plugin API: the only module of xcnn that a plugin needs.

An explainer asks a `Network` for NumPy arrays, computes, and returns panels of numbers. It opens no file, draws
nothing and imports neither Keras nor OpenCV. `maths` has the formulas that several methods share: weighted sums of
maps, enlarging, windows, fills, time budgets. A whole plugin is one class and one entry point::

    # pyproject.toml
    [project.entry-points."xcnn.explainers"]
    energy = "xcnn_energy:Energy"

    # xcnn_energy.py
    @dataclass(frozen=True, kw_only=True)
    class Energy(LayerExplainer):
        \"\"\"Show where a layer is active.\"\"\"

        name: ClassVar[str] = "energy"
        per_target: ClassVar[bool] = False

        def explain(self, network, batch):
            found = network.activations(batch.inputs, self.layer)
            maps = {path: (features**2).mean(axis=-1) for path, features in found.items()}
            return panels(maps, sign="positive", unit="energy")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pluggy

from xcnn import maths, options
from xcnn.backward import GradientRule, Step
from xcnn.errors import LayerError, MisfitError, OptionError
from xcnn.options import Option
from xcnn.panels import Attribution, Curve, Labels, Panel, Section, Table, Tiles
from xcnn.protocol import Batch, Contrast, Network, Patterns, Recipe, Top
from xcnn.values import (
    Choice,
    Failure,
    Image,
    Layer,
    NamedModel,
    Preprocessing,
    Rectifiers,
    Reference,
    Result,
    Run,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

__all__ = [
    "API_VERSION",
    "BUDGET",
    "FILL",
    "REDUCE",
    "RESUME",
    "Attribution",
    "BaseExplainer",
    "Batch",
    "Choice",
    "Contrast",
    "Curve",
    "Explainer",
    "Failure",
    "GradientRule",
    "Image",
    "Labels",
    "Layer",
    "LayerError",
    "LayerExplainer",
    "MisfitError",
    "ModelExplainer",
    "NamedModel",
    "Network",
    "Option",
    "OptionError",
    "Panel",
    "Patterns",
    "Preprocessing",
    "Recipe",
    "Rectifiers",
    "Reference",
    "Result",
    "Run",
    "Section",
    "Step",
    "Table",
    "Target",
    "Tiles",
    "Top",
    "check_fill",
    "hookimpl",
    "maths",
    "panels",
]

API_VERSION = "1.0"
"""The version of this module: MAJOR.MINOR, in the sense of semantic versioning.

A plugin says what it was built for: ``xcnn_api = "1.0"`` in its explainer class, or in the module of its hooks. It
works with every xcnn of the same MAJOR and the same or a later MINOR; a change that breaks plugins raises MAJOR, an
addition MINOR. One that says nothing is used as it is.
"""

hookimpl = pluggy.HookimplMarker("xcnn")
"""Marks a function or method of a plugin as the implementation of a hook in `xcnn.hookspecs`."""


REDUCE = Option(
    "How the colour channels become one map: max, the largest magnitude; mean, the mean magnitude; l2, the root of the "
    "sum of squares; signed, the sum with its sign.",
    choices=("max", "mean", "l2", "signed"),
)
"""The option ``reduce`` of explainers whose maps have a value per colour channel: see `maths.reduced`."""

BUDGET = Option(
    "Time for each picture, like 30s: coarse to fine, and the best map so far is shown.",
    metavar="TIME",
    unit="s",
    minimum=0,
    extends=True,
)
"""The option ``budget`` of explainers that run the network many times: see `maths.Budget`."""

FILL = Option("What hides: mean (the picture's mean colour), gray, black, blur or a colour like #8090a0.")
"""The option ``fill`` of explainers that hide parts of the picture: see `maths.filled`; check it by `check_fill`."""

RESUME = Option("Go on from the folder of an earlier run instead of starting anew.", metavar="RUN", extends=True)
"""The option ``resume`` of explainers that return a state: `Batch.earlier` gives them what that run left.

The earlier run must have had the same model and settings, and the same options but those that say ``extends``.
"""


def check_fill(fill: str, *more: str) -> None:
    """Refuse a value of the option ``fill`` that is none; for ``__post_init__``.

    Parameters
    ----------
    fill : str
        What the user wrote.
    *more : str
        Further words that the explainer itself knows.

    Raises
    ------
    OptionError
        Naming the accepted words.
    """
    if fill in more:
        return
    try:
        maths.check_fill(fill)
    except ValueError:
        hint = f"one of {', '.join((*more, *maths.FILLS))}"
        raise OptionError(f"--fill is {fill!r}", hint=hint) from None


class BaseExplainer:
    """What explainers of both kinds are: frozen keyword-only dataclasses whose fields are their options.

    The first line of the docstring is the summary in the help; the rest says what the picture shows and what it
    doesn't.
    """

    name: ClassVar[str]
    """The command."""
    title: ClassVar[str] = ""
    """What the method is called on pictures and in the report; "" for the name."""
    source: ClassVar[Reference | None] = None
    """The publication, shown in help and report."""
    xcnn_api: ClassVar[str] = ""
    """The `API_VERSION` that the class was written for."""

    def __post_init__(self) -> None:
        """Convert and check the options, so that Python and the command line accept the same."""
        options.normalise(self)

    def fits(self, network: Network) -> str | None:
        """Say why this explainer can't work on `network`; None when it can: when its layer can be picked."""
        try:
            self.picks(network)
        except (LayerError, MisfitError) as error:
            return error.message
        return None

    def picks(self, network: Network) -> Choice | None:  # noqa: ARG002 (for subclasses)
        """Tell the layer it looks at unless told otherwise, and why; None when it looks at none.

        Raises
        ------
        LayerError, MisfitError
            If the network has no such layer.
        """
        return None


class Explainer(BaseExplainer):
    """Base of explainers of pictures: fields annotated with `Option` are the options."""

    per_target: ClassVar[bool] = True
    """Whether the panels depend on the target; where they don't, an image has one result for all its targets."""

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Explain each row of the batch.

        Returns
        -------
        list of tuple of Panel
            One tuple per row, in order; one per image when the panels don't depend on the target.
        """
        raise NotImplementedError(f"{type(self).__name__} must define explain")

    def cost(self, network: Network) -> int:  # noqa: ARG002 (for subclasses)
        """How often the network runs, forward or backward, per row: what `xcnn doctor` estimates the time from."""
        return 2


@dataclass(frozen=True, kw_only=True)
class LayerExplainer(Explainer):
    """Base of explainers of pictures that look at layers, by default the last with a map; ``layer`` is an option."""

    layer: Annotated[
        tuple[str, ...],
        Option(
            "Layers to explain, nested ones as outer/inner; several with commas or a glob. Default: the last one "
            "with a map.",
            short="-l",
            metavar="PATH",
            separator=",",
            completes="layers",
        ),
    ] = ()

    def picks(self, network: Network) -> Choice:
        """Look at the last layer with a map."""
        return network.default_layer()


class ModelExplainer(BaseExplainer):
    """Base of explainers that need no picture: fields annotated with `Option` are the options."""

    def explain(
        self, network: Network, *, rng: np.random.Generator, progress: Callable[[int, int], None]
    ) -> tuple[Panel, ...]:
        """Explain the network; `rng` is the only source of random numbers, `progress` hears (done, total)."""
        raise NotImplementedError(f"{type(self).__name__} must define explain")


def panels(
    maps: Mapping[str, np.ndarray],
    *,
    sign: Literal["positive", "signed"],
    unit: str,
    notes: tuple[str, ...] = (),
    told: Mapping[str, Sequence[tuple[str, ...]]] | None = None,
    **more: Any,
) -> list[tuple[Panel, ...]]:
    """Turn one stack of maps per layer, each (rows, h, w), into one tuple of attributions per row.

    ``notes`` and ``more``, further fields of `Attribution`, are the same for all; ``told`` are notes of each map, by
    layer and row. A map of the pixels themselves has the layer "".
    """
    stacks = [
        [
            Attribution(
                values,
                sign=sign,
                unit=unit,
                layer=path,
                notes=(*notes, *(told[path][row] if told else ())),
                **more,
            )
            for row, values in enumerate(stack.astype("float32"))
        ]
        for path, stack in maps.items()
    ]
    return list(zip(*stacks, strict=True))
