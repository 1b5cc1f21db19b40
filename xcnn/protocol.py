"""What an explainer asks: a batch of images, and the network that answers in NumPy arrays."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from xcnn.backward import GradientRule
    from xcnn.values import Choice, Floats, Layer, Pixels, Rectifiers, Target


def _silent(done: int, total: int) -> None:
    """Hear nothing of the progress."""


def nothing(image: int, target: Target | None) -> Mapping[str, np.ndarray]:  # noqa: ARG001 (for others)
    """Find no earlier state."""
    return {}


@dataclass
class Batch:
    """The images of one pass and what is to be explained about them.

    A *row* is one target of one image: ``n`` images with ``k`` targets each make ``n * k`` rows, image by image. The
    rows of one image share its forward pass.
    """

    pixels: Pixels
    """(n, h, w, 3) uint8, resized to the network's input; (n, h, w, 4) for networks with four channels."""
    prepare: Callable[[Any], Floats]
    """Turns pixels, also fractions of them, into inputs: the network's preprocessing."""
    wanted: tuple[int | Top | Contrast, ...]
    """The targets asked for: class indices, `Top` for the network's own choice, and contrasts."""
    rng: np.random.Generator
    """The only source of random numbers."""
    progress: Callable[[int, int], None] = field(default=_silent)
    """Called by long explainers with the steps done and in all."""
    earlier: Callable[[int, Target | None], Mapping[str, np.ndarray]] = field(default=nothing)
    """What the run that the option `RESUME` names left in the ``state`` of the first map of an image and a target.

    Empty where nothing is to be resumed. The target is None for explainers whose panels don't depend on it.
    """
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

    def rows_of(self, image: int) -> slice:
        """Which rows are of one image, once a pass has told the targets."""
        each = len(self.targets or ()) // self.images
        return slice(image * each, (image + 1) * each)

    def points_of(self, image: int, count: int) -> Floats | None:
        """The place to explain in one image, for so many inputs that are made from it; None where there is no place."""
        return None if self.points is None else self.points[[image] * count]

    def slopes_of(self, image: int, network: Network) -> Callable[[Floats], Floats]:
        """Tell how to compute the gradients of the targets of one image by inputs that are made from it."""
        targets = (self.targets or ())[self.rows_of(image)]
        return lambda inputs: network.gradients(inputs, targets, self.points_of(image, len(inputs)))

    def progress_of(self, image: int, steps: int) -> Callable[[int], None]:
        """Tell how to report the steps that are done on one image, of as many for each."""
        return lambda done: self.progress(image * steps + done, self.images * steps)

    def rng_of(self, image: int) -> np.random.Generator:
        """Make random numbers for one image: the same whatever else is in the batch, and whoever else draws."""
        import numpy as np

        seeds: Any = self.rng.bit_generator.seed_seq
        return np.random.default_rng([*map(int, seeds.generate_state(4)), zlib.crc32(self.pixels[image].tobytes())])


@dataclass(frozen=True)
class Top:
    """The ``count`` classes with the highest scores."""

    count: int


@dataclass(frozen=True)
class Contrast:
    """The score of class ``plus`` less that of class ``minus``; without a ``plus``, what speaks against ``minus``."""

    plus: int | None
    minus: int


@dataclass(frozen=True)
class Recipe:
    """How patterns are found by gradient ascent on the input.

    ``kind`` is "fourier" (a decorrelated spectrum, Adam, small random shifts and scales) or "classic" (gray noise, the
    gradient divided by its root mean square). ``size`` is (height, width) in pixels; None for one that suits the layer.
    """

    kind: str = "fourier"
    size: tuple[int, int] | None = None
    steps: int | None = None
    """None for the recipe's own: 128, or 40 for the classic one."""
    precision: str = "float32"
    """Or "bfloat16", where the CPU has it."""


