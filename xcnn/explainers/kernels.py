"""Kernels: the raw weights of convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from xcnn import maths
from xcnn.errors import LayerError, OptionError
from xcnn.plugin import Choice, ModelExplainer, Option, Reference, Tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xcnn.plugin import Network, Panel

COLOURS = 3
ROOM = 16
"""How many output and input channels are shown, each, where all of them would be more than ROOM x ROOM tiles."""
SCALES: dict[str, Literal["each", "shared"]] = {"kernel": "each", "layer": "shared"}


@dataclass(frozen=True, kw_only=True)
class Kernels(ModelExplainer):
    """Show the weights that a convolution has learned.

    In colour where it looks at the three colours of a picture, else one tile per pair of output and input channel.
    Zero is the middle of the scale. Kernels beyond the first layers weigh features and are hard to read.
    """

    name: ClassVar[str] = "kernels"
    title: ClassVar[str] = "Kernels"
    source: ClassVar[Reference] = Reference(
        "Krizhevsky et al.",
        2012,
        "ImageNet Classification with Deep Convolutional Neural Networks",
        "https://doi.org/10.1145/3065386",
    )

    layer: Annotated[
        tuple[str, ...],
        Option(
            "Convolutions to show, nested ones as outer/inner; several with commas. Default: the first.",
            short="-l",
            metavar="PATH",
            separator=",",
            completes="layers",
        ),
    ] = ()
    channels: Annotated[
        tuple[str, ...], Option("Output channels to show, as 0,5,17 or 0-63. Default: all that fit.", separator=",")
    ] = ()
    in_channels: Annotated[
        tuple[str, ...],
        Option(
            "Input channels to show, where they are no colours, as 0,5 or 0-7. Default: all that fit.", separator=","
        ),
    ] = ()
    scaling: Annotated[
        str,
        Option(
            "What the colours of a tile span: its own weights (kernel), or all that are shown (layer).",
            choices=tuple(SCALES),
        ),
    ] = "kernel"

    def picks(self, network: Network) -> Choice:
        """Look at the first convolution in execution order."""
        for layer in network.layers():
            if layer.leaf:
                try:
                    network.kernels(layer.path)
                except LayerError:
                    continue
                return Choice(layer.path, "the first convolution")
        raise LayerError(f"{network.name} has no convolution")

    def explain(
        self,
        network: Network,
        *,
        rng: Any,  # noqa: ARG002 (nothing is random)
        progress: Callable[[int, int], None],
    ) -> tuple[Panel, ...]:
        """Read the weights of each layer."""
        layers = self.layer or (self.picks(network).value,)
        found: list[Panel] = []
        for path in layers:
            found.append(self._tiles(path, network.kernels(path), network.colours))
            progress(len(found), len(layers))
        return tuple(found)

    def _tiles(self, path: str, kernels: Any, colours: str) -> Tiles:
        height, width, inputs, outputs = kernels.shape
        in_colour = inputs == COLOURS and not self.in_channels
        roomy = in_colour or height * width == 1
        outs = self._chosen("channels", outputs, most=outputs if roomy else max(ROOM, ROOM**2 // inputs))
        ins = self._chosen("in_channels", inputs, most=inputs if roomy else max(ROOM, ROOM**2 // len(outs)))
        notes = [
            f"{len(some)} of {every} {what} channels are shown: choose others with --{name}"
            for some, every, what, name in (
                (outs, outputs, "output", "channels"),
                (ins, inputs, "input", "in-channels"),
            )
            if len(some) < every
        ]
        shown = kernels[:, :, ins][..., outs]
        if in_colour:
            tiles = shown.transpose(3, 0, 1, 2)[..., :: -1 if colours == "bgr" else 1]
            captions = [str(out) for out in outs]
            notes.append(f"red, green and blue are input channels {'2, 1 and 0' if colours == 'bgr' else '0, 1 and 2'}")
        elif height * width == 1:
            tiles, captions = shown[0, 0].T[None], [f"{len(outs)} x {len(ins)}"]
            notes.append("a 1x1 convolution: each row is an output channel, each column an input channel")
        else:
            tiles = shown.transpose(3, 2, 0, 1).reshape(-1, height, width)
            captions = [f"{out}/{one}" if outputs > 1 else str(one) for out in outs for one in ins]
            notes.append("output/input channel" if outputs > 1 else "one kernel per input channel")
        zero = [not tile.any() for tile in tiles]
        return Tiles(
            tiles,
            captions=tuple(captions),
            marks=tuple("zero" if one else "" for one in zero) if any(zero) else (),
            sign="signed",
            unit="weight",
            scale=SCALES[self.scaling],
            layer=path,
            columns=0 if in_colour or min(len(ins), len(outs)) == 1 else len(ins),
            notes=tuple(notes),
        )

    def _chosen(self, name: str, count: int, *, most: int) -> list[int]:
        """The channels that are asked for; without, the first `most`."""
        words: Sequence[str] = getattr(self, name)
        try:
            return maths.numbered(words, count) if words else list(range(min(most, count)))
        except ValueError as error:
            raise OptionError(f"--{name.replace('_', '-')}: {error}") from None
