"""Well-known backbones, recognised by the names of their layers.

A network that shares a few names with a backbone is not one: it has to show the whole beginning of the backbone, and
nothing that only others have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from xcnn.network.backbone_table import FAMILIES, RESCALING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.network.backbone_table import Family


@dataclass(frozen=True)
class Backbone:
    """A backbone that was recognised."""

    family: str
    """Such as "VGG16", or "ResNet" where it is cut before its depth shows."""
    preprocessing: str
    """The mode its weights want: "caffe", "tf", "torch", or "none" where it rescales pixels itself."""
    reason: str


def recognise(names: Sequence[str]) -> Backbone | None:
    """Recognise a backbone by the names of a model's layers.

    Parameters
    ----------
    names : sequence of str
        In execution order, bare or as paths (``vgg16/block1_conv1``), with or without the number of a call behind.

    Returns
    -------
    Backbone or None
        None, too, where two backbones want different preprocessings.
    """
    layers = Layers(tuple(re.sub(r"\[\d+\]$", "", name) for name in names))
    found = [backbone for family in FAMILIES if (backbone := _as(family, layers))]
    return found[0] if len({backbone.preprocessing for backbone in found}) == 1 else None


@dataclass(frozen=True)
class Layers:
    """The names of a model's layers; old ones contain slashes, too, so each ending of a path may be the name."""

    paths: tuple[str, ...]

    @cached_property
    def endings(self) -> tuple[tuple[str, ...], ...]:
        """For each path its endings, longest first, with ``_`` for ``/``."""
        return tuple(
            tuple("_".join(parts[start:]) for start in range(len(parts)))
            for parts in (path.split("/") for path in self.paths)
        )

    @cached_property
    def known(self) -> frozenset[str]:
        """Every name."""
        return frozenset(ending for endings in self.endings for ending in endings)

    def count(self, pattern: str) -> int:
        """How many layers' names match."""
        if pattern in self.known:
            return 1
        if re.fullmatch(r"\w+", pattern):
            return 0
        whole = re.compile(pattern)
        return sum(any(whole.fullmatch(ending) for ending in endings) for endings in self.endings)

    def matching(self, pattern: str) -> list[str]:
        """The names that match, in order."""
        whole = re.compile(pattern)
        found = (next(filter(whole.fullmatch, endings), None) for endings in self.endings)
        return [name for name in found if name]

    def follow(self, names: Sequence[str]) -> bool:
        """Whether layers of these names follow each other, without another between."""
        return any(
            all(name in endings for name, endings in zip(names, self.endings[start:], strict=False))
            for start in range(len(self.endings) - len(names) + 1)
        )


def _as(family: Family, layers: Layers) -> Backbone | None:
    """The backbone, if the layers are those of the family."""
    needs = family.needs.split()
    for need in needs:
        times, _, pattern = need.rpartition(":")
        if layers.count(pattern) < int(times or 1):
            return None
    if (family.lacks and layers.count(family.lacks)) or (family.together and not layers.follow(needs)):
        return None
    name = next((member for layer, member in family.depths if layer in layers.known), family.name)
    own = layers.matching(family.own)
    words = f"the layers of {name} ({own[0]} ... {own[-1]})"
    if not family.rescales:
        return Backbone(name, family.preprocessing, words)
    if layers.count(RESCALING):
        return Backbone(name, "none", f"{words}, which rescales pixels itself")
    return Backbone(name, family.preprocessing, f"{words} without its rescaling layers{family.note}")
