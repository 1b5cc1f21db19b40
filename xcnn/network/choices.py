"""How a model is to be understood, where the user or a file beside the model said so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.network.preprocess import Decision


@dataclass(frozen=True)
class Choices:
    """What was decided before the model is seen; None and "" leave it to the evidence.

    ``labels`` are names with the words for where they come from; ``inputs`` gives inputs by name a picture, (h, w, 3)
    uint8, or values as they are, float; ``at`` is a pixel (x, y) of each picture; ``pictures`` is the size of the
    first.
    """

    preprocessing: Decision | None = None
    labels: tuple[tuple[str, ...], str] | None = None
    layer: tuple[str, str] | None = None
    output: str = ""
    on: str = "logit"
    at: tuple[int, int] | None = None
    input_size: tuple[int, int] | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[int, int] | None = None
    fit: str = "stretch"
    notes: tuple[str, ...] = ()
