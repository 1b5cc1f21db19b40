"""Operations between layers: which may stand in a model, and those of tf.keras as those of Keras 3.

tf.keras 2.4 to 2.15 wrapped ``x / 127.5`` in a TFOpLambda that names the TensorFlow function and keeps its arguments;
``x[..., ::-1]`` became a SlicingOpLambda; before, a TensorFlowOpLayer held the node of the graph. Keras 3 has
operations instead. Its own .h5 files name their class but not their module, so that it can't read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xcnn.network.keras_operations import OPERATIONS
from xcnn.network.upgrade import graph_nodes, tf_functions
from xcnn.network.upgrade.entries import name_of, settings

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

NAMED = "named the module of {layers} that are operations ({examples})"
CONVERTED = "wrote {layers} that wrapped a TensorFlow operation as operations of Keras ({examples})"

ALLOWED: dict[str, str] = {name: module for module, names in OPERATIONS.items() for name in names}
"""The module of each operation that may stand in a model."""

WRAPPERS = frozenset({"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"})
"""Classes of tf.keras that wrap an operation; what of them is not converted is refused by preflight."""


def is_nameless(entry: Config) -> bool:
    """Tell whether an entry is an operation without a module; layers of the same class have settings of their own."""
    nodes = entry.get("inbound_nodes")
    called = isinstance(nodes, list) and bool(nodes) and all(isinstance(node, dict) for node in nodes)
    return (
        called and "module" not in entry and entry.get("class_name") in ALLOWED and "trainable" not in settings(entry)
    )


def named(entry: Config, notes: Notes) -> Config:
    """Name the module of an operation in an .h5 file of Keras 3."""
    if not is_nameless(entry):
        return entry
    kind = str(entry["class_name"])
    notes.add(NAMED, kind)
    return {**entry, "module": ALLOWED[kind], "registered_name": None}


def converted(entry: Config, notes: Notes) -> Config:
    """Write a layer that wraps an operation as the operation, if it is one that Keras 3 has, called once."""
    kind = entry.get("class_name")
    nodes = entry["inbound_nodes"]
    if kind not in WRAPPERS or len(nodes) != 1:
        return entry
    try:
        if kind == "TensorFlowOpLayer":
            found = graph_nodes.operation(settings(entry), nodes[0]["args"])
        else:
            found = tf_functions.operation(str(settings(entry).get("function")), nodes[0]["args"], nodes[0]["kwargs"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, UnicodeError):
        return entry  # not as tf.keras writes it
    if found is None:
        return entry
    what, config, arguments = found
    notes.add(CONVERTED, what)
    name = name_of(entry)
    return {
        "module": ALLOWED[what],
        "class_name": what,
        "config": {**config, "name": name},
        "registered_name": None,
        "name": name,
        "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }
