"""The rectifiers of a traced network and its other non-linearities, told apart by the ops around them.

An activation is recognised by its arithmetic, so that it counts the same as a layer, as ``activation=`` of a layer and
written by hand. Rectifier ops that only help to make another activation (PReLU, hard sigmoid, hard swish) are no
rectifiers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from xcnn.network import trace
from xcnn.network.neighbours import SAME, Neighbours
from xcnn.plugin import Rectifiers

if TYPE_CHECKING:
    from collections.abc import Iterator

RECTIFYING = {"Relu", "Relu6", "LeakyRelu"}
OTHERS = {
    "Elu": "ELU",
    "Selu": "SELU",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Erf": "GELU",
    "Erfc": "GELU",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Maximum": "maximum",
    "SelectV2": "select",
}
SCALING = {"Mul", "RealDiv", "Neg"}
COMPARISONS = {"Greater", "GreaterEqual"}
OPAQUE = "ReLU inside a loop or branch"
CUSTOM = "ReLU with a gradient of its own"


@dataclass(frozen=True)
class Gate:
    """One op of a rectifier, and which of its inputs the data comes in by.

    ``role`` is "rectifier" for the op that decides, "cap" for what limits its output afterwards, and "slope" for the
    branch of the values below zero.
    """

    op: Any
    data: int
    role: Literal["rectifier", "cap", "slope"]


@dataclass
class Found:
    """The gates of a network, and how many other non-linearities of each kind it has."""

    gates: list[Gate] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def counts(self) -> Rectifiers:
        """As numbers."""
        covered = sum(gate.role == "rectifier" for gate in self.gates)
        return Rectifiers(covered, {name: count for name, count in self.others.items() if count})


def find(logits: Any) -> Found:
    """Look through the ops that logits are computed from; before any gradient is made of them."""
    return _Search(logits).found()


class _Search(Neighbours):
    """One look through a graph."""

    def __init__(self, logits: Any) -> None:
        used = trace.depends_on(logits)
        super().__init__(logits.graph, used)
        self._ops = [op for op in logits.graph.get_operations() if op.name in used]
        self._graph = logits.graph
        self._taken: set[str] = set()

    def found(self) -> Found:
        """Tell what each op is, composite activations before their parts."""
        found = Found()
        for name in self._inside_custom_gradients():
            self._taken.add(name)
            found.others[CUSTOM] += 1
        for op in self._ops:
            self._below_zero(op, found)
        for op in self._ops:
            if op.type == "Relu6" and (hard := self._hard(op)):
                self._taken.add(op.name)
                found.others[hard] += 1
        for op in self._ops:
            data = None if op.name in self._taken else self._rectifies(op)
            if data is not None:
                caps = list(self._caps(op))
                self._taken |= {op.name, *(cap.op.name for cap in caps)}
                found.gates += [Gate(op, data, "rectifier"), *caps]
        for op in self._ops:
            if op.type in OTHERS and op.name not in self._taken and op.outputs[0].dtype.is_floating:
                found.others["swish" if op.type == "Sigmoid" and self._swishes(op) else OTHERS[op.type]] += 1
        found.others[OPAQUE] += self._opaque()
        return found

    # --- what a composite activation looks like ----------------------------------------------------------------------

    def _hard(self, op: Any) -> str:
        """Name what is made of ``relu6(x + 3)``: divided by six a hard sigmoid, and times x a hard swish."""
        shifted = self.plain(op.inputs[0])
        x = next((x for x, number in self.pairs(shifted.op, {"Add", "AddV2"}) if self.near(number, 3)), None)
        if x is None:
            return ""
        name = ""
        for user in self.users(op):
            if any(self.same(self.unscaled(other), x) for other in self.factors(user, op)):
                return "hard_swish"
            sixth = user.type == "RealDiv" and self.near(self.number(user.inputs[1]), 6)
            sixth |= any(self.near(number, 1 / 6) for _, number in self.pairs(user, {"Mul"}))
            if sixth:
                times = [other for last in self.users(user) for other in self.factors(last, user)]
                name = "hard_swish" if any(self.same(self.unscaled(other), x) for other in times) else "hard_sigmoid"
        return name

    def _swishes(self, op: Any) -> bool:
        x = self.unscaled(op.inputs[0])
        return any(self.same(self.unscaled(other), x) for user in self.users(op) for other in self.factors(user, op))

    def _below_zero(self, op: Any, found: Found) -> None:
        """Recognise the branch for values below zero, ``a * relu(-x)`` or ``a * min(x, 0)``, beside that of the others.

        A learned slope makes a PReLU, which is no rectifier; a fixed one makes a leaky ReLU.
        """
        x = self._negated(op)
        if x is None:
            return
        tensor, learned, other = op.outputs[0], False, None
        while other is None:
            users = self.users(tensor.op)
            if len(users) != 1:
                return
            if users[0].type in {"AddV2", "Add", "Sub"}:
                other = next(part for part in users[0].inputs if part.name != tensor.name)
            elif users[0].type in SCALING | SAME:
                factors = [part for part in users[0].inputs if part.name != tensor.name]
                learned |= any(self.number(factor) is None for factor in factors)
                tensor = users[0].outputs[0]
            elif op.type == "Minimum" and users[0].type in {"Exp", "Expm1"}:
                self._taken |= {one.name for one in self._ops if one.type == "Maximum" and self._rectified(one, x)}
                found.others["CELU"] += 1
                return
            else:
                return
        positive = self._uncapped(other).op
        if not self._rectified(positive, x):
            return
        self._taken.add(op.name)
        if learned:
            self._taken.add(positive.name)
            found.others["PReLU"] += 1
        else:
            data = next(i for i, part in enumerate(op.inputs) if self.number(part) is None)
            found.gates.append(Gate(op, data, "slope"))

    def _negated(self, op: Any) -> Any:
        """The x of ``relu(-x)``, ``relu(threshold - x)`` or ``min(x, 0)``; None for another op."""
        if op.type == "Minimum":
            return next((x for x, number in self.pairs(op, {"Minimum"}) if number == 0), None)
        if op.type != "Relu":
            return None
        before = self.plain(op.inputs[0])
        before = next((self.plain(x) for x, number in self.pairs(before.op, {"AddV2"}) if number), before)
        return before.op.inputs[0] if before.op.type == "Neg" else None

    def _rectified(self, op: Any, x: Any) -> bool:
        data = self._rectifies(op)
        return data is not None and self.same(op.inputs[data], x)

    def _rectifies(self, op: Any) -> int | None:
        """Which input of an op is rectified: of a ReLU, ``max(x, 0)`` or ``where(x > threshold, x, 0)``."""
        if op.type in RECTIFYING:
            return 0
        if op.type == "Maximum" and op.outputs[0].dtype.is_floating:
            # What has been cut from above before is a hard sigmoid, or a range of pixels.
            pairs = [x for x, number in self.pairs(op, {"Maximum"}) if number == 0]
            bare = [x for x in pairs if self.number(x) is None and self.plain(x).op.type != "Minimum"]
            return next((i for i, part in enumerate(op.inputs) if bare and part.name == bare[0].name), None)
        if op.type == "SelectV2" and op.inputs[0].op.type in COMPARISONS and self.number(op.inputs[2]) == 0:
            compared, least = op.inputs[0].op.inputs
            threshold = self.number(least)
            return 1 if threshold is not None and threshold >= 0 and self.same(compared, op.inputs[1]) else None
        return None

    def _caps(self, op: Any) -> Iterator[Gate]:
        """The ops that limit what a rectifier returns: ``min(relu(x), 8)``, and the idle ``max(..., 0)`` of a clip."""
        for kind in ("Minimum", "Maximum"):
            users = self.users(op)
            if len(users) != 1 or users[0].type != kind:
                continue
            data = next(i for i, part in enumerate(users[0].inputs) if self.plain(part).op.name == op.name)
            limit = self.number(users[0].inputs[1 - data])
            if limit is None or (kind == "Maximum" and limit != 0):
                return
            op = users[0]
            yield Gate(op, data, "cap")

    def _uncapped(self, tensor: Any) -> Any:
        tensor = self.plain(tensor)
        while tensor.op.type in {"Maximum", "Minimum"} and self.number(tensor.op.inputs[1]) is not None:
            if self.plain(tensor.op.inputs[0]).op.type not in RECTIFYING | {"Minimum", "SelectV2"}:
                break
            tensor = self.plain(tensor.op.inputs[0])
        return tensor

    # --- what the rules can't reach ----------------------------------------------------------------------------------

    def _inside_custom_gradients(self) -> Iterator[str]:
        """Rectifiers whose gradient the model defines itself: TensorFlow differentiates around them."""
        for op in self._ops:
            if op.type == "IdentityN" and _own_gradient(op):
                ends = {part.op.name for part in op.inputs[1:]}
                stack, seen = [op.inputs[0].op], set(ends)
                while stack:
                    inner = stack.pop()
                    if inner.name not in seen:
                        seen.add(inner.name)
                        stack.extend(part.op for part in inner.inputs)
                        if inner.type in RECTIFYING and inner.name not in self._taken:
                            yield inner.name

    def _opaque(self) -> int:
        """How many rectifiers run in the bodies of loops and branches."""
        calls = [op for op in self._ops if op.type in trace.CALLS]
        if not calls:
            return 0
        library = {one.signature.name: one.node_def for one in self._graph.as_graph_def().library.function}
        stack, seen, count = [call.node_def for call in calls], set(), 0
        while stack:
            node = stack.pop()
            for value in node.attr.values():
                for function in (value.func, *value.list.func):
                    if function.name in library and function.name not in seen:
                        seen.add(function.name)
                        count += sum(inner.op in RECTIFYING for inner in library[function.name])
                        stack.extend(library[function.name])
        return count


def _own_gradient(op: Any) -> bool:
    try:
        return bytes(op.get_attr("_gradient_op_type")).startswith(b"CustomGradient")
    except ValueError:
        return False
