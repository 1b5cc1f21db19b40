"""The rules by name, for explainers of others: ``network.input_gradients(batch, "lrp-composite")``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xcnn.plugin import hookimpl
from xcnn_lrp.rules import NAMES, rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xcnn.plugin import GradientRule


@hookimpl
def xcnn_gradient_rules() -> Iterable[GradientRule]:
    """Return each rule with its numbers as the command has them."""
    return [rule(name) for name in NAMES]
