"""The pass that makes configs of older Keras loadable: pure functions on the config, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xcnn.network.upgrade.keras2 import HARD_SIGMOID
from xcnn.network.upgrade.models import model
from xcnn.network.upgrade.notes import Notes

OWN = frozenset({HARD_SIGMOID})
"""Names in an upgraded config that stand for functions of xcnn itself: loading supplies them."""


@dataclass(frozen=True)
class Upgraded:
    """A config that today's Keras understands, and what was changed to get there."""

    config: dict[str, Any]
    notes: tuple[str, ...] = ()
    changed: bool = False


def upgraded(config: dict[str, Any]) -> Upgraded:
    """Rewrite the parsed config of a model, of whichever Keras version, for today's Keras.

    What is not understood stays as it is, so that preflight names it.

    Parameters
    ----------
    config : dict
        The config of a model: ``{"class_name": ..., "config": ...}``. It is not changed.

    Raises
    ------
    ModelError
        If a layer computes what Keras 3 can't, such as a batch normalization by the statistics of the batch at hand.
    """
    notes = Notes()
    try:
        new = model(config, notes)
        changed = bool(new != config)
    except RecursionError:  # a config so deep is not from Keras
        return Upgraded(config)
    return Upgraded(new, notes.told(), changed=True) if changed else Upgraded(config)
