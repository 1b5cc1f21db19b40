"""SmoothGrad: the gradient of a score, averaged over noisy copies of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn import maths
from xcnn.plugin import BUDGET, REDUCE, Attribution, Explainer, Option, Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.plugin import Batch, Network, Panel

ONE_VALUE = "the picture is of one value: there is no range to take noise from"


@dataclass(frozen=True, kw_only=True)
class SmoothGrad(Explainer):
    """Average the gradient of a class score by the pixels over noisy copies of the picture.

    Shows which pixels change the score, with less of the speckle that a single gradient has. The noise is Gaussian and
    never clipped; the gradients are averaged with their signs, and reduced to one value per pixel after that.
    """

    name: ClassVar[str] = "smoothgrad"
    title: ClassVar[str] = "SmoothGrad"
    source: ClassVar[Reference] = Reference(
        "Smilkov et al.",
        2017,
        "SmoothGrad: removing noise by adding noise",
        "https://arxiv.org/abs/1706.03825",
    )

    samples: Annotated[int, Option("Noisy copies of each picture; 25 are quick.", minimum=1)] = 50
    noise: Annotated[
        float,
        Option(
            "Standard deviation of the noise, as a fraction of the picture's range from its darkest to its brightest "
            "value; 0 is saliency.",
            minimum=0,
            maximum=10,
        ),
    ] = 0.15
    reduce: Annotated[str, REDUCE] = "max"
    budget: Annotated[float | None, BUDGET] = None

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """A pass there and back per copy, and the scores of the picture itself."""
        return 2 * self.samples + 1

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute the mean of section 3 for each row; the targets are those of the picture without noise."""
        network.predict(batch)
        # Preprocessing is affine, so noise of the pixels is noise of the input in each channel's own unit.
        black, white = (batch.prepare(maths.filled(batch.pixels[:1], fill))[0] for fill in ("black", "#ffffff"))
        rows: list[tuple[Panel, ...]] = []
        for image in range(batch.images):
            deviation = self.noise * maths.brightness_range(batch.pixels[image])
            count = self.samples if deviation else 1  # without noise all copies are the same
            copies = maths.noisy_copies(
                batch.inputs[image], deviation * (white - black), count=count, rng=batch.rng_of(image)
            )
            told = batch.progress_of(image, count)
            done: list[int] = []
            gradients = maths.accumulated(
                copies, batch.slopes_of(image, network), heard=done.append, enough=_stop(told, self.budget)
            )
            notes = (ONE_VALUE,) if self.noise and not deviation else ()
            if done[-1] < count:  # a mean of fewer copies
                told(count)
                gradients *= count / done[-1]
                notes = (f"{done[-1]} of {count} copies within {self.budget or 0:g} s",)
            rows += [
                (
                    Attribution(
                        values,
                        sign=maths.sign_of(self.reduce),
                        unit="score per input unit",
                        notes=notes,
                        fine=True,
                    ),
                )
                for values in maths.reduced(gradients.astype("float32"), self.reduce)
            ]
        return rows


def _stop(told: Callable[[int], None], seconds: float | None) -> Callable[[int], bool]:
    """Tell of the progress, and whether the time is used up."""
    budget = maths.Budget(seconds)

    def stop(done: int) -> bool:
        told(done)
        return budget.spent(done)

    return stop
