"""Computing in bfloat16 what a model was built to compute in float32."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from collections.abc import Iterator

CPU = Path("/proc/cpuinfo")
FLAGS = frozenset({"amx_bf16", "avx512_bf16", "avx_ne_convert", "bf16"})
"""What the kernel calls the instructions, on x86 and ARM."""


def has_bfloat16(cpu: Path = CPU) -> bool:
    """Whether this CPU multiplies bfloat16 numbers itself; False where that can't be told."""
    try:
        lines = cpu.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    flags = {flag for line in lines if line.lower().startswith(("flags", "features")) for flag in line.split()}
    return not FLAGS.isdisjoint(flags)


@contextmanager
def computing_in(model: Any, precision: str) -> Iterator[None]:
    """Let the float32 layers of `model` compute in another precision inside the block; their weights stay float32."""
    before: list[tuple[Any, Any]] = []
    try:
        if precision != "float32":
            policy = keras.dtype_policies.DTypePolicy(f"mixed_{precision}")
            for layer in model._flatten_layers(include_self=True, recursive=True):  # noqa: SLF001 (no public walk reaches nested layers)
                plain = getattr(layer.dtype_policy, "quantization_mode", None) is None
                if plain and layer.compute_dtype == "float32":
                    before.append((layer, vars(layer)["_dtype_policy"]))
                    # Past the setter, which refuses and rebuilds.
                    object.__setattr__(layer, "_dtype_policy", policy)
        yield
    finally:
        for layer, policy in before:
            object.__setattr__(layer, "_dtype_policy", policy)
