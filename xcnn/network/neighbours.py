"""What stands around an op in a traced graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.network.constants import Constants

if TYPE_CHECKING:
    from collections.abc import Collection

SAME = {"Identity", "Cast"}
"""Ops that hand on what they receive."""


class Neighbours:
    """The surroundings of ops.

    Parameters
    ----------
    graph : tf.Graph
        Where the ops are.
    used : collection of str
        The names of the ops that count.
    """

    def __init__(self, graph: Any, used: Collection[str]) -> None:
        self._used = used
        self._constants = Constants(graph)

    def users(self, op: Any) -> list[Any]:
        """The ops that take the first output of an op, past casts."""
        found = []
        for user in op.outputs[0].consumers():
            if user.name in self._used:
                found += self.users(user) if user.type in SAME else [user]
        return found

    def factors(self, product: Any, factor: Any) -> list[Any]:
        """What an op is multiplied with in a product."""
        if product.type != "Mul":
            return []
        return [part for part in product.inputs if self.plain(part).op.name != factor.name]

    def pairs(self, op: Any, kinds: set[str]) -> list[tuple[Any, float | None]]:
        """The operands of a binary op both ways round, the second as a number."""
        if op.type not in kinds:
            return []
        first, second = op.inputs
        both = [(first, self.number(second)), (second, self.number(first))]
        return both[:1] if op.type == "RealDiv" else both

    def plain(self, tensor: Any) -> Any:
        """The tensor that was cast or handed on."""
        while tensor.op.type in SAME:
            tensor = tensor.op.inputs[0]
        return tensor

    def unscaled(self, tensor: Any) -> Any:
        """What a tensor is a fixed multiple of."""
        tensor = self.plain(tensor)
        while tensor.op.type in {"Mul", "RealDiv"}:
            bare = [x for x, number in self.pairs(tensor.op, {"Mul", "RealDiv"}) if number is not None]
            if not bare:
                break
            tensor = self.plain(bare[0])
        return tensor

    def number(self, tensor: Any) -> float | None:
        """The value of a constant with one number; None for what is computed, learned or longer."""
        value = self._constants.value(tensor)
        return float(value.ravel()[0]) if value is not None and np.size(value) == 1 else None

    @staticmethod
    def near(number: float | None, wanted: float) -> bool:
        """Equal up to what half precision makes of it."""
        return number is not None and abs(number - wanted) < 0.005 * wanted

    def same(self, one: Any, other: Any) -> bool:
        """Whether two tensors are one, cast perhaps."""
        return bool(self.plain(one).name == self.plain(other).name)
