"""What a model remembers beside its weights, put back as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def untouched(model: Any) -> Iterator[None]:
    """Put back what a forward pass changed: states of random numbers, statistics that layers update.

    Most models change nothing when they predict. Those with dropout that stays on do, and the training after it would
    draw other numbers.
    """
    kept = [(variable, variable.numpy()) for variable in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in kept:
            if not np.array_equal(variable.numpy(), value):
                variable.assign(value)
