"""Rules for the gradient: guided backpropagation and the deconvolutional network, and how any rule is applied.

A rule changes what ops hand down and nothing else; the forward pass stays as it is. With R the gradient that arrives at
a rectifier and f what it returned,

- guided hands down ``R * (f > 0) * (R > 0)`` (Springenberg et al., Striving for Simplicity, 2015, section 3.4),
- deconv hands down ``R * (R > 0)`` (Zeiler & Fergus, Visualizing and Understanding Convolutional Networks, 2014).

Neither knows an upper limit or a slope: a ReLU6 hands down at 6 what it does at 5, and a leaky ReLU nothing below zero
under the guided rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import MisfitError, OptionError, did_you_mean
from xcnn.network.steps import MOVING
from xcnn.plugin import GradientRule, hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xcnn.backward import OpGradient
    from xcnn.network.heads import Head
    from xcnn.plugin import Rectifiers, Step


def guided(step: Step, arriving: Any) -> Sequence[Any]:
    """Keep what is positive where the rectifier is on."""
    import tensorflow as tf

    return [tf.where((step.op.outputs[0] > 0) & (arriving > 0), arriving, tf.zeros_like(arriving))]


def deconv(step: Step, arriving: Any) -> Sequence[Any]:  # noqa: ARG001 (a rule takes both)
    """Keep what is positive, wherever it is."""
    import tensorflow as tf

    return [tf.where(arriving > 0, arriving, tf.zeros_like(arriving))]


def _on(step: Step, arriving: Any) -> Sequence[Any]:  # noqa: ARG001 (a rule takes both)
    return [arriving]


def _nothing(step: Step, arriving: Any) -> Sequence[Any]:
    import tensorflow as tf

    return [tf.zeros_like(arriving) for _ in step.data]


def _guided_at(step: Step) -> OpGradient | None:
    return {"rectifier": guided, "cap": _on, "slope": _nothing}.get(step.role)


def _deconv_at(step: Step) -> OpGradient | None:
    return {"rectifier": deconv, "cap": _on, "slope": _nothing}.get(step.role)


RULES: Mapping[str, GradientRule] = {
    rule.name: rule
    for rule in (
        GradientRule(name="guided", summary="guided backpropagation", at=_guided_at),
        GradientRule(name="deconv", summary="the deconvolutional network", at=_deconv_at),
    )
}


@hookimpl
def xcnn_gradient_rules() -> Iterable[GradientRule]:
    """Return the built-in rules."""
    return RULES.values()


def find(rule: str | GradientRule, others: Callable[[], Mapping[str, GradientRule]]) -> GradientRule | None:
    """Find a rule by name; None for the plain gradient.

    Parameters
    ----------
    rule : str or GradientRule
        A rule itself is taken as it is.
    others : callable
        Gives the rules of plugins; called only for a name that is not built in.

    Raises
    ------
    OptionError
        If there is no such rule.
    """
    if isinstance(rule, GradientRule):
        return rule
    if rule == "plain" or rule in RULES:
        return RULES.get(rule)
    known = others()
    if rule not in known:
        every = sorted({"plain", *RULES, *known})
        raise OptionError(
            f"there is no gradient rule {rule!r}", hint=did_you_mean(rule, every, "one of " + ", ".join(every))
        )
    return known[rule]


def lacking(rule: GradientRule, steps: Sequence[Step], head: Head, rectifiers: Rectifiers) -> str | None:
    """Say what a network lacks for a rule; None when it can be used."""
    if rule in RULES.values():
        return rectifiers.lacking
    if rule.start == "score" and head.on == "probability":
        return f"rule {rule.name} shares out logits, not probabilities"
    if not rule.whole:
        return None if any(map(rule.at, steps)) else f"rule {rule.name} acts on nothing in this network"
    silent = [step for step in steps if not (rule.at(step) or step.kind in MOVING or step.kind in rule.keeps)]
    if not silent:
        return None
    first, kinds = silent[0], {step.kind for step in silent}
    where = f" at {first.layer}" if first.layer else ""
    more = f", nor for {', '.join(sorted(kinds - {first.kind}))}" if len(kinds) > 1 else ""
    return f"rule {rule.name} has no word for {first.kind}{where}{more}"


def apply(rule: GradientRule, steps: Sequence[Step], head: Head, rectifiers: Rectifiers) -> None:
    """Make the gradients of a graph follow a rule; to be done before any is made.

    ``tf.gradients`` asks each op for a gradient function of its own before it looks in the registry, so only these ops
    are changed, in this graph alone. Raises MisfitError for what `lacking` says.
    """
    if reason := lacking(rule, steps, head, rectifiers):
        words = f"{rule.summary} {reason.removeprefix('it ')}" if rule in RULES.values() else reason
        raise MisfitError(words, hint="try saliency or gradcam")
    for step in steps:
        if function := rule.at(step):
            step.op._gradient_function = _ruled(step, function)  # noqa: SLF001 (the map by type can't tell ops apart)


def _ruled(step: Step, function: OpGradient) -> Callable[..., Any]:
    def gradient(op: Any, arriving: Any, *_: Any) -> list[Any]:
        handed = dict(zip(step.data, function(step, arriving), strict=True))
        return [handed.get(place) for place in range(len(op.inputs))]

    return gradient
