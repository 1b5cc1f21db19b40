"""From pixels to a network's input: resizing, and the affine preprocessings as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xcnn.plugin import Preprocessing, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from xcnn.network.affine import Affine
    from xcnn.values import Floats, Pixels

AUTO = "auto"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

BUILTIN = (
    Preprocessing("none", "pixels 0..255 as they are"),
    Preprocessing("unit", "pixels / 255, so 0..1", scale=(1 / 255,)),
    Preprocessing("tf", "pixels / 127.5 - 1, so -1..1 (MobileNet, Inception, ...)", scale=(1 / 127.5,), offset=(-1.0,)),
    Preprocessing(
        "caffe",
        "BGR minus the ImageNet mean (VGG, ResNet50)",
        channels="bgr",
        offset=(-103.939, -116.779, -123.68),
    ),
    Preprocessing(
        "torch",
        "pixels / 255, minus the ImageNet mean, by its deviation (DenseNet, PyTorch models)",
        scale=tuple(1 / (255 * deviation) for deviation in IMAGENET_STD),
        offset=tuple(-mean / deviation for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)),
    ),
)
"""The modes of ``keras.applications.imagenet_utils.preprocess_input``, and two plain ones."""

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as in every image library's conversion to gray."""


@hookimpl
def xcnn_preprocessors() -> Iterable[Preprocessing]:
    """Return the built-in preprocessings."""
    return BUILTIN


@dataclass(frozen=True)
class Decision:
    """A preprocessing, why it was chosen, and a warning when it was guessed."""

    preprocessing: Preprocessing
    reason: str
    warning: str = ""


def by_evidence(arithmetic: Sequence[str], found: Affine | None, paths: Sequence[str], *, channels: int) -> Decision:
    """Decide what a model expects that says nothing of it.

    Parameters
    ----------
    arithmetic : sequence of str
        The ops between the pixels and the first convolution, without learned ones.
    found : Affine, optional
        What they do, where it is a scale and an offset.
    paths : sequence of str
        The model's layers in execution order: they tell a well-known backbone.
    channels : int
        Of the input: backbones are trained with three, so anything else is changed before it reaches one.
    """
    # The tables of this module must not load NumPy.
    from xcnn.network import affine, backbones

    by_name = {mode.name: mode for mode in BUILTIN}
    mode, reason = affine.verdict(found) if found else ("", "")
    if mode:
        return Decision(by_name[mode], reason)
    if arithmetic and not found:
        ops = ", ".join(sorted(set(arithmetic)))
        return Decision(by_name["none"], f"the model changes its input itself ({ops})")
    if channels == len(IMAGENET_MEAN) and (backbone := backbones.recognise(paths)):
        return Decision(by_name[backbone.preprocessing], f"what {backbone.family} is trained with: {backbone.reason}")
    return Decision(
        by_name["unit"],
        "a guess: nothing in the model tells",
        "preprocessing is a guess (pixels / 255): if predictions look wrong, try --preprocess tf, caffe, torch or none",
    )


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize a (h, w, 3) uint8 picture to `size` (height, width), by area when it shrinks."""
    import cv2
    import numpy as np

    height, width = size
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = pixels.shape[0] >= height and pixels.shape[1] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def apply(preprocessing: Preprocessing, pixels: Pixels, *, channels: int) -> Floats:
    """Turn (n, h, w, 3 or 4) uint8 pixels into (n, h, w, channels) float32 inputs.

    A network with one channel receives the luma; the preprocessing's first numbers apply then. A fourth channel, the
    transparency, is treated like the third. Any other number of channels receives the luma in each.
    """
    import numpy as np

    if channels not in {3, 4}:
        gray = (pixels[..., :3] @ np.asarray(LUMA, np.float32))[..., np.newaxis]
        # Pictures become whole gray levels, as in every image library; a baseline in fractions stays what it is.
        gray = np.rint(gray) if pixels.dtype == np.uint8 else gray
        gray = (gray * preprocessing.scale[0] + preprocessing.offset[0]).astype(np.float32)
        return np.repeat(gray, channels, axis=3)
    order = ([2, 1, 0] if preprocessing.channels == "bgr" else [0, 1, 2]) + [3] * (channels - 3)
    inputs = pixels[..., order].astype(np.float32)
    inputs *= _per_channel(preprocessing.scale, channels)
    inputs += _per_channel(preprocessing.offset, channels)
    return inputs


def _per_channel(numbers: Sequence[float], channels: int) -> np.ndarray:
    """One number per channel of the network; the last stands for those that follow."""
    import numpy as np

    return np.asarray([numbers[min(place, len(numbers) - 1)] for place in range(channels)], np.float32)
