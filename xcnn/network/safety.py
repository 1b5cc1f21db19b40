"""What is refused in a model's config: whatever could run code or read files, and classes that Keras doesn't have."""

from __future__ import annotations

import builtins
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.errors import UnknownClassError, UnsafeModelError
from xcnn.network import keras_layers, keras_objects, keras_operations
from xcnn.network.entries import Entry, entries, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

LIBRARIES = frozenset({"tensorflow", "tf", "numpy", "torch", "jax", "flax", "keras", "tf_keras", "h5py", "pickle"})
"""Whose functions no layer needs by name; Python's own modules are refused alike."""
KINDS = {"__lambda__": "lambda function"}
BYTECODE = "its code runs only under the Python version that saved it"
REBUILD = "rebuild the model with Keras layers instead, such as Rescaling, and save it again"
SUPPLY = (
    "supply them with --custom-objects module:Class, or load the model in Python and call xcnn.explain(model, images)"
)


@dataclass(frozen=True)
class Danger:
    """Something in a config that could run code."""

    layer: str
    kind: str
    what: str


def code(config: Any, *, known: Collection[str], final: bool) -> list[Danger]:
    """Find what could run code.

    Parameters
    ----------
    config : dict
        The model's.
    known : collection of str
        Names that the user supplies.
    final : bool
        Whether Keras will see this config, so that whatever is not known to be harmless counts; otherwise a pass that
        rewrites old layers is still to come.
    """
    found = []
    for entry in entries(config):
        what = _runs(entry, known) or (_may_run(entry, known) if final else "")
        if what:
            found.append(Danger(entry.owner, KINDS.get(entry.kind, entry.kind), what))
    return found


def _runs(entry: Entry, known: Collection[str]) -> str:
    """What an entry does that no version of a file may do."""
    if entry.kind in keras_layers.UNSAFE:
        return keras_layers.UNSAFE[entry.kind]
    if _is_known(entry, known):
        return ""
    if entry.kind == "function":
        return _function_runs(entry)
    if entry.kind in keras_operations.FUNCTIONAL and (entry.module or "").startswith("keras."):
        return "calls a function it is given"
    if _is_foreign_library(entry.module or ""):
        return f"names {entry.kind} of the Python module {entry.module}"
    return ""


def _may_run(entry: Entry, known: Collection[str]) -> str:
    """What an entry does that only old files do, and only before they are rewritten."""
    module = entry.module or ""
    if entry.kind == "function":
        return ""
    if entry.kind in keras_layers.OPERATION_LAYERS:
        name = operation(entry)
        harmless = entry.kind == "TensorFlowOpLayer" and name in keras_operations.TENSORFLOW
        return "" if harmless else f"calls {name}, which is not among the operations known to only compute"
    if module.partition(".")[0] not in {"keras", "tf_keras"} or _is_allowed(entry) or _is_known(entry, known):
        return ""
    if ".ops" in module:
        return f"calls {module}.{entry.kind}, which is not among the operations known to only compute"
    is_layer = module in {"keras", "keras.layers"} or ".layers" in module
    return "" if is_layer else f"names {module}.{entry.kind}, which is no layer"


def _function_runs(entry: Entry) -> str:
    name, module = str(entry.value.get("config")), entry.module or ""
    if _is_keras_function(module, name):
        return ""
    foreign = _is_foreign_library(module) or module.partition(".")[0] == "keras"
    if (foreign and module != "builtins") or (module == "builtins" and hasattr(builtins, name)):
        return f"calls the function {module}.{name}"
    return ""  # of the user's own: unknown, but nothing Keras could find and run


def _is_keras_function(module: str, name: str) -> bool:
    if module == "keras.ops" or module.startswith("keras.ops."):
        return name.replace("_", "") in {operation.lower() for operation in keras_operations.ANY}
    return module in {"", *keras_objects.FUNCTIONS} and name in keras_objects.ACTIVATIONS | keras_objects.LEGACY


def _is_foreign_library(module: str) -> bool:
    top = module.partition(".")[0]
    return top != "__main__" and (top in sys.stdlib_module_names or top in LIBRARIES - {"keras", "tf_keras"})


def _is_known(entry: Entry, known: Collection[str]) -> bool:
    registered = str(entry.value.get("registered_name") or "")
    names = {entry.kind, registered, registered.rpartition(">")[2]}
    if entry.kind == "function":
        name = str(entry.value.get("config"))
        names = {name, name.rpartition(">")[2], registered, registered.rpartition(">")[2]} - {"function"}
    return not names.isdisjoint(known)


def operation(entry: Entry) -> str:
    """Name the TensorFlow function or operation that an old operation layer calls."""
    node = entry.config.get("node_def")
    if isinstance(node, str):
        try:
            node = json.loads(node)
        except (ValueError, RecursionError):
            found = re.search(r'"?op"?: *"(\w+)"', node) if isinstance(node, str) else None
            return found[1] if found else "an unreadable operation"
    if isinstance(node, dict):
        return str(node.get("op", "an operation without a name"))
    return str(entry.config.get("function") or entry.config.get("symbol") or entry.config.get("name") or entry.owner)


