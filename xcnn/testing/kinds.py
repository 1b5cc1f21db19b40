"""The kinds of models that explainers meet, each a small one that is made and opened once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from xcnn.testing import nets

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.plugin import Network
    from xcnn.values import Pixels

KINDS: dict[str, Callable[[], Any]] = {
    "flat": nets.flat,
    "nested": nets.nested,
    "nested2": nets.doubly_nested,
    "subclass": nets.subclassed,
    "siamese": nets.siamese,
    "gray": nets.mnist,
    "sigmoid": partial(nets.nested, "sigmoid", 1),
    "linear": partial(nets.flat, "linear", 1),
    "maps": nets.segmentation,
    "float16": nets.mixed_precision,
    "swish": nets.swish,
}
"""How to make each: flat, nested once and twice, subclassed, two inputs with a shared tower, gray and flattened, one
sigmoid, one number, a score per class and pixel, mixed precision, and without rectifier and pooling."""
OFTEN = ("nested", "gray", "sigmoid", "maps", "swish")
"""Those that find most of what can be wrong, for quick tests."""


@dataclass(frozen=True)
class Opened:
    """A model and the network it was opened as."""

    network: Network
    model: Any


class Bench:
    """Opens the model of each kind once, so that the checks of one kind share its traces."""

    def __init__(self) -> None:
        self._opened: dict[str, Opened] = {}

    def open(self, kind: str) -> Opened:
        """Make and open the model of one kind of `KINDS`."""
        if kind not in self._opened:
            from xcnn.network import environment
            from xcnn.run import open_network

            environment.prepare()
            model = KINDS[kind]()
            self._opened[kind] = Opened(open_network(model, preprocess="unit"), model)
        return self._opened[kind]


def network(kind: str = "flat") -> Network:
    """Open the small model of one kind of `KINDS`, for a test of a definition."""
    return Bench().open(kind).network


def pictures(*shapes: tuple[int, int], seed: int = 1) -> list[Pixels]:
    """Make random pictures, (h, w, 3) uint8; without shapes, two of different sizes."""
    import numpy as np

    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes or ((30, 40), (26, 22))]
