"""What a model wants to be fed: which of its inputs take the picture, and in which shape."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, OptionError, did_you_mean
from xcnn.network.upgrade.names import accepted

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY_SIZE = 224
CHANNELS = (1, 3, 4)
SPATIAL = {1: "no spatial dimension", 4: "three spatial dimensions (Conv3D, video)"}

RECURRENT = frozenset({"Bidirectional", "GRU", "LSTM", "RNN", "SimpleRNN"})

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Slot:
    """One input of a model: its shape without the batch axis."""

    name: str
    shape: Shape
    dtype: str = "float32"

    @property
    def words(self) -> str:
        """The shape as people write it."""
        return "x".join("?" if side is None else str(side) for side in self.shape) or "one number"


@dataclass(frozen=True)
class ImageInputs:
    """The inputs of a model.

    ``shape`` is (h, w, c) of those that receive the picture, channels last even when the model has them ``first``;
    ``pictured`` are their positions among ``slots``. ``given`` are positions of the inputs whose values the user gave.
    ``structure`` is what the model is called with, the position of a slot in each place.
    """

    shape: tuple[int | None, int | None, int]
    first: bool
    slots: tuple[Slot, ...]
    pictured: tuple[int, ...]
    given: tuple[int, ...]
    structure: Any
    wanted: tuple[int, int] | None = None

    @classmethod
    def of(
        cls,
        model: Any,
        name: str,
        *,
        given: Sequence[str] = (),
        wanted: tuple[int, int] | None = None,
        pictures: tuple[int, int] | None = None,
    ) -> ImageInputs:
        """Find out what a model wants.

        Parameters
        ----------
        model : keras.Model
            Any; a Sequential that has never been built is built for pictures of the size ``pictures``.
        name : str
            What messages call it.
        given : sequence of str
            Names of inputs that receive other values than the picture.
        wanted : (height, width), optional
            The size to feed a model that takes any.
        pictures : (height, width), optional
            The size of the first picture.

        Raises
        ------
        ModelError
            If it has not been built or does not take two-dimensional images.
        OptionError
            If an input is named that it doesn't have, or one needs values that were not given.
        """
        structure, slots = _declared(model, name, pictures)
        places = _places(slots, given, name)
        free = [place for place in range(len(slots)) if place not in places]
        images = [place for place in free if len(slots[place].shape) == 3]  # noqa: PLR2004 (h, w, c)
        if not images and _looks_at_maps(model):
            images = [place for place in free if len(slots[place].shape) == 2]  # noqa: PLR2004 (gray: h, w)
        if not images:
            raise _no_images(slots, free, name, model)
        layout = _layout(model)
        shapes = {place: _channels_last(slots[place].shape, layout) for place in images}
        first = shapes[images[0]]
        others = [place for place in free if place not in images or shapes[place] != first]
        if others:
            names = ", ".join(f"{slots[place].name} ({slots[place].words})" for place in others)
            raise OptionError(
                f"{name} also takes {names}",
                hint=f"give it a picture or a .npy file: --input {shlex.quote(slots[others[0]].name + '=FILE')}",
            )
        shape, is_first = first
        height, width, channels = shape
        if channels is None:
            raise ModelError(f"{name} takes any number of channels; xcnn needs to know how many")
        if wanted is not None and any(
            fixed not in (None, asked) for fixed, asked in zip((height, width), wanted, strict=True)
        ):
            raise OptionError(
                f"--input-size is {wanted[0]}x{wanted[1]}, but {name} takes {slots[images[0]].words}",
                hint="leave --input-size out",
            )
        return cls((height, width, channels), is_first, slots, tuple(images), tuple(places), structure, wanted)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that pictures are resized to."""
        height, width, _ = self.shape
        return self.wanted or (height or ANY_SIZE, width or ANY_SIZE)

    @property
    def any_size(self) -> bool:
        """Whether the model leaves the size open."""
        return None in self.shape[:2]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about it."""
        several = f"the model has {len(self.pictured)} inputs that take pictures; each receives the same one"
        size = f"the model takes any size; pictures are resized to {self.size[0]}x{self.size[1]} (change: --input-size)"
        alpha = "the fourth channel is the transparency of the picture, 255 where it has none"
        return (
            *((several,) if len(self.pictured) > 1 else ()),
            *((size,) if None in self.shape and not self.wanted else ()),
            *((alpha,) if self.shape[2] == 4 else ()),  # noqa: PLR2004
            *(("the model has its channels first; maps are shown channels last",) if self.first else ()),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know to trust the results."""
        if self.shape[2] in CHANNELS:
            return ()
        odd = f"the model takes {self.shape[2]} channels, which no picture has: each receives the gray picture"
        return (f"{odd}, so the predictions mean little",)

    def structured(self, pixels: Any, given: Sequence[Any]) -> Any:
        """Put tensors in the places of the inputs: (n, h, w, c) pixels, and one row of values for each given input."""
        import tensorflow as tf

        values: dict[int, Any] = {}
        for place, row in zip(self.given, given, strict=True):
            values[place] = tf.repeat(row, tf.shape(pixels)[0], axis=0)
        image = tf.transpose(pixels, [0, 3, 1, 2]) if self.first else pixels
        for place in self.pictured:
            flat = len(self.slots[place].shape) == 2  # noqa: PLR2004 (no axis for channels)
            values[place] = tf.squeeze(image, -1) if flat else image
        return tf.nest.map_structure(lambda place: _cast(values[place], self.slots[place].dtype), self.structure)

    def signature(self) -> list[Any]:
        """What a traced function takes: the pixels, then the given values."""
        import tensorflow as tf

        return [
            tf.TensorSpec([None, *self.size, self.shape[2]], tf.float32),
            *(tf.TensorSpec([1, *self.slots[place].shape], tf.float32) for place in self.given),
        ]


