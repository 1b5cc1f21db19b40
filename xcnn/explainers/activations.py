"""Activations: the feature maps of layers, as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from xcnn import maths
from xcnn.plugin import Explainer, Option, Reference, Tiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.plugin import Batch, Network, Panel

SCALES: dict[str, Literal["each", "shared", "standard"]] = {
    "classic": "standard",
    "channel": "each",
    "layer": "shared",
}


@dataclass(frozen=True, kw_only=True)
class Activations(Explainer):
    """Show what each channel of a layer makes of the picture.

    One tile per channel, and the strongest channels over the picture. It shows what a layer responds to, not what the
    response does to a class score.
    """

    name: ClassVar[str] = "activations"
    title: ClassVar[str] = "Feature maps"
    source: ClassVar[Reference] = Reference(
        "Yosinski et al.",
        2015,
        "Understanding Neural Networks Through Deep Visualization",
        "https://arxiv.org/abs/1506.06579",
    )
    per_target: ClassVar[bool] = False

    layer: Annotated[
        tuple[str, ...],
        Option(
            "Layers to show, nested ones as outer/inner; several with commas or a glob. "
            "Default: the first layers with maps.",
            short="-l",
            metavar="PATH",
            separator=",",
            completes="layers",
        ),
    ] = ()
    max_layers: Annotated[int, Option("How many layers are shown unless --layer names some.", minimum=1)] = 8
    columns: Annotated[int, Option("How many channels stand side by side.", minimum=1)] = 16
    scaling: Annotated[
        str,
        Option(
            "What the colours of a channel span: its own spread around its mean (classic), its own 0 to largest value "
            "(channel), or that of the whole layer, so that channels compare (layer).",
            choices=tuple(SCALES),
        ),
    ] = "classic"
    strongest: Annotated[
        int, Option("How many of the channels with the largest mean are shown over the picture.", minimum=0)
    ] = 6

    def fits(self, network: Network) -> str | None:
        """It needs a layer with a map."""
        return None if network.maps() else f"{network.name} has no layer with a map of more than one position"

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """One pass, whatever the targets."""
        return 1

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Show the layers' own outputs, one tuple per image."""
        every = [layer.path for layer in network.maps()]
        found = network.activations(batch.inputs, self.layer or every[: self.max_layers])
        missing = len(every) - self.max_layers if not self.layer else 0
        left = (f"{missing} more layers with maps are not shown: choose some with --layer",) if missing > 0 else ()
        return [
            tuple(
                panel
                for place, (path, maps) in enumerate(found.items())
                for panel in self._panels(path, maps[image], left if place == 0 else ())
            )
            for image in range(batch.images)
        ]

    def _panels(self, path: str, maps: Any, notes: tuple[str, ...]) -> Iterator[Tiles]:
        """All channels of a layer, then the strongest."""
        tiles = maps.transpose(2, 0, 1)
        sign: Literal["positive", "signed"] = "signed" if (maps < 0).any() else "positive"
        dead = maths.constant_channels(maps)
        yield Tiles(
            tiles,
            captions=tuple(str(channel) for channel in range(len(tiles))),
            sign=sign,
            unit="activation",
            scale=SCALES[self.scaling],
            layer=path,
            columns=min(self.columns, len(tiles)),
            marks=tuple("dead" if one else "" for one in dead) if any(dead) else (),
            notes=(*notes, *_dead(dead)),
        )
        best = [channel for channel in maths.strongest(maps, self.strongest) if not dead[channel]]
        if best:
            yield Tiles(
                tiles[best],
                captions=tuple(map(str, best)),
                sign=sign,
                unit="activation",
                layer=path,
                title="strongest channels",
                columns=min(6, len(best)),
                overlaid=True,
            )


def _dead(dead: list[bool]) -> tuple[str, ...]:
    """Say how many channels are dead, if any are."""
    count = sum(dead)
    if not count:
        return ()
    return (
        f"{count} of {len(dead)} channels {'is' if count == 1 else 'are'} dead on this picture: one value everywhere",
    )
