"""Models that can be asked for by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.plugin import NamedModel, Preprocessing, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).parent.parent / "data"


def imagenet_labels() -> tuple[str, ...]:
    """The 1000 class names of ImageNet in index order."""
    return tuple((DATA / "imagenet-classes.txt").read_text("utf-8").splitlines())


EFFICIENTNET_LITE0 = NamedModel(
    name="efficientnet-lite0",
    summary="ImageNet classifier, 4.7 M parameters, embedded: works offline",
    size=(224, 224),
    preprocessing=Preprocessing("efficientnet-lite0", "(pixels - 127) / 128", scale=(1 / 128,), offset=(-127 / 128,)),
    licence="Apache-2.0",
    path=lambda: DATA / "efficientnet-lite0.keras",
    labels=imagenet_labels,
)


@hookimpl
def xcnn_models() -> Iterable[NamedModel]:
    """Return the embedded model."""
    return (EFFICIENTNET_LITE0,)