def _cast(tensor: Any, dtype: str) -> Any:
    """Keras casts between floating types itself, and does nothing for whole numbers."""
    import tensorflow as tf

    wanted = tf.as_dtype(dtype)
    return tensor if wanted.is_floating else tf.cast(tensor, wanted)


def _declared(model: Any, name: str, pictures: tuple[int, int] | None) -> tuple[Any, tuple[Slot, ...]]:
    import tensorflow as tf

    tensors = _symbolic(model)
    if tensors is None and not model.built and type(model).__name__ == "Sequential" and pictures:
        model.build((None, *pictures, 3))
        tensors = _symbolic(model)
    if tensors is None:
        return 0, (_built(model, name),)
    flat = tf.nest.flatten(tensors)
    names = _names(tensors, flat)
    slots = tuple(
        Slot(word, tuple(tensor.shape)[1:], str(tensor.dtype)) for word, tensor in zip(names, flat, strict=True)
    )
    return tf.nest.pack_sequence_as(tensors, list(range(len(flat)))), slots


def _symbolic(model: Any) -> Any:
    """The inputs as the model takes them: a tensor, list or dictionary; None when it knows none."""
    try:
        return model.input
    except (AttributeError, ValueError):
        return None


def _names(tensors: Any, flat: Sequence[Any]) -> list[str]:
    if isinstance(tensors, dict):
        return sorted(tensors)  # the order in which TensorFlow flattens it
    return [str(tensor.name).partition(":")[0] for tensor in flat]


def _built(model: Any, name: str) -> Slot:
    """The shape a subclassed model was built with."""
    built = (model.get_build_config() or {}).get("input_shape") if model.built else None
    if not isinstance(built, (tuple, list)) or not built or isinstance(built[0], (tuple, list, dict)):
        raise ModelError(
            f"{name} has not been built, so its input shape is unknown",
            hint="call it once on a batch of pictures first: model(batch)",
        )
    return Slot("input", tuple(built)[1:])


def _places(slots: Sequence[Slot], given: Sequence[str], name: str) -> list[int]:
    names = [slot.name for slot in slots]
    for place, word in enumerate(given):
        if word not in names and accepted(word) in names:  # the name in the file, which graphs don't take
            given = [*given[:place], accepted(word), *given[place + 1 :]]
        elif word not in names:
            raise OptionError(
                f"{name} has no input {word!r}", hint=did_you_mean(word, names, "one of " + ", ".join(names))
            )
    return [names.index(word) for word in given]


def _no_images(slots: Sequence[Slot], free: Sequence[int], name: str, model: Any) -> Exception:
    if not free:
        return OptionError(f"every input of {name} was given with --input", hint="leave one to the pictures")
    sequences = any(kind.endswith("1D") or kind in RECURRENT for kind in _kinds(model))
    return no_picture(name, slots[free[0]].shape, sequences=sequences)


def no_picture(name: str, shape: Shape, *, sequences: bool) -> ModelError:
    """Say that a model takes something else than pictures; `sequences` tells whether it has layers for those."""
    words = "(" + ", ".join("?" if side is None else str(side) for side in shape) + ")"
    what = SPATIAL.get(len(shape), "")
    if len(shape) == 2:  # noqa: PLR2004
        what = "one spatial dimension (Conv1D and recurrent models)" if sequences else "no axis for channels"
    return ModelError(
        f"{name} takes inputs of shape {words}{f', with {what}' if what else ''}; "
        "xcnn explains models of 2-D images (h, w, channels)"
    )


def _kinds(model: Any) -> set[str]:
    return {type(layer).__name__ for layer in model._flatten_layers(include_self=False, recursive=True)}  # noqa: SLF001 (as below)


def _looks_at_maps(model: Any) -> bool:
    """Tell whether a model has convolutions in two dimensions, whatever shape it takes its pictures in."""
    return any("Conv2D" in kind for kind in _kinds(model)) and "TimeDistributed" not in _kinds(model)


def _layout(model: Any) -> str:
    """Where the channels of the first layer that has an opinion are."""
    for layer in model._flatten_layers(include_self=False, recursive=True):  # noqa: SLF001 (no public walk reaches nested layers)
        if getattr(layer, "data_format", None) in {"channels_first", "channels_last"}:
            return str(layer.data_format)
    return ""


def _channels_last(shape: Shape, layout: str) -> tuple[tuple[int | None, int | None, int], bool]:
    """The shape with the channels last, and whether they were first."""
    if len(shape) == 2:  # noqa: PLR2004
        return (*shape, 1), False
    if layout == "channels_first" and (shape[0] in CHANNELS or shape[2] not in CHANNELS):
        return (shape[1], shape[2], shape[0]), True  # type: ignore[return-value]
    return (shape[0], shape[1], shape[2]), False  # type: ignore[return-value]
