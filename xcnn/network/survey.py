"""What the first trace tells about a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.network import affine, pooling, rectifiers, trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.network.heads import Head
    from xcnn.plugin import Layer, Rectifiers


@dataclass
class Forward:
    """One forward pass inside a trace: what went in, what each layer returned, the logits and the class scores."""

    pixels: Any
    taps: Mapping[str, trace.Tap]
    scored: Any
    logits: Any


@dataclass(frozen=True)
class Survey:
    """What the first trace told about a model.

    ``used`` are the paths of the layers that the scores depend on, ``first`` of those whose maps have the channels
    first. ``outputs`` are the names of all outputs, ``output`` the one explained. ``arithmetic`` are the ops between
    the pixels and the first convolution, ``affine`` what they do, None where it is more than a scale and an offset.
    ``objects`` are the layers of the model by path. ``forward`` is the pass itself.
    """

    layers: tuple[Layer, ...]
    used: frozenset[str]
    first: frozenset[str]
    head: Head
    outputs: tuple[str, ...]
    output: str
    arithmetic: tuple[str, ...]
    affine: affine.Affine | None
    pooling: pooling.Pooling
    rectifiers: Rectifiers
    objects: Mapping[str, Any]
    notes: tuple[str, ...]
    forward: Forward

    @classmethod
    def of(cls, forward: Forward, taps: trace.Taps, *, outputs: tuple[str, ...], output: str) -> Survey:
        """Look at a trace while it is being made."""
        pixels, named, logits, head = forward.pixels, forward.taps, forward.logits, forward.scored.head
        graph = pixels.graph
        ops = trace.depends_on(logits)
        hidden = trace.opaque_calls(graph)
        received = affine.first_received(pixels)
        return cls(
            layers=taps.layers(),
            used=frozenset(path for path, tap in named.items() if _is_among(tap.tensor, ops)),
            first=taps.channels_first(),
            head=head,
            outputs=outputs,
            output=output,
            arithmetic=tuple(trace.arithmetic_before(pixels, received, taps)),
            affine=None if received is None else affine.affine(pixels, received, learned=affine.learned(taps)),
            pooling=pooling.pooling(pixels, logits, named, first=taps.channels_first()),
            rectifiers=rectifiers.find(logits).counts,
            objects={path: tap.layer for path, tap in named.items()},
            notes=(f"layers inside {', '.join(hidden[:3])} can't be explained",) if hidden else (),
            forward=forward,
        )

    def shape(self, path: str) -> tuple[int | None, ...]:
        """The shape of what a layer returns as the model makes it: batch first, channels where the layer has them."""
        sides = next(layer.shape for layer in self.layers if layer.path == path)
        return (None, sides[-1], *sides[:-1]) if path in self.first else (None, *sides)


def _is_among(tensor: Any, ops: set[str]) -> bool:
    return getattr(getattr(tensor, "op", None), "name", None) in ops
