"""A third-party explainer, as small as one can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from xcnn.plugin import Explainer, Option, panels


@dataclass(frozen=True, kw_only=True)
class Toy(Explainer):
    """Show where a layer is active, to a power."""

    name: ClassVar[str] = "toy"
    per_target: ClassVar[bool] = False

    power: Annotated[float, Option("The exponent of the activations.", minimum=0.5, maximum=4)] = 2.0
    fail: Annotated[bool, Option("Raise an error, for tests.")] = False

    def explain(self, network, batch):
        if self.fail:
            raise RuntimeError("the toy is broken")
        found = network.layer_gradients(batch, ())
        maps = {path: (abs(features) ** self.power).mean(axis=-1) for path, (features, _) in found.items()}
        return panels(maps, sign="positive", unit="activation")
