"""A walk over a model's config: every serialized object in it, and the layer it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TRAINING = frozenset({"compile_config", "training_config"})
"""What a model is trained with; it is loaded without."""


@dataclass(frozen=True)
class Entry:
    """One serialized object."""

    value: dict[str, Any]
    kind: str
    """Its class, or ``function``."""
    owner: str
    """The name of the innermost layer it belongs to, its own if it is a layer; "" outside of any."""

    @property
    def config(self) -> dict[str, Any]:
        """Its arguments; empty when it has none."""
        found = self.value.get("config")
        return found if isinstance(found, dict) else {}

    @property
    def module(self) -> str | None:
        """Where Keras 3 says it comes from; "" when the file does not say, None when it says that it is foreign."""
        found = self.value.get("module", "")
        return found if found is None else str(found)


def entries(config: Any) -> Iterator[Entry]:
    """Every serialized object in a config, outermost first, with an explicit stack against deep nesting."""
    stack = [(config, "")]
    while stack:
        value, owner = stack.pop()
        if isinstance(value, dict):
            if isinstance(kind := value.get("class_name"), str):
                owner = _name(value) or owner
                yield Entry(value, kind, owner)
            parts = list(value.values())
        elif isinstance(value, (list, tuple)):
            parts = list(value)
        else:
            continue
        # Most of a config is numbers and words, and it is walked several times.
        stack += [(part, owner) for part in reversed(parts) if isinstance(part, (dict, list, tuple))]


def _name(value: dict[str, Any]) -> str:
    inner = value.get("config")
    found = value.get("name") or (inner.get("name") if isinstance(inner, dict) else "")
    # Data types are named as layers are.
    return str(found) if isinstance(found, str) and not value["class_name"].endswith("Policy") else ""


def drop_training(config: dict[str, Any]) -> bool:
    """Remove losses, metrics and optimizers from a config in place; say whether models within models had any.

    Keras leaves those of the outermost model alone; for nested ones it would look up their classes.
    """
    nested = False
    for entry in entries(config):
        for key in TRAINING:
            if entry.value.pop(key, None) and entry.value is not config:
                nested = True
    return nested


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names in a sentence, each once, the rest counted."""
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
