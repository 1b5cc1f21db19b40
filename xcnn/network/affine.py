"""What a model does to pixels before its first convolution, read from a trace as one scale and offset per channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.network.affine_ops import NotAffineError
from xcnn.network.affine_walk import Walk
from xcnn.network.trace import CONVOLUTIONS, LEARNED, depends_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.network.trace import Taps

RAW_SPAN = 260.0
"""The widest range that a network is fed in practice: that of pixels, and a little for roundings."""
EXACT = 0.01


@dataclass(frozen=True)
class Affine:
    """``received[..., k] = input[..., channels[k]] * scale[k] + offset[k]``."""

    channels: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]

    @property
    def identity(self) -> bool:
        """Whether the input arrives as it is."""
        return self.plain and self.channels == tuple(range(len(self.channels)))

    @property
    def plain(self) -> bool:
        """Whether the values arrive as they are, perhaps in another order of the channels."""
        return set(self.scale) == {1.0} and set(self.offset) == {0.0}

    @property
    def order(self) -> str:
        """What the channels of an RGB picture become: "rgb", "bgr", or "" for anything else."""
        names: dict[tuple[int, ...], str] = {(0, 1, 2): "rgb", (2, 1, 0): "bgr"}
        return names.get(self.channels, "")


def affine(source: Any, tensor: Any, *, learned: Mapping[str, Any] | None = None) -> Affine | None:
    """Walk back from what the first convolution receives to the model's input.

    Parameters
    ----------
    source : tf.Tensor
        The placeholder of the input, (n, h, w, c), inside the traced graph.
    tensor : tf.Tensor
        A tensor of the same graph, as from `first_received`.
    learned : mapping of str to tf.Tensor
        What layers with learned arithmetic received, by the name of the op that they end with; they are passed over.
        See `learned`.

    Returns
    -------
    Affine or None
        None when the tensor depends on the input in another way.
    """
    try:
        found = Walk(source, learned or {}).back(tensor)
    except (NotAffineError, RecursionError):  # the latter: a constant computed in a thousand steps
        return None
    return Affine(
        tuple(int(channel) for channel in found.channels),
        tuple(float(number) for number in found.scale),
        tuple(float(number) for number in found.offset),
    )


def first_received(source: Any) -> Any | None:
    """What the first convolution that depends on a tensor receives; None when there is none."""
    return next(
        (
            op.inputs[0]
            for op in source.graph.get_operations()
            if op.type in CONVOLUTIONS and source.op.name in depends_on(op.inputs[0])
        ),
        None,
    )


def learned(taps: Taps) -> dict[str, Any]:
    """What the layers with learned arithmetic received, by the name of the op that they end with."""
    return {
        tap.tensor.op.name: tap.received
        for tap in taps.calls
        if tap.kind in LEARNED and hasattr(tap.tensor, "op") and hasattr(tap.received, "op")
    }


def range_received(found: Affine, low: float, high: float) -> tuple[tuple[float, float], ...]:
    """What values low..high of the input become, the least and the largest of each channel.

    Examples
    --------
    >>> range_received(Affine((0, 1), (2.0, -1.0), (-1.0, 0.0)), 0, 1)
    ((-1.0, 1.0), (-1.0, 0.0))
    """
    ends = [
        (low * scale + offset, high * scale + offset) for scale, offset in zip(found.scale, found.offset, strict=True)
    ]
    return tuple((min(pair), max(pair)) for pair in ends)


def verdict(found: Affine) -> tuple[str, str]:
    """Decide what input a model expects from the arithmetic it does itself.

    Returns
    -------
    mode, reason
        "none" (raw pixels), "unit" (0..1) or "tf" (-1..1); "" when the arithmetic does not tell.

    Examples
    --------
    >>> verdict(Affine((0,), (1 / 127.5,), (-1.0,)))
    ('none', 'the model scales pixels itself: 0..255 reaches the first convolution as -1..1')
    """
    if found.plain:
        flipped = "" if found.identity else " in another order"
        return "", f"the first convolution receives the channels{flipped} with their values as they are"
    raw, unit, signed = (range_received(found, *ends) for ends in ((0, 255), (0, 1), (-1, 1)))
    if _is(signed, (0, 255)) or _is(signed, (0, 1)):
        return "tf", f"the model turns -1..1 into {_words(signed)} before its first convolution"
    if not _span(raw):
        return "", f"the first convolution receives {_words(raw)} whatever the pixels are"
    if _span(raw) <= RAW_SPAN:
        return "none", f"the model scales pixels itself: 0..255 reaches the first convolution as {_words(raw)}"
    would = f"0..255 would reach it as {_words(raw)}"
    if _span(unit) <= RAW_SPAN:
        return "unit", f"the model expects 0..1, which reaches its first convolution as {_words(unit)}; {would}"
    return "", f"the first convolution would receive {_words(raw)} for 0..255 and {_words(unit)} for 0..1"


def _span(ranges: Sequence[tuple[float, float]]) -> float:
    return max(high - low for low, high in ranges)


def _is(ranges: Sequence[tuple[float, float]], wanted: tuple[float, float]) -> bool:
    near = EXACT * (wanted[1] - wanted[0])
    return all(abs(low - wanted[0]) <= near and abs(high - wanted[1]) <= near for low, high in ranges)


def _words(ranges: Sequence[tuple[float, float]]) -> str:
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    return f"{low:.3g}..{high:.3g}"
