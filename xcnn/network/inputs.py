"""What a model wants to be fed: the shape of its image inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xcnn.errors import ModelError

ANY_SIZE = 224
CHANNELS = (1, 3)


@dataclass(frozen=True)
class ImageInputs:
    """The image input of a model, or several of one shape that all receive the same picture.

    ``structure`` is what the model is called with, a placeholder for each input.
    """

    shape: tuple[int | None, int | None, int]
    structure: Any
    count: int

    @classmethod
    def of(cls, model: Any, name: str) -> ImageInputs:
        """Find out what a model wants.

        Raises
        ------
        ModelError
            If it has not been built or does not take two-dimensional images with 1 or 3 channels.
        """
        import tensorflow as tf

        structure, shapes = _declared(model, name)
        flat = tf.nest.flatten(structure)
        for shape in shapes:
            _check(shape, name)
        if len(set(shapes)) > 1:
            raise ModelError(f"{name} has inputs of different shapes: {', '.join(map(_words, shapes))}")
        _, height, width, channels = shapes[0]
        assert channels is not None  # noqa: S101 (checked above)
        return cls((height, width, channels), structure, len(flat))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that pictures are resized to."""
        height, width, _ = self.shape
        return height or ANY_SIZE, width or ANY_SIZE

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about it."""
        several = f"the model has {self.count} inputs; each receives the picture"
        size = f"the model takes any size; pictures are resized to {self.size[0]}x{self.size[1]}"
        return ((several,) if self.count > 1 else ()) + ((size,) if None in self.shape else ())

    def structured(self, tensor: Any) -> Any:
        """Put one tensor in the place of every input."""
        import tensorflow as tf

        return tf.nest.map_structure(lambda _: tensor, self.structure)


def _declared(model: Any, name: str) -> tuple[Any, list[tuple[int | None, ...]]]:
    import tensorflow as tf

    try:
        structure = model.input  # as the model takes it: a tensor, list or dictionary
    except (AttributeError, ValueError):
        # Subclassed models know the shape they were built with, not the tensors.
        built = (model.get_build_config() or {}).get("input_shape") if model.built else None
        if not isinstance(built, (tuple, list)) or not built or isinstance(built[0], (tuple, list, dict)):
            raise ModelError(
                f"{name} has not been built, so its input shape is unknown",
                hint="call it once on a batch of pictures first: model(batch)",
            ) from None
        return 0, [tuple(built)]
    flat = tf.nest.flatten(structure)
    return tf.nest.map_structure(lambda _: 0, structure), [tuple(tensor.shape) for tensor in flat]


def _check(shape: tuple[int | None, ...], name: str) -> None:
    if len(shape) != 4:  # noqa: PLR2004 (n, h, w, c)
        raise ModelError(
            f"{name} takes inputs of shape {_words(shape)}; xcnn explains models of 2-D images (h, w, channels)"
        )
    if shape[3] not in CHANNELS:
        hint = "channels come first in this model; save it with channels last" if shape[1] in CHANNELS else ""
        raise ModelError(f"{name} takes {shape[3]} channels; xcnn feeds 1 (gray) or 3 (RGB)", hint=hint)


def _words(shape: tuple[int | None, ...]) -> str:
    return "(" + ", ".join("?" if side is None else str(side) for side in shape[1:]) + ")"
