"""The plugin API: the only module of xcnn that a plugin needs.

An explainer asks a `Network` for NumPy arrays, computes, and returns panels of numbers. It opens no file, draws
nothing and imports neither Keras nor OpenCV. A whole plugin is one class and one entry point::

    # pyproject.toml
    [project.entry-points."xcnn.explainers"]
    energy = "xcnn_energy:Energy"

    # xcnn_energy.py
    @dataclass(frozen=True, kw_only=True)
    class Energy(Explainer):
        \"\"\"Show where a layer is active.\"\"\"

        name: ClassVar[str] = "energy"
        layer: Annotated[tuple[str, ...], Option("Layers to show.", separator=",")] = ()

        def explain(self, network, batch):
            found = network.layer_gradients(batch, self.layer)
            maps = {path: (features**2).mean(axis=-1) for path, (features, gradients) in found.items()}
            return panels(maps, sign="positive", unit="energy")
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import pluggy

from xcnn import options
from xcnn.options import Option
from xcnn.values import (
    Attribution,
    Choice,
    Failure,
    Image,
    Layer,
    NamedModel,
    Panel,
    Preprocessing,
    Reference,
    Result,
    Run,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from xcnn.values import Floats, Pixels

__all__ = [
    "Attribution",
    "Batch",
    "Choice",
    "Explainer",
    "Failure",
    "Image",
    "Layer",
    "NamedModel",
    "Network",
    "Option",
    "Panel",
    "Preprocessing",
    "Reference",
    "Result",
    "Run",
    "Target",
    "hookimpl",
    "panels",
]

hookimpl = pluggy.HookimplMarker("xcnn")
"""Marks a function or method of a plugin as the implementation of a hook in `xcnn.hookspecs`."""


def _silent(done: int, total: int) -> None:
    """Hear nothing of the progress."""


@dataclass
class Batch:
    """The images of one pass and what is to be explained about them.

    A *row* is one target of one image: ``n`` images with ``k`` targets each make ``n * k`` rows, image by image. The
    rows of one image share its forward pass.
    """

    pixels: Pixels
    """(n, h, w, 3) uint8, resized to the network's input; (n, h, w, 4) for networks with four channels."""
    prepare: Callable[[Pixels], Floats]
    """Turns pixels into inputs: the network's preprocessing."""
    wanted: tuple[int | Top | Contrast, ...]
    """The targets asked for: class indices, `Top` for the network's own choice, and contrasts."""
    rng: np.random.Generator
    """The only source of random numbers."""
    progress: Callable[[int, int], None] = field(default=_silent)
    """Called by long explainers with the steps done and in all."""
    scores: Floats | None = None
    """(n, classes) float32, once a pass has computed them."""
    targets: tuple[Target, ...] | None = None
    """One per row, once a pass has computed the scores."""
    points: Floats | None = None
    """(n, 2) float32: for networks of maps, the place to explain in each image as fractions of height and width."""
    areas: Floats | None = None
    """(n, classes) float32: for networks of maps, how much of each image is predicted to be of each class."""

    @cached_property
    def inputs(self) -> Floats:
        """(n, h, w, c) float32: what the network receives."""
        return self.prepare(self.pixels)

    @property
    def images(self) -> int:
        """How many images there are."""
        return len(self.pixels)


@dataclass(frozen=True)
class Top:
    """The ``count`` classes with the highest scores."""

    count: int


@dataclass(frozen=True)
class Contrast:
    """The score of class ``plus`` less that of class ``minus``; without a ``plus``, what speaks against ``minus``."""

    plus: int | None
    minus: int


class Network(Protocol):
    """A trained image model as explainers see it: NumPy in, NumPy out, float32, channels last."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know to trust the results."""

    @property
    def input_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width (None when any will do) and channels."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width that pictures are resized to."""

    def layers(self) -> tuple[Layer, ...]:
        """List every call of every layer in execution order, nested ones as ``outer/inner``."""

    def default_layer(self) -> Choice:
        """Pick the last leaf layer whose map has more than one position.

        Raises
        ------
        LayerError
            If there is none.
        """

    def scores(self, inputs: Floats) -> Floats:
        """Compute the class scores, (n, classes): logits where the network has them."""

    def activations(self, inputs: Floats, layers: Sequence[str]) -> Mapping[str, Floats]:
        """Compute the outputs of layers, each (n, h, w, c).

        No layer means the default one. Raises LayerError for one that is unknown or has no spatial output.
        """

    def layer_gradients(self, batch: Batch, layers: Sequence[str]) -> Mapping[str, tuple[Floats, Floats]]:
        """Compute features and the gradients of each row's score by them, each (rows, h, w, c).

        One forward pass per image; fills ``batch.scores`` and ``batch.targets``. No layer means the default one.
        Raises LayerError for one that is unknown, has no spatial output or does not influence the score.
        """

    def input_gradients(self, batch: Batch) -> Floats:
        """Compute the gradients of each row's score by the input, (rows, h, w, c).

        One forward pass per image; fills ``batch.scores`` and ``batch.targets``.
        """

    def batch(self, pictures: Sequence[Pixels], wanted: Sequence[str], rng: np.random.Generator) -> Batch:
        """Resize pictures, each (h, w, 3 or 4) uint8, and make them a batch with the targets asked for."""

    def predict(self, batch: Batch) -> None:
        """Fill the scores and targets of a batch, unless a pass has done so."""

    def best(self, batch: Batch, count: int) -> list[tuple[Target, ...]]:
        """Describe the `count` best classes of each image of a batch."""

    def about(self) -> dict[str, Any]:
        """Describe the network for run.json; "versions" in it joins the run's."""


class Explainer:
    """Base of explainers: a frozen keyword-only dataclass whose fields, annotated with `Option`, are its options.

    The first line of the docstring is the summary in the help; the rest says what the picture shows and what it
    doesn't.
    """

    name: ClassVar[str]
    """The command."""
    source: ClassVar[Reference | None] = None
    """The publication, shown in help and report."""

    def __post_init__(self) -> None:
        """Convert and check the options, so that Python and the command line accept the same."""
        options.normalise(self)

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Explain each row of the batch.

        Returns
        -------
        list of tuple of Panel
            One tuple per row, in order.
        """
        raise NotImplementedError(f"{type(self).__name__} must define explain")

    def fits(self, network: Network) -> str | None:  # noqa: ARG002 (for subclasses)
        """Say why this explainer can't work on `network`; None when it can."""
        return None

    def picks(self, network: Network) -> Choice | None:  # noqa: ARG002 (for subclasses)
        """Tell the layer it looks at unless told otherwise, and why; None when it looks at none."""
        return None

    def cost(self, network: Network) -> int:  # noqa: ARG002 (for subclasses)
        """How often the network runs, forward or backward, per row: what `xcnn doctor` estimates the time from."""
        return 2


def panels(
    maps: Mapping[str, np.ndarray], *, sign: Literal["positive", "signed"], unit: str
) -> list[tuple[Panel, ...]]:
    """Turn one stack of maps per layer, each (rows, h, w), into one tuple of attributions per row."""
    stacks = [
        [Attribution(values, sign=sign, unit=unit, layer=path) for values in stack.astype("float32")]
        for path, stack in maps.items()
    ]
    return list(zip(*stacks, strict=True))
