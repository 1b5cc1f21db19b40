"""The only room that touches Keras and TensorFlow: from a model file to a `Network`.

Importing this package loads neither; `open_network` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xcnn.network.choices import Choices
    from xcnn.network.keras_network import KerasNetwork
    from xcnn.network.preflight import ModelFile
    from xcnn.plugin import NamedModel

__all__ = ["open_network"]


def open_network(
    model: Any,
    *,
    file: ModelFile | None = None,
    named: NamedModel | None = None,
    choices: Choices | None = None,
) -> KerasNetwork:
    """Load a model and make it a `Network`.

    Parameters
    ----------
    model : keras.Model, optional
        A model in memory; None to load `file`.
    file : ModelFile
        What `preflight.inspect` found; needed when there is no model in memory.
    named : NamedModel, optional
        The table entry the file belongs to, with its preprocessing and labels.
    choices : Choices, optional
        What overrides the evidence.

    Raises
    ------
    ModelError
        If the model can't be loaded or is no two-dimensional image model.
    """
    from xcnn.network import environment

    environment.prepare()
    from xcnn.network.keras_network import KerasNetwork
    from xcnn.network.loading import load

    loaded = load(file) if model is None and file is not None else model
    return KerasNetwork(loaded, file=file, named=named, choices=choices)
