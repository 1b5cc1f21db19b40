"""What the three explainers have in common: their options, and the way from a picture to its panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xcnn.plugin import BUDGET, FILL, RESUME, Attribution, Explainer, Option, check_fill, maths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.plugin import Batch, Network, Panel, Target
    from xcnn_perturb.estimates import Estimated
    from xcnn_perturb.masking import Plan, Scored

ROUNDING = 2.0**-20
"""What may differ between two passes that should agree, as a share of the largest score."""
LEAST = 2
"""How many masked pictures an estimate needs; a pair of complements is one draw."""
OTHER_MASKS = "the earlier run used other masks: started anew"
NOTHING = "nothing of this picture and class in the run that was resumed: started anew"

SAMPLES = Option("Masked pictures of each estimate.", minimum=2, extends=True)
REPEATS = Option(
    "Independent estimates. The map is their mean; from two on, a second map shows its 95 % confidence interval.",
    minimum=1,
    maximum=100,
    extends=True,
)
SEGMENTS = Option("About how many superpixels the picture is cut into.", minimum=1, maximum=2000)
OWN = "superpixel"
HIDES = Option(
    "What hides: mean (the picture's mean colour), superpixel (each one's own mean colour), gray, black, blur or a "
    "colour like #8090a0."
)


@dataclass(frozen=True, kw_only=True)
class Perturbation(Explainer):
    """Hide random parts of the picture and relate the scores to what was hidden: the base of the three explainers."""

    xcnn_api: ClassVar[str] = "1.0"
    fills: ClassVar[tuple[str, ...]] = ()
    """Words for ``fill`` that only this explainer knows."""

    samples: Annotated[int, SAMPLES] = 1000
    repeats: Annotated[int, REPEATS] = 1
    fill: Annotated[str, FILL] = "mean"
    budget: Annotated[float | None, BUDGET] = None
    resume: Annotated[str | None, RESUME] = None

    def __post_init__(self) -> None:
        """Check the fill, too."""
        super().__post_init__()
        check_fill(self.fill, *self.fills)

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """One pass per masked picture, two of the picture itself and one of what hides it."""
        return self.samples * self.repeats + 3

    def plan(self, pixels: Any) -> tuple[Plan, Any]:
        """Decide about one picture, (h, w, 3 or 4) uint8: how masks are drawn, and the picture that hides it."""
        raise NotImplementedError(f"{type(self).__name__} must define plan")

    def about(self, pixels: Any) -> tuple[str, ...]:  # noqa: ARG002 (some plans depend on the picture)
        """Say where the plan of one picture is not what was asked for."""
        return ()

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Score the masked pictures of an image once for all its targets."""
        network.predict(batch)
        return [row for image in range(batch.images) for row in self._rows(network, batch, image)]

    def _rows(self, network: Network, batch: Batch, image: int) -> list[tuple[Panel, ...]]:
        """One tuple of panels per target of an image."""
        from xcnn_perturb import masking

        plan, hidden = self.plan(batch.pixels[image])
        masked = masking.Masked(network, batch, image, hidden)
        count = plan.most if plan.most is not None else self.samples * self.repeats
        earlier = [batch.earlier(image, target) for target in masked.targets]
        found = masking.scored(
            masked,
            plan,
            base=masking.base(batch.rng_of(image)),
            count=count,
            seconds=self.budget,
            earlier=earlier,
            progress=batch.progress_of(image, count),
        )
        parts = 1 if plan.most is not None else max(1, min(self.repeats, found.count // LEAST))
        estimated = plan.estimated(found, parts)
        resumed = _resumed(found, masked.targets, earlier) if self.resume else [()] * len(masked.targets)
        idle = ROUNDING * masked.largest
        rows = []
        for row, begun in enumerate(resumed):
            notes = [*self._partly(found, count), *begun, *self.about(batch.pixels[image])]
            rows.append(self._panels(plan, found, estimated, row, notes, idle))
        return rows

    def _partly(self, found: Scored, count: int) -> tuple[str, ...]:
        """Say how far it came when the time was used up."""
        partly = f"{found.count} of {count} masked pictures within {self.budget or 0:g} s"
        return (partly,) if found.count < count else ()

    def _panels(
        self, plan: Plan, found: Scored, estimated: Estimated, row: int, notes: list[str], idle: float
    ) -> tuple[Panel, ...]:
        """The map of one target, and its interval where there are several estimates."""
        from xcnn_perturb import estimates

        state = found.state(row)
        if found.spread(row) <= idle:
            nothing = plan.painted(0 * abs(estimated.values[0, row])).astype("float32")
            told = (*notes, "no mask changes the score")
            return (Attribution(nothing, sign="signed", unit="score", notes=told, flat=plan.flat, state=state),)
        mean, half = estimates.interval(estimated.values[:, row])
        values = plan.painted(mean)
        told = (*notes, *estimated.notes[row])
        if half is None:
            widths = None
        else:
            widths = plan.painted(half)
            told = (*told, estimates.told(values, widths, len(estimated.values)))
        shown = Attribution(
            values.astype("float32"),
            sign="signed",
            unit="score",
            residual=estimated.residuals[row],
            notes=told,
            flat=plan.flat,
            state=state,
        )
        if widths is None:
            return (shown,)
        return (
            shown,
            Attribution(
                widths.astype("float32"),
                sign="positive",
                unit="score, ± at 95 %",
                flat=plan.flat,
                title="95 % interval",
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Segmenting(Perturbation):
    """Hide superpixels: the base of LIME and KernelSHAP."""

    fills: ClassVar[tuple[str, ...]] = (OWN,)

    fill: Annotated[str, HIDES] = "mean"
    segments: Annotated[int, SEGMENTS] = 50

    def plan(self, pixels: Any) -> tuple[Plan, Any]:
        """Cut the picture."""
        from xcnn_perturb import superpixels

        labels = superpixels.segmented(pixels, self.segments)
        own = self.fill == OWN
        return self.over(labels), superpixels.averaged(pixels, labels) if own else maths.filled(pixels, self.fill)

    def about(self, pixels: Any) -> tuple[str, ...]:
        """Say when the picture is too small for so many superpixels."""
        from xcnn_perturb import superpixels

        height, width = pixels.shape[:2]
        most = superpixels.room(height, width)
        small = f"{height}x{width} pixels have room for about {most} superpixels, not {self.segments}"
        return (small,) if self.segments > most else ()

    def over(self, labels: Any) -> Plan:
        """Decide how superpixels, (h, w) numbers, are drawn and what becomes of the scores."""
        raise NotImplementedError(f"{type(self).__name__} must define over")


def _resumed(found: Scored, targets: Sequence[Target], earlier: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Say for each target of a picture from where it goes on, or why it doesn't.

    Masks are scored for all targets at once: one that is new needs all of them, and then the others have them too.
    """
    from xcnn_perturb import estimates

    if found.earlier:
        before = f"goes on from {estimates.counted(found.earlier, 'masked picture')} of an earlier run"
        return [(before,)] * len(targets)
    new = [target.label for target, state in zip(targets, earlier, strict=True) if not state]
    missing = f"class {new[0]} of this picture was" if len(new) == 1 else f"{len(new)} classes of this picture were"
    # One superpixel has no masks that could differ.
    same = (f"{missing} not in the earlier run: all masks were scored again",) if new else (OTHER_MASKS,)
    return [(same if new or found.count else ()) if state else (NOTHING,) for state in earlier]
