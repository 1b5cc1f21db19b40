"""The rules of layer-wise relevance propagation: which op shares out its relevance how.

With contributions ``c_jk = x_j w_jk`` of the inputs of a layer to ``z_k = sum_j c_jk + b_k``, relevance goes down as

    epsilon  R_j = sum_k c_jk / (z_k + e sign(z_k)) R_k
    gamma    R_j = sum_k (c_jk + g c_jk^s) / (z_k + g (sum_j c_jk^s + b_k^s)) R_k
    z-plus   R_j = sum_k c_jk^s / (sum_j c_jk^s) R_k

where ``v^s`` keeps of v what has the sign of z_k: gamma and z-plus are published for positive z_k, and this is what
they become when a layer ends without a ReLU. A bias takes its share under epsilon and gamma. Under z-plus it takes
nothing, but the relevance of an output that nothing else holds up (all c_jk^s are zero) has nowhere to go.

- Bach et al., On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation, 2015:
  equations 56 and 58 (epsilon).
- Montavon et al., Explaining nonlinear classification decisions with deep Taylor decomposition, 2017: z-plus, and z-B
  for a first layer fed with pixels between two bounds.
- Montavon et al., Layer-Wise Relevance Propagation: An Overview, 2019, section 10.2: gamma, and the composite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xcnn.plugin import GradientRule
from xcnn_lrp import ops
from xcnn_lrp.shares import Sharing, added, bounded, linear, moved

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from xcnn.plugin import Step

    Function = Callable[[Step, Any], Sequence[Any]]

EPSILON = 0.01
GAMMA = 0.25
NAMES = ("composite", "epsilon", "gamma", "zplus")
LOST = {
    "composite": "biases and the stabiliser",
    "epsilon": "biases and the stabiliser",
    "gamma": "biases",
    "zplus": "outputs that biases alone hold up",
}
"""What takes relevance away under each rule."""
WINNER = frozenset({"MaxPool", "Max"})
"""Ops whose own gradient hands all to the largest value."""


@dataclass(frozen=True)
class Everywhere:
    """Share alike at every op."""

    sharing: Sharing

    def __call__(self, step: Step) -> Function | None:
        """What a step hands down; None where there is no word for it."""
        if step.place == "before" and step.kind in ops.AVERAGING:
            return moved
        if ops.weights(step) or (step.kind in ops.AVERAGING and len(step.data) == 1):
            return linear(step, self.sharing)
        if ops.sums(step):
            return added(self.sharing)
        if ops.signal(step) is not None:
            return handed
        return None


def handed(step: Step, arriving: Any) -> list[Any]:
    """Hand all to the one input that carries the signal: gates and constants take nothing."""
    signal = ops.signal(step)
    return [arriving if place == signal else None for place in step.data]


@dataclass(frozen=True)
class Composite:
    """Share at dense layers by epsilon, at convolutions and all else by gamma, and at the first layer by the bounds."""

    dense: Everywhere
    rest: Everywhere

    def __call__(self, step: Step) -> Function | None:
        """What a step hands down; None where there is no word for it."""
        if step.place == "first" and ops.weights(step):
            return bounded(step)
        return (self.dense if ops.dense(step) else self.rest)(step)


def rule(name: str, *, epsilon: float = EPSILON, gamma: float = GAMMA) -> GradientRule:
    """Make a rule of `NAMES`.

    Parameters
    ----------
    name : str
        "composite", "epsilon", "gamma" or "zplus".
    epsilon : float
        The stabiliser, as a share of the root mean square of each layer's outputs (absolute in the paper, which depends
        on the scale of the network).
    gamma : float
        How much more contributions with the sign of the sum count.
    """
    by_epsilon = Everywhere(Sharing(1.0, 0.0, epsilon))
    by_gamma = Everywhere(Sharing(1.0, gamma, 0.0))
    table: Mapping[str, tuple[Callable[[Step], Function | None], str]] = {
        "composite": (Composite(by_epsilon, by_gamma), "relevance: bounds, then gamma, epsilon at dense layers"),
        "epsilon": (by_epsilon, "relevance by contribution"),
        "gamma": (by_gamma, "relevance by contribution, those for the sum count more"),
        "zplus": (Everywhere(Sharing(0.0, 1.0, 0.0)), "relevance by the contributions for the sum alone"),
    }
    at, summary = table[name]
    return GradientRule(name=f"lrp-{name}", summary=summary, at=at, whole=True, keeps=WINNER, start="score")