def refuse_code(file: str, found: Sequence[Danger], sha256: Callable[[], str]) -> None:
    """Refuse a file for what `code` found in it.

    Raises
    ------
    UnsafeModelError
        Naming every layer; for Python code the hint says how to vouch for the file.
    """
    if not found:
        return
    lambdas = {danger.layer for danger in found if danger.kind == "Lambda"}
    layers: dict[str, list[str]] = {}
    for danger in found:
        if danger.kind != KINDS["__lambda__"] or danger.layer not in lambdas:  # a Lambda holds one
            name = f"layer {danger.layer!r}" if danger.layer else "its config"
            layers.setdefault(danger.what, []).append(f"{name} ({danger.kind})")
    clauses = [f"{listed(names).replace(', layer ', ', ')} {what}" for what, names in layers.items()]
    vouch = ""
    if keras_layers.PYTHON in layers:
        vouch = f"; if you wrote this model yourself: --trust-model sha256:{sha256()} ({BYTECODE})"
    raise UnsafeModelError(f"{file} was not loaded: {'; '.join(clauses)}", hint=REBUILD + vouch)


def refuse_reading(file: str, config: Any) -> None:
    """Refuse a config with layers that read files.

    Raises
    ------
    UnsafeModelError
        Naming every layer and the file it would read.
    """
    found = []
    for entry in entries(config):
        for key, value in entry.config.items():
            if isinstance(value, str) and value and (key in keras_layers.READS or _is_path(key, value)):
                found.append(f"{entry.owner or entry.kind!r} ({entry.kind}) reads {value!r}")
    if found:
        raise UnsafeModelError(
            f"{file} was not loaded: layer {listed(found)}",
            hint="save the model with the vocabulary itself in it, as a list",
        )


def _is_path(key: str, value: str) -> bool:
    """Whether `weights` names a file; old files have names of weights that Keras offers there."""
    return key == "weights" and ("/" in value or "\\" in value or "." in value)


def refuse_unknown(file: str, config: Any, known: Collection[str]) -> None:
    """Refuse a config that needs classes or functions that Keras doesn't have.

    Raises
    ------
    UnknownClassError
        Naming all of them.
    """
    classes, functions = [], []
    for entry in entries(config):
        if _is_known(entry, known):
            continue
        if entry.kind == "function":
            name = str(entry.value.get("config"))
            functions += [] if _is_keras_function(entry.module or "", name) else [name]
        elif not _is_allowed(entry):
            detail = f" ({operation(entry)})" if entry.kind in keras_layers.OPERATION_LAYERS else ""
            classes.append(entry.kind + detail)
        else:
            functions += [
                value
                for key, value in entry.config.items()
                if key.endswith("activation") and isinstance(value, str) and not _is_activation(value, known)
            ]
    if classes:
        what = "classes" if len(set(classes + functions)) > 1 else "a class"
        raise UnknownClassError(
            f"{file} needs {what} that Keras doesn't have: {listed(classes + functions)}", hint=SUPPLY
        )
    if functions:
        what = "functions" if len(set(functions)) > 1 else "a function"
        raise UnknownClassError(f"{file} needs {what} that Keras doesn't have: {listed(functions)}", hint=SUPPLY)


def _is_activation(name: str, known: Collection[str]) -> bool:
    layers = keras_layers.SAFE | keras_layers.ALIASES
    return name in keras_objects.ACTIVATIONS or name in known or name.rpartition(">")[2] in known or name in layers


def _is_allowed(entry: Entry) -> bool:
    """Whether a class is one of Keras's own that only compute, as the file names it."""
    kind, module = entry.kind, entry.module
    layers = keras_layers.SAFE | keras_layers.ALIASES | keras_layers.CONTAINERS
    if kind in keras_objects.PLAIN:
        return True
    if module is None:
        return False
    if module:
        allowed = keras_layers.MODULES.get(module, frozenset()) | keras_objects.BY_MODULE.get(module, frozenset())
        allowed |= keras_operations.OPERATIONS.get(module, frozenset())
        return kind in allowed or (module == "keras.layers" and kind in layers)
    if not isinstance(entry.value.get("config"), (dict, list)):
        return True  # no object that Keras would rebuild
    if "layers" in entry.config or isinstance(entry.value["config"], list):
        return kind in keras_layers.CONTAINERS or kind == "Pipeline"
    # A legacy config has layers, initializers and the like alike; only layers have a name of their own.
    named = "name" in entry.config and kind not in keras_objects.LEGACY
    return not named or kind in layers | keras_layers.APPLICATIONS