@dataclass(frozen=True, eq=False)
class Patterns:
    """What gradient ascent found: one picture per channel.

    ``pictures`` is (k, h, w, 3 or 1) float32: 0..1 for the fourier recipe, pixels 0..255 and beyond for the classic.
    ``losses`` is (k, steps): what was maximised, before each step. ``starts`` and ``activations`` are (k,): the mean
    activation over the map at the start and at the end. ``states`` are "", "dead" (nothing excites it, or it stayed
    silent) or "diverged"; ``names`` are those of the classes where the channels are classes, else "".
    """

    pictures: Floats
    losses: Floats
    starts: Floats
    activations: Floats
    channels: tuple[int, ...]
    names: tuple[str, ...]
    states: tuple[str, ...]
    notes: tuple[str, ...] = ()


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

    @property
    def colours(self) -> Literal["rgb", "bgr"]:
        """The order in which it receives the colours, where it has three channels."""

    # --- what it is --------------------------------------------------------------------------------------------------

    def layers(self) -> tuple[Layer, ...]:
        """List every call of every layer in execution order, nested ones as ``outer/inner``."""

    def layer(self, path: str) -> Layer:
        """Find one layer, with or without a map, by its path or by a bare name that only one has.

        Raises
        ------
        LayerError
            If there is none, or several.
        """

    def maps(self) -> tuple[Layer, ...]:
        """List the leaf layers that make a map of more than one position which the scores depend on."""

    def default_layer(self) -> Choice:
        """Pick the last leaf layer whose map has more than one position.

        Raises
        ------
        LayerError
            If there is none.
        """

    def pooled(self) -> tuple[str, ...]:
        """The layers whose maps are averaged and then only weighed linearly, as class activation mapping needs.

        Raises
        ------
        MisfitError
            Saying what the head is, if it is another one.
        """

    def rectifiers(self) -> Rectifiers:
        """Count the non-linearities that guided rules act on, and the others."""

    def kernels(self, layer: str) -> Floats:
        """The weights of a convolution, (height, width, channels in, channels out).

        Raises LayerError for a layer that is unknown or no convolution.
        """

    def about(self) -> dict[str, Any]:
        """Describe the network for run.json; "versions" in it joins the run's."""

    # --- what it computes --------------------------------------------------------------------------------------------

    def batch(self, pictures: Sequence[Pixels], wanted: Sequence[str], rng: np.random.Generator) -> Batch:
        """Resize pictures, each (h, w, 3 or 4) uint8, and make them a batch with the targets asked for."""

    def predict(self, batch: Batch) -> None:
        """Fill the scores and targets of a batch, unless a pass has done so."""

    def best(self, batch: Batch, count: int) -> list[tuple[Target, ...]]:
        """Describe the `count` best classes of each image of a batch."""

    def label(self, index: int) -> str:
        """The name of a class."""

    def scores(
        self, inputs: Floats, points: Floats | None = None, *, replace: Mapping[str, Floats] | None = None
    ) -> Floats:
        """Compute the class scores, (n, classes): logits where the network has them.

        ``points`` is (n, 2) as in `Batch`; inputs made from an image of a batch have its point. ``replace`` edits
        activations: the layers it names hand on these arrays, (n, ...) as their shape says, instead of what they
        computed, and what only they needed is not computed at all. Raises LayerError for a layer that is unknown, that
        the scores do not depend on, or whose output has another shape.
        """

    def activations(self, inputs: Floats, layers: Sequence[str]) -> Mapping[str, Floats]:
        """Compute the outputs of layers, each (n, h, w, c).

        No layer means the default one. Raises LayerError for one that is unknown or has no spatial output.
        """

    def layer_gradients(
        self, batch: Batch, layers: Sequence[str], rule: str | GradientRule = "plain"
    ) -> Mapping[str, tuple[Floats, Floats]]:
        """Compute features and the gradients of each row's score by them, each (rows, h, w, c).

        One forward pass per image; fills ``batch.scores`` and ``batch.targets``. No layer means the default one.
        ``rule`` is as in `input_gradients`: what it says of steps behind a layer changes that layer's gradients.
        Raises LayerError for a layer that is unknown, has no spatial output or does not influence the score.
        """

    def input_gradients(self, batch: Batch, rule: str | GradientRule = "plain") -> Floats:
        """Compute the gradients of each row's score by the input, (rows, h, w, c).

        ``rule`` is "plain", "guided", "deconv", the name of one that a plugin brings, or a rule itself. One forward
        pass per image; fills ``batch.scores`` and ``batch.targets``. Raises MisfitError where the rule can't be
        followed, which `lacks` tells beforehand.
        """

    def lacks(self, rule: str | GradientRule) -> str | None:
        """Say what the network lacks for a rule of gradients; None when nothing."""

    def gradients(self, inputs: Floats, targets: Sequence[Target], points: Floats | None = None) -> Floats:
        """Compute the gradients of targets by given inputs, (n, targets, h, w, c).

        For methods that change the input while the targets stay what they were on the image.
        """

    def ascend(
        self,
        layer: str,
        channels: Sequence[int | str],
        recipe: Recipe,
        *,
        rng: np.random.Generator,
        progress: Callable[[int, int], None],
    ) -> Patterns:
        """Find the inputs that excite channels of a layer most, by gradient ascent; the layer may be the scores: "".

        Channels of the layer that makes the scores may be class names. Raises LayerError for a layer or channel that
        does not exist, OptionError and TargetError for names that are no classes.
        """
