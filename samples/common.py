"""What the samples share: their arguments, pictures in folders, learning curves."""

from __future__ import annotations

import argparse
import logging as python_logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from absl import logging

from xcnn.network import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

environment.prepare()  # before a sample imports TensorFlow, which would tell of GPUs that it misses
logging.set_verbosity(logging.ERROR)  # Keras warns of each model in HDF5, and those are what many people have
python_logging.getLogger("tensorflow").setLevel(python_logging.ERROR)  # which tells when it traces much


def arguments(
    description: str,
    *,
    name: str,
    epochs: int,
    quick: int,
    bases: Sequence[str] = (),
    own: Sequence[argparse.ArgumentParser] = (),
) -> argparse.Namespace:
    """Read the command line: ``--data``, ``--epochs``, ``--quick``, ``--out`` and ``--seed``.

    ``epochs`` and ``quick`` are how many epochs a full and a quick run take when nobody says. With ``bases``, the first
    of which is taken when nobody says, there is ``--base``. ``own`` has what only one sample takes.
    """
    parser = argparse.ArgumentParser(description=description, parents=own)
    parser.add_argument("--data", type=Path, help="your own pictures, in folders; without, the sample brings its own")
    parser.add_argument("--epochs", type=_count, help=f"how long to train ({epochs}; {quick} with --quick)")
    parser.add_argument("--quick", action="store_true", help="end in about a minute, with a model that is less good")
    parser.add_argument("--out", type=Path, default=Path("xcnn-out") / name, help="the folder to make (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="where random numbers start (%(default)s)")
    if bases:
        parser.add_argument("--base", choices=bases, default=bases[0], help="what the models stand on (%(default)s)")
    given = parser.parse_args()
    given.epochs = given.epochs or (quick if given.quick else epochs)
    if given.out.exists():
        parser.error(f"{given.out} exists: name another folder with --out, or remove it")
    return given


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def split(labels: np.ndarray, held_out: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `held_out` indices of every class to test with, and return those to train with and these, shuffled."""
    rng = np.random.default_rng(seed)
    test = np.concatenate(
        [rng.choice(np.flatnonzero(labels == one), held_out, replace=False) for one in np.unique(labels)]
    )
    train = rng.permutation(np.setdiff1d(np.arange(len(labels)), test))
    return train, rng.permutation(test)


def curves(history: Mapping[str, Sequence[float]], path: Path, *, smooth: float = 0.6) -> Path:
    """Draw loss and accuracy over the epochs, as they were (thin) and their exponential moving average (thick)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for key, colour, name in ((quantity, "#1f5f8b", "training"), (f"val_{quantity}", "#c2571a", "held out")):
            values = list(history[key])
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=colour, alpha=0.35, linewidth=1)
            axes.plot(epochs, averaged(values, smooth), color=colour, linewidth=2, label=name)
        axes.set(xlabel="epoch", title=quantity.capitalize())
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="#e4e7eb")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path, pil_kwargs={"optimize": True})
    return path


def averaged(values: Sequence[float], smooth: float) -> list[float]:
    """The exponential moving average: each value weighs `1 - smooth` against all before it, the first fully."""
    means = [values[0]]
    for value in values[1:]:
        means.append(smooth * means[-1] + (1 - smooth) * value)
    return means
