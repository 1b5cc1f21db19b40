"""What every script here that makes old model files shares: seeded weights, a fixed input and the saving.

Runs under Python 3.6 and later, with Keras 1 to 3: it touches models only through methods that all of them have.
"""

from pathlib import Path

import numpy as np

OLD = Path(__file__).resolve().parent / "old"
POSITIVE = ("gamma", "variance", "running_std")


def leaves_of(model):
    """Every layer that holds no other layers, each once, nested models opened."""
    found = []
    for layer in model.layers:
        inner = leaves_of(layer) if hasattr(layer, "layers") and hasattr(layer, "summary") else [layer]
        found += [leaf for leaf in inner if not any(leaf is known for known in found)]
    return found


def random_weights(layer, rng):
    """Values like trained ones: no zeros, no ones, no two alike, so that a swapped or forgotten weight shows."""
    values = []
    for weight, value in zip(layer.weights, layer.get_weights()):  # noqa: B905  Python 3.6 has no strict
        if value.ndim > 1:
            spread = 1.2 / np.sqrt(max(np.prod(value.shape[:-1]), 1))
            values.append(rng.normal(0, spread, value.shape).astype(value.dtype))
        elif any(word in weight.name for word in POSITIVE):
            values.append(rng.uniform(0.4, 1.6, value.shape).astype(value.dtype))
        else:
            values.append(rng.uniform(-0.6, 0.6, value.shape).astype(value.dtype))
    return values


def fill(model, *, seed=0, keep=("Normalization",)):
    """Give every layer random weights, apart from those whose class is in `keep`."""
    rng = np.random.default_rng(seed)
    for layer in leaves_of(model):
        if layer.weights and type(layer).__name__ not in keep:
            layer.set_weights(random_weights(layer, rng))


def picture_like(shape, *, seed=7, low=0.0, high=255.0):
    """A fixed batch of uniform values; unknown sizes become 12, an unknown batch 2."""
    sizes = [shape[0] or 2, *(size or 12 for size in shape[1:])]
    return np.random.default_rng(seed).uniform(low, high, sizes).astype("float32")


def as_list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def keep_answer(model, stem, *, low=-1.0, high=1.0):
    """Write `stem`.npz: a fixed input and what this version of Keras answers (x, y; several: x0, x1, y0, y1).

    Inputs and outputs in dictionaries are numbered in the order of their sorted names.
    """
    names = sorted(model.input_shape) if isinstance(model.input_shape, dict) else None
    shapes = [model.input_shape[name] for name in names] if names else model.input_shape
    shapes = shapes if isinstance(shapes, list) else [shapes]
    xs = [picture_like(shape, seed=7 + number, low=low, high=high) for number, shape in enumerate(shapes)]
    given = dict(zip(names, xs)) if names else xs if len(xs) > 1 else xs[0]  # noqa: B905  as above
    answer = model.predict(given, verbose=0)
    ys = [answer[name] for name in sorted(answer)] if isinstance(answer, dict) else as_list(answer)
    arrays = {}
    for letter, values in (("x", xs), ("y", ys)):
        for number, value in enumerate(np.asarray(value, "float32") for value in values):
            if not np.isfinite(value).all() or (value.size > 1 and value.std() < 1e-4):
                raise SystemExit(f"{stem}: a useless answer, {letter}{number} = {value}")
            arrays[letter if len(values) == 1 else f"{letter}{number}"] = value
    np.savez_compressed(str(OLD / f"{stem}.npz"), **arrays)
