"""Models that can be asked for by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.network import applications
from xcnn.plugin import NamedModel, Preprocessing, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATA = Path(__file__).parent.parent / "data"


def imagenet_labels() -> tuple[str, ...]:
    """The 1000 class names of ImageNet in index order."""
    return tuple((DATA / "imagenet-classes.txt").read_text("utf-8").splitlines())


EFFICIENTNET_LITE0 = NamedModel(
    name="efficientnet-lite0",
    summary="ImageNet classifier, works offline",
    size=(224, 224),
    preprocessing=Preprocessing("efficientnet-lite0", "(pixels - 127) / 128", scale=(1 / 128,), offset=(-127 / 128,)),
    licence="Apache-2.0",
    path=lambda: DATA / "efficientnet-lite0.keras",
    labels=imagenet_labels,
    parameters=4_694_024,
)


@hookimpl
def xcnn_models() -> Iterable[NamedModel]:
    """Return the embedded model and the classifiers of ``keras.applications``."""
    return (EFFICIENTNET_LITE0, *applications.named_models(imagenet_labels))


def find(word: str, known: Mapping[str, NamedModel]) -> NamedModel | None:
    """Find a model by name, however it is spelled: "VGG16", "mobilenet_v2" and "efficientnet-b0" are known."""
    if word in known:
        return known[word]
    return next((model for name, model in known.items() if _bare(name) == _bare(word)), None)


def _bare(name: str) -> str:
    return re.sub(r"[-_ ]", "", name.lower())
