"""The two recipes of gradient ascent: what a pattern is made of, how it starts and how a step changes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.values import Floats

GRAY = (128.0, 148.0)
"""Where the noise of the classic recipe lies, in pixel values."""
COLOUR_VARIANCES = (0.2175, 0.0188, 0.0045)
COLOUR_AXES = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
"""Principal components of the colours of ImageNet, one per column (Krizhevsky et al. 2012)."""


class Maps(NamedTuple):
    """The map of its own channel for each row, (n, positions): after and before the layer's own activation."""

    after: Any
    before: Any


class Steps(Protocol):
    """One recipe for pictures of one size; ``state[0]`` is what the gradient is taken by."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""

    @property
    def steps(self) -> int:
        """How many steps there are."""

    @property
    def words(self) -> str:
        """The recipe in one line."""

    def start(self, generators: Sequence[np.random.Generator], *, attempt: int) -> tuple[Floats, ...]:
        """Make the first state, one row per generator."""

    def view(self, state: Sequence[Any], *, shaken: Any, seed: Any) -> Any:
        """Make the pictures the network sees, (n, h, w, colours) in 0..255; with ``shaken``, from where it happens."""

    def objective(self, maps: Maps) -> Any:
        """What is maximised, (n,)."""

    def updated(self, state: Sequence[Any], gradient: Any, step: Any) -> tuple[Any, ...]:
        """Make the next state; ``step`` counts from 0."""


@dataclass(frozen=True)
class Classic:
    """Gray noise that follows its gradient, which is divided by its root mean square.

    References
    ----------
    Chollet, How convolutional neural networks see the world, The Keras Blog, 2016.
    """

    size: tuple[int, int]
    colours: int
    steps: int = 40
    rate: float = 1.0

    @property
    def words(self) -> str:
        """The recipe in one line."""
        return (
            f"classic: gray noise in {GRAY[0]:g}..{GRAY[1]:g}, {self.steps} steps of size {self.rate:g} along the "
            "gradient divided by its root mean square, mean activation over the map"
        )

    def start(self, generators: Sequence[np.random.Generator], *, attempt: int) -> tuple[Floats, ...]:
        """Draw noise; what excites nothing is tried again with wider noise around the same gray."""
        low, high = GRAY
        wider = (high - low) * (2**attempt - 1) / 2
        shape = (*self.size, self.colours)
        noise = [generator.uniform(low - wider, high + wider, shape) for generator in generators]
        return (np.asarray(noise, np.float32),)

    def view(self, state: Sequence[Any], *, shaken: Any, seed: Any) -> Any:  # noqa: ARG002 (nothing is shaken)
        """The state is the picture."""
        return state[0]

    def objective(self, maps: Maps) -> Any:
        """Average the activation over the map."""
        return tf.reduce_mean(maps.after, axis=1)

    def updated(self, state: Sequence[Any], gradient: Any, step: Any) -> tuple[Any, ...]:  # noqa: ARG002 (always alike)
        """Go one step along the normalised gradient."""
        size = tf.sqrt(tf.reduce_mean(tf.square(gradient), axis=(1, 2, 3), keepdims=True))
        return (state[0] + self.rate * gradient / (size + 1e-5),)


@dataclass(frozen=True)
class Fourier:
    """A decorrelated spectrum that Adam changes, while the picture it makes is shifted and scaled at random.

    The canvas is larger than the picture, so that the shifts show the network nothing but pattern. Its contrast is
    bounded: without that, patterns of early layers drift to black, white and pure colours.

    References
    ----------
    Olah et al., Feature Visualization, Distill, 2017. Kingma and Ba, Adam, ICLR 2015.
    """

    size: tuple[int, int]
    colours: int
    steps: int = 128
    rate: float = 0.05
    zoom: float = 1.15
    contrast: float = 1.2
    leak: float = 0.1
    noise: float = 0.01
    decay: float = 1.15
    momenta: tuple[float, float] = (0.9, 0.999)

    @property
    def shift(self) -> int:
        """The largest shift in pixels."""
        return math.ceil(max(self.size) / 12)

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of the picture with what shifts and scales may uncover around it."""
        height, width = (side + 2 * math.ceil(self.shift + side * (self.zoom - 1) / 2) for side in self.size)
        return height, width

    @property
    def words(self) -> str:
        """The recipe in one line."""
        return (
            f"fourier: {self.steps} steps of Adam ({self.rate:g}) on a spectrum scaled by 1/f in decorrelated colours, "
            f"shifts up to {self.shift} px, scales {1 / self.zoom:.2f}..{self.zoom:.2f}; maximised is the mean over "
            f"the map, values below zero counting {self.leak:g}"
        )

    def start(self, generators: Sequence[np.random.Generator], *, attempt: int) -> tuple[Floats, ...]:
        """Draw a faint spectrum, (n, 2, colours, h, w/2 + 1), and zero both momenta of Adam."""
        height, width = self.canvas
        shape = (2, self.colours, height, width // 2 + 1)
        deviation = self.noise * 8**attempt
        spectrum = np.asarray([generator.normal(0, deviation, shape) for generator in generators], np.float32)
        return spectrum, np.zeros_like(spectrum), np.zeros_like(spectrum)

    def view(self, state: Sequence[Any], *, shaken: Any, seed: Any) -> Any:
        """Cut the picture out of the canvas."""
        low = tf.math.log(1 / self.zoom)
        spread = tf.where(shaken, tf.random.stateless_uniform([], seed, low, -low), 0.0)
        scale = tf.exp(spread) * tf.ones(2)
        moved = tf.random.stateless_uniform([2], seed + tf.constant([0, 1]), -self.shift, self.shift)
        middle = tf.constant(self.canvas, tf.float32) / 2 + tf.where(shaken, moved, 0.0)
        return tf.raw_ops.ScaleAndTranslate(
            images=255.0 * self._picture(state[0]),
            size=list(self.size),
            scale=scale,
            translation=tf.constant(self.size, tf.float32) / 2 - middle * scale,
            kernel_type="triangle",
            antialias=True,
        )

    def _picture(self, spectrum: Any) -> Any:
        """Turn (n, 2, colours, h, w/2 + 1) into the canvas, (n, h, w, colours) in 0..1."""
        waves = tf.complex(spectrum[:, 0], spectrum[:, 1]) * amplitudes(self.canvas, self.decay)
        waves = tf.transpose(tf.signal.irfft2d(waves, list(self.canvas)), [0, 2, 3, 1])
        if self.colours == len(COLOUR_VARIANCES):
            waves = tf.tensordot(waves, colour_axes().T, 1)
        deviation = tf.sqrt(tf.reduce_mean(tf.square(waves), axis=(1, 2, 3), keepdims=True) + 1e-6)
        return tf.sigmoid(waves * self.contrast * tf.tanh(deviation / self.contrast) / deviation)

    def objective(self, maps: Maps) -> Any:
        """Average the positive part over the map, and a little of what lies below: else dead positions stay dead.

        The plain mean of a layer without activation would be maximised by a flat field of one colour in early layers.
        """
        return tf.reduce_mean(tf.nn.relu(maps.after) + self.leak * tf.minimum(maps.before, 0.0), axis=1)

    def updated(self, state: Sequence[Any], gradient: Any, step: Any) -> tuple[Any, ...]:
        """One step of Adam."""
        spectrum, mean, square = state
        first, second = self.momenta
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * tf.square(gradient)
        times = tf.cast(step + 1, tf.float32)
        unbiased = tf.sqrt(square / (1 - second**times))
        return spectrum + self.rate * mean / (1 - first**times) / (unbiased + 1e-12), mean, square


def amplitudes(size: tuple[int, int], decay: float) -> Floats:
    """The amplitude of each wave of a natural picture, (h, w/2 + 1): one over its frequency."""
    height, width = size
    vertical = np.fft.fftfreq(height)[:, np.newaxis]
    frequencies = np.hypot(vertical, np.fft.rfftfreq(width)[np.newaxis])
    scales = 1 / np.maximum(frequencies, 1 / max(size)) ** decay
    return np.asarray(scales * math.sqrt(height * width) / 4, np.float32)


def colour_axes() -> Floats:
    """The square root of the covariance of colours, (3, 3), its longest column of length 1."""
    root = np.asarray(COLOUR_AXES) * np.sqrt(COLOUR_VARIANCES)
    return np.asarray(root / np.linalg.norm(root, axis=0).max(), np.float32)


def of(kind: str, size: tuple[int, int], colours: int, steps: int | None) -> Steps:
    """The recipe named "fourier" or "classic" for pictures of a size."""
    made: type[Fourier | Classic] = {"fourier": Fourier, "classic": Classic}[kind]
    return made(size, colours) if steps is None else made(size, colours, steps)
