"""Weights of a file put where they belong in a model: by name where both name them, else in order.

Keras itself goes by order alone, which is silently wrong where the order differs: a file lists the frozen weights
of a nested model last, and a model that was rewritten may hold its layers in another order.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError
from xcnn.network import kernels, sizes, stored, theano
from xcnn.network.upgrade.notes import Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xcnn.network.stored import Origin, Stored

    Pairs = list[tuple["Place", Stored]]

IN_ORDER = "matched weights by their order, since the file names them otherwise than the model ({examples})"
MOST_NAMED = 4
"""How many weights an error names."""


@dataclass(frozen=True)
class Place:
    """One variable of a model."""

    group: str
    """The layer of the whole model that it belongs to."""
    owners: tuple[str, ...]
    """The names of the layers that hold it, outermost first."""
    leaf: str
    layer: Any = field(repr=False)
    variable: Any = field(repr=False)

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return "/".join((*self.owners, self.leaf))


def assign(model: Any, file: Any, *, name: str) -> tuple[str, ...]:
    """Give a model the weights of an open HDF5 file and return what was done to them.

    Parameters
    ----------
    model : keras.Model
        A model; it is built if it is not.
    file : h5py.File
        A file of a model, or of weights alone.
    name : str
        What to call the file in a sentence.

    Raises
    ------
    ModelError
        If the file lacks weights of the model, has others, or has them in other shapes.
    """
    found, origin = stored.read(file)
    notes = Notes()
    if not model.built:
        notes.add(sizes.build(model, found, name))
    places = list(_places(model))
    for place, weight in pairs(places, found, name, notes):
        _give(place, weight, origin, name, notes)
    for _ in range(theano.padded(model) if origin.theano else 0):
        notes.add(theano.PADDED)
    for layer in model._flatten_layers():  # noqa: SLF001 (no public list of all layers)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    return notes.told()


def pairs(places: Sequence[Place], found: Sequence[Stored], name: str, notes: Notes) -> Pairs:
    """Find the weight for each variable.

    Raises
    ------
    ModelError
        If variables or weights are left over.
    """
    # Not every Keras keeps what does nothing in a trained model, such as how many pictures a Normalization saw.
    both = {place.leaf for place in places} & {weight.leaf for weight in found}
    places = [place for place in places if place.leaf not in stored.UNUSED or place.leaf in both]
    found = [weight for weight in found if weight.leaf not in stored.UNUSED or weight.leaf in both]
    groups = {place.group for place in places}
    if groups == {weight.group for weight in found}:
        return [
            pair
            for group in dict.fromkeys(place.group for place in places)
            for pair in _matched(
                [place for place in places if place.group == group],
                [weight for weight in found if weight.group == group],
                name,
                notes,
            )
        ]
    return _matched(places, found, name, notes)


def _matched(places: Sequence[Place], found: Sequence[Stored], name: str, notes: Notes) -> Pairs:
    """Match by ever less of the names, and by order at last."""
    keys: list[Callable[[Any], Any]] = [
        lambda weight: (weight.owners[-1:] or (weight.group,), weight.leaf),
        lambda weight: (weight.owners[-2:], weight.leaf),
        lambda weight: (weight.owners, weight.leaf),
        lambda weight: (weight.group, weight.leaf),
        lambda weight: ([_unnumbered(owner) for owner in weight.owners[-1:]], weight.leaf),
        lambda weight: weight.leaf,
    ]
    for key in keys:
        mine = {repr(key(place)): place for place in places}
        theirs = {repr(key(weight)): weight for weight in found}
        if len(mine) == len(places) and len(theirs) == len(found) and mine.keys() == theirs.keys():
            return [(place, theirs[at]) for at, place in mine.items()]
    return _in_order(places, found, name, notes)


def _unnumbered(name: str) -> str:
    """The name without the number that Keras 2 gave to a model loaded a second time.

    Examples
    --------
    >>> _unnumbered("conv1_2"), _unnumbered("conv")
    ('conv1', 'conv')
    """
    return re.sub(r"_\d+$", "", name)


def _in_order(places: Sequence[Place], found: Sequence[Stored], name: str, notes: Notes) -> Pairs:
    if len(places) != len(found):
        _refuse_counts(places, found, name)
    for place, weight in zip(places, found, strict=True):
        if sorted(place.variable.shape) != sorted(weight.shape) and _squeezed(place.variable.shape) != _squeezed(
            weight.shape
        ):
            raise _misfit(place, weight, name)
    notes.add(IN_ORDER, f"{found[0].name} -> {places[0].name}")
    return list(zip(places, found, strict=True))


def _squeezed(shape: Sequence[int]) -> list[int]:
    """The sizes above 1, in no order: Keras 1 turned kernels and added a dimension to those of Conv1D."""
    return sorted(size for size in shape if size > 1)


def _refuse_counts(places: Sequence[Place], found: Sequence[Stored], name: str) -> None:
    have = Counter((weight.owners[-1:] or (weight.group,), weight.leaf) for weight in found)
    want = Counter((place.owners[-1:], place.leaf) for place in places)
    missing = [place.name for place in places if not have[place.owners[-1:], place.leaf]]
    extra = [weight.name for weight in found if not want[weight.owners[-1:] or (weight.group,), weight.leaf]]
    if len(found) < len(places):
        names = missing or [place.name for place in places[len(found) :]]
        raise ModelError(f"{name} lacks weights of its model: {_listed(names)}")
    names = extra or [weight.name for weight in found[len(places) :]]
    raise ModelError(f"{name} has weights that its model has no place for: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _misfit(place: Place, weight: Stored, name: str) -> ModelError:
    wanted = " x ".join(map(str, place.variable.shape))
    got = " x ".join(map(str, weight.shape))
    return ModelError(f"{name} has a weight {weight.name} of {got} where its model wants {place.name} of {wanted}")


def _shares(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    """Tell whether a shape is another with 1 in some places."""
    return len(shape) == len(wanted) and all(a in {1, b} for a, b in zip(shape, wanted, strict=True))


def _give(place: Place, weight: Stored, origin: Origin, name: str, notes: Notes) -> None:
    import numpy as np

    try:
        values, done = kernels.converted(weight.values(), place.layer, place.leaf, origin)
    except OSError as error:
        raise ModelError(f"{name} is damaged at {weight.name}: {error}", hint="copy or download it again") from error
    if type(place.layer).__name__ == "PReLU" and _shares(values.shape, place.variable.shape):
        # Keras 1 did not record which axes share their slope.
        values = np.broadcast_to(values, place.variable.shape)
    if tuple(values.shape) != tuple(place.variable.shape):
        raise _misfit(place, weight, name)
    for sentence in done:
        notes.add(sentence)
    place.variable.assign(values)


def _places(model: Any) -> Iterator[Place]:
    """Every variable of a model in the order in which files list them: of each layer the trainable ones first."""
    for layer in model.layers:
        owners = {id(variable): (names, owner) for names, owner, variable in _owned(layer, ())}
        for variable in (*layer.trainable_weights, *layer.non_trainable_weights):
            names, owner = owners.get(id(variable), ((layer.name,), layer))
            yield Place(layer.name, names, stored.plain(variable.name), owner, variable)
    inner = {id(variable) for layer in model.layers for variable in layer.weights}
    for variable in (*model.trainable_weights, *model.non_trainable_weights):
        if id(variable) not in inner:
            yield Place("top_level_model_weights", (model.name,), variable.name, model, variable)


def _owned(layer: Any, outer: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    names = (*outer, layer.name)
    own = list(layer._flatten_layers(include_self=False, recursive=False))  # noqa: SLF001 (as above)
    inner = {id(variable) for child in own for variable in child.weights}
    for variable in layer.weights:
        if id(variable) not in inner:
            yield names, layer, variable
    for child in own:
        yield from _owned(child, names)
