"""What was changed in a config, gathered into one sentence per kind of change."""

from __future__ import annotations

MOST_EXAMPLES = 3
"""How many examples a sentence shows."""


class Notes:
    """A list of changes that grows while a config is rewritten.

    Examples
    --------
    >>> notes = Notes()
    >>> notes.add("renamed {layers} of Keras 1 ({examples})", "Convolution2D -> Conv2D")
    >>> notes.add("renamed {layers} of Keras 1 ({examples})", "Convolution2D -> Conv2D")
    >>> notes.told()
    ('renamed 2 layers of Keras 1 (Convolution2D -> Conv2D)',)
    """

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, sentence: str, example: str = "") -> None:
        """Count one change; `sentence` may name ``{layers}`` (how many) and ``{examples}``."""
        self._found.setdefault(sentence, []).append(example)

    def told(self) -> tuple[str, ...]:
        """Return one sentence per kind of change, in the order they were first met."""
        return tuple(_told(sentence, examples) for sentence, examples in self._found.items())


def _told(sentence: str, examples: list[str]) -> str:
    different = list(dict.fromkeys(example for example in examples if example))
    shown = ", ".join(different[:MOST_EXAMPLES]) + (", ..." if len(different) > MOST_EXAMPLES else "")
    count = f"{len(examples)} layer{'s' if len(examples) > 1 else ''}"
    return sentence.replace("{layers}", count).replace("{examples}", shown)
