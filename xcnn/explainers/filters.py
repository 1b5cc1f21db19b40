"""Filter patterns: the pictures that excite the channels of a layer most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xcnn import maths
from xcnn.errors import LayerError, OptionError
from xcnn.plugin import Curve, ModelExplainer, Option, Recipe, Reference, Table, Tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xcnn.plugin import Choice, Network, Panel, Patterns

QUICK = 8
"""How many steps all channels of a layer go before the top ones are chosen."""
GRID = (8, 8)


@dataclass(frozen=True, kw_only=True)
class Filters(ModelExplainer):
    """Find the pictures that excite the channels of a layer, or the score of a class, most.

    Shows what a channel responds to most strongly, not all that it responds to, and not whether any picture of the
    world has it. Each picture starts from noise and follows the gradient of the channel's mean activation.
    """

    name: ClassVar[str] = "filters"
    title: ClassVar[str] = "Filter patterns"
    source: ClassVar[Reference] = Reference(
        "Olah et al.", 2017, "Feature Visualization", "https://doi.org/10.23915/distill.00007"
    )

    layer: Annotated[
        str,
        Option(
            "Layer whose channels are excited, nested as outer/inner; any kind, also the one that makes the scores. "
            "Default: the last spatial layer.",
            short="-l",
            metavar="PATH",
            completes="layers",
        ),
    ] = ""
    channels: Annotated[
        tuple[str, ...],
        Option(
            "Channels: numbers and ranges as 0,5,17 or 0-63; class names where the layer makes the scores; or top, "
            f"for those that rise highest within {QUICK} steps. Default: the first ones.",
            separator=",",
        ),
    ] = ()
    grid: Annotated[
        tuple[int, int] | None,
        Option("Rows and columns of patterns. Default: 8x8.", metavar="ROWSxCOLUMNS", separator="x", minimum=1),
    ] = None
    size: Annotated[
        tuple[int, int] | None,
        Option(
            "Height and width of each pattern. Default: a few positions of the layer, up to the network's own size.",
            metavar="HxW",
            unit="px",
            separator="x",
            minimum=1,
            maximum=4096,
        ),
    ] = None
    steps: Annotated[int | None, Option("Steps of ascent. Default: 128, or 40 for classic.", minimum=1)] = None
    recipe: Annotated[
        str,
        Option(
            "Decorrelated spectrum, Adam, random shifts and scales (fourier), or gray noise and normalised gradients "
            "(classic).",
            choices=("fourier", "classic"),
        ),
    ] = "fourier"
    precision: Annotated[
        str, Option("What the network computes in; bfloat16 where the CPU has it.", choices=("float32", "bfloat16"))
    ] = "float32"

    def picks(self, network: Network) -> Choice | None:
        """Look at the last layer with a map."""
        return None if self.layer else network.default_layer()

    def explain(self, network: Network, *, rng: Any, progress: Callable[[int, int], None]) -> tuple[Panel, ...]:
        """Ascend all patterns and tell how it went."""
        layer = network.layer(self.layer or network.default_layer().value)
        count = layer.shape[-1] if layer.shape else 0
        if not count:
            raise LayerError(f"layer {layer.path!r} ({layer.kind}) has no channels", hint="choose another layer")

        def ascended(channels: Sequence[int | str], steps: int | None) -> Patterns:
            recipe = Recipe(self.recipe, self.size, steps, self.precision)
            return network.ascend(layer.path, channels, recipe, rng=rng, progress=progress)

        rows, columns = self.grid or GRID
        wanted: Sequence[int | str] = list(range(min(rows * columns, count)))
        notes: list[str] = []
        if self.channels == ("top",):
            tried = ascended(range(count), QUICK)
            wanted = _highest(tried, rows * columns)
            alive = "those whose activation rises highest" if not all(tried.states) else "the first: none is alive"
            notes.append(f"of {_channels(count)}, {alive} within {QUICK} steps")
        elif self.channels:
            wanted = _wanted(self.channels, count)
        if self.grid and len(wanted) < rows * columns and not self.channels:
            notes.append(f"{rows}x{columns} patterns were asked for, but the layer has only {_channels(count)}")
        if self.grid and len(wanted) > rows * columns:
            notes.append(
                f"{_channels(len(wanted))} were named, more than a grid of {rows}x{columns} holds: all are shown"
            )
        return self._panels(ascended(wanted, self.steps), layer.path, tuple(notes))

    def _panels(self, found: Patterns, layer: str, notes: tuple[str, ...]) -> tuple[Panel, ...]:
        captions = tuple(name or str(one) for one, name in zip(found.channels, found.names, strict=True))
        pictures = found.pictures if found.pictures.shape[-1] > 1 else found.pictures.repeat(3, axis=-1)
        tiles = Tiles(
            pictures,
            captions=captions,
            sign="signed",
            unit="pixel",
            scale="picture" if self.recipe == "fourier" else "standard",
            deviation=0.1,
            layer=layer,
            columns=min((self.grid or GRID)[1], len(captions)),
            margin=5,
            marks=found.states if any(found.states) else (),
            notes=(*notes, *_bad(found), *found.notes),
        )
        rows = tuple(
            (caption, *(float(end) if end == end else "" for end in ends), state or "alive")  # noqa: PLR0124 (not NaN)
            for caption, *ends, state in zip(captions, found.starts, found.activations, found.states, strict=True)
        )
        table = Table("patterns", ("channel", "activation at start", "at end", "state"), rows, layer=layer)
        return (tiles, *_curves(found, captions, layer), table)


def _highest(found: Patterns, most: int) -> list[int]:
    """The channels of the largest activations, in order of their numbers."""
    alive = [row for row, state in enumerate(found.states) if not state]
    best = sorted(alive, key=lambda row: -found.activations[row])[:most]
    return sorted(found.channels[row] for row in best) or list(found.channels[:most])


def _bad(found: Patterns) -> tuple[str, ...]:
    """Say how many patterns are none."""
    every = len(found.states)
    counts = {state: found.states.count(state) for state in ("dead", "diverged")}
    words = {"dead": "dead: nothing excites them", "diverged": "diverged: the model computes NaN or infinity"}
    return tuple(f"{count} of {_channels(every)}: {words[state]}" for state, count in counts.items() if count)


def _channels(count: int) -> str:
    return f"{count} channel{'' if count == 1 else 's'}"


def _wanted(words: Sequence[str], count: int) -> list[int | str]:
    """Numbers and ranges as channels; other words are names for the network to find."""
    found: dict[int | str, None] = {}
    for word in words:
        if re.fullmatch(r"\d+(\s*-\s*\d+)?", word):
            try:
                found |= dict.fromkeys(maths.numbered([word], count))
            except ValueError as error:
                raise OptionError(f"--channels: {error}") from None
        else:
            found[word] = None
    return list(found)


def _curves(found: Patterns, captions: Sequence[str], layer: str) -> tuple[Curve, ...]:
    """What was maximised over the steps, channel by channel; one that diverged has no numbers to draw."""
    series = {captions[row]: found.losses[row] for row, state in enumerate(found.states) if state != "diverged"}
    if not series:
        return ()
    return (Curve("ascent", series, x="step", y="activation that is maximised", layer=layer),)
