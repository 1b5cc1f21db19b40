"""Class activation maps: what the weights of the head make of the last maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn import maths
from xcnn.errors import MisfitError
from xcnn.plugin import Choice, Explainer, Option, Reference, panels

if TYPE_CHECKING:
    from xcnn.plugin import Batch, Network, Panel


@dataclass(frozen=True, kw_only=True)
class CAM(Explainer):
    """Weigh the maps before global average pooling by the head's weights for a class.

    Signed: regions for the class and against it. The mean of the map and what the head adds by itself are the score.
    Needs a head of global average pooling and one linear layer, or pooling straight into the scores.
    """

    name: ClassVar[str] = "cam"
    title: ClassVar[str] = "CAM"
    source: ClassVar[Reference] = Reference(
        "Zhou et al.",
        2016,
        "Learning Deep Features for Discriminative Localization",
        "https://arxiv.org/abs/1512.04150",
        equations="1-2",
    )

    threshold: Annotated[
        float,
        Option(
            "Show the bare picture where the map is below this fraction of its largest value.", minimum=0, maximum=1
        ),
    ] = 0.0

    def picks(self, network: Network) -> Choice:
        """Look at the maps that are averaged."""
        return Choice(", ".join(network.pooled()), "the maps that are averaged and weighed by the head")

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute equation 2 for each row; where several are averaged, the sum of their maps and each of them."""
        found = network.layer_gradients(batch, network.pooled())
        try:
            # Several heads of one layer share its maps, so the weights are those of the score: its gradients, summed.
            maps = {
                path: maths.weighted_sum(features, maths.pooled_weights(gradients))
                for path, (features, gradients) in found.items()
            }
        except ValueError as error:
            raise MisfitError(
                f"cam needs a head that weighs only the averages of maps, but {error}", hint="use gradcam instead"
            ) from None
        notes = []
        for row, target in enumerate(batch.targets or ()):
            mean = sum(float(stack[row].mean(dtype="float64")) for stack in maps.values())
            note = (
                f"the score {target.score:.4g} is the mean of the {'map' if len(maps) == 1 else 'maps'}, {mean:.4g}, "
                f"and {target.score - mean:.4g} that the head adds by itself"
            )
            notes.append((note,))
        told = dict.fromkeys(maps, notes)
        each = panels(maps, sign="signed", unit="score", told=told, threshold=self.threshold)
        if len(maps) == 1:
            return each
        total = {"": maths.added(list(maps.values()))}
        sums = panels(total, sign="signed", unit="score", title="sum of the maps", threshold=self.threshold)
        return [(*one, *parts) for one, parts in zip(sums, each, strict=True)]
