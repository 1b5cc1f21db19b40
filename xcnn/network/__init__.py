"""The only room that touches Keras and TensorFlow: from a model file to a `Network`.

Importing this package loads neither; `open_network` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.network.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.network.choices import Choices
    from xcnn.network.custom import Supplied
    from xcnn.network.keras_network import KerasNetwork
    from xcnn.network.preflight import ModelFile
    from xcnn.plugin import GradientRule, NamedModel

__all__ = ["open_network"]


def open_network(
    model: Any,
    *,
    file: ModelFile | None = None,
    named: NamedModel | None = None,
    choices: Choices | None = None,
    supplied: Sequence[Supplied] = (),
    objects: Mapping[str, Any] | None = None,
    head: bool = True,
    rules: Callable[[], Mapping[str, GradientRule]] = dict,
) -> KerasNetwork:
    """Load a model and make it a `Network`.

    Parameters
    ----------
    model : keras.Model, optional
        A model in memory; None to load `file`.
    file : ModelFile
        What `preflight.inspect` found; needed when there is no model in memory and none is built.
    named : NamedModel, optional
        The table entry the file belongs to, with its preprocessing and labels; it is built where the entry says how.
    choices : Choices, optional
        What overrides the evidence.
    supplied : sequence of Supplied
        Modules to import for classes that the file needs.
    objects : mapping, optional
        Classes that the file needs, from plugins.
    head : bool
        Whether a model that is built needs its classifier.
    rules : callable
        Gives the gradient rules by name, those of plugins included; called for a name that is not built in.

    Raises
    ------
    ModelError
        If the model can't be loaded or is no two-dimensional image model.
    OptionError
        If what is supplied can't be imported.
    """
    from xcnn.network import environment

    environment.prepare()
    from xcnn.network.keras_network import KerasNetwork

    loaded, origin = _loaded(model, file, named, supplied=supplied, objects=objects or {}, head=head)
    return KerasNetwork(loaded, origin, named=named, choices=choices, rules=rules)


def _loaded(
    model: Any,
    file: ModelFile | None,
    named: NamedModel | None,
    *,
    supplied: Sequence[Supplied],
    objects: Mapping[str, Any],
    head: bool,
) -> tuple[Any, Origin]:
    """Take, build or load the model, and tell where it came from."""
    if model is not None:
        return model, Origin(str(model.name))
    if named is not None and named.build is not None:
        built = named.build(top=head)
        return built.model, Origin(named.name, hashed=lambda: built.sha256, notes=built.notes, warnings=built.warnings)
    from xcnn.network import custom
    from xcnn.network.loading import loaded

    assert file is not None  # noqa: S101 (no model, and none to build)
    found = loaded(file, {**objects, **custom.load(supplied)})
    name, path = (named.name, "") if named else (file.path.name, str(file.path))
    warned = ("the model was trusted by its hash: its own code has run",) if file.trusted else ()
    return found.model, Origin(
        name, path, lambda: file.sha256, notes=(*file.notes, *found.notes), warnings=warned, trusted=file.trusted
    )
