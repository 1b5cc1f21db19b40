"""Rules for the gradient at rectifiers: guided backpropagation and the deconvolutional network.

The rules change what a rectifier hands down and nothing else; the forward pass stays as it is. With R the gradient that
arrives at a rectifier and f what it returned,

- guided hands down ``R * (f > 0) * (R > 0)`` (Springenberg et al., Striving for Simplicity, 2015, section 3.4),
- deconv hands down ``R * (R > 0)`` (Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, 2014).

Neither knows an upper limit or a slope: a ReLU6 hands down at 6 what it does at 5, and a leaky ReLU nothing below zero
under the guided rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import MisfitError, OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xcnn.network.rectifiers import Found, Gate
    from xcnn.plugin import Rectifiers


def guided(arriving: Any, output: Any) -> Any:
    """Keep what is positive where the rectifier is on."""
    import tensorflow as tf

    return tf.where((output > 0) & (arriving > 0), arriving, tf.zeros_like(arriving))


def deconv(arriving: Any, output: Any) -> Any:  # noqa: ARG001 (a rule takes both)
    """Keep what is positive, wherever it is."""
    import tensorflow as tf

    return tf.where(arriving > 0, arriving, tf.zeros_like(arriving))


RULES: Mapping[str, Callable[[Any, Any], Any]] = {"guided": guided, "deconv": deconv}
METHODS = {"guided": "guided backpropagation", "deconv": "the deconvolutional network"}


def check(rule: str) -> None:
    """Refuse a rule that does not exist with an OptionError."""
    if rule != "plain" and rule not in RULES:
        raise OptionError(
            f"there is no gradient rule {rule!r}",
            hint=did_you_mean(rule, ["plain", *RULES], "one of " + ", ".join(["plain", *RULES])),
        )


def misfit(rule: str, rectifiers: Rectifiers) -> MisfitError | None:
    """Say why a rule can't be used: it would act on nothing. None when it can."""
    if rectifiers.lacking is None:
        return None
    words = rectifiers.lacking.removeprefix("it ")
    return MisfitError(f"{METHODS[rule]} {words}", hint="try saliency or gradcam")


def apply(rule: str, found: Found) -> None:
    """Make the gradients of a graph follow a rule; to be done before any is made.

    ``tf.gradients`` asks each op for a gradient function of its own before it looks in the registry, so only these ops
    are changed, in this graph alone.

    Raises
    ------
    MisfitError
        If there is no rectifier.
    """
    if error := misfit(rule, found.counts):
        raise error
    for gate in found.gates:
        gate.op._gradient_function = _ruled(gate, RULES[rule])  # noqa: SLF001 (the map by type can't tell ops apart)


def _ruled(gate: Gate, rule: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    import tensorflow as tf

    def gradient(op: Any, arriving: Any) -> list[Any]:
        if gate.role == "rectifier":
            handed = rule(arriving, op.outputs[0])
        else:
            handed = arriving if gate.role == "cap" else tf.zeros_like(arriving)
        return [handed if place == gate.data else None for place in range(len(op.inputs))]

    return gradient
