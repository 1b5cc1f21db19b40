"""The README: its options exist, all options are in it, and so are its pictures."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME
from xcnn_perturb.rise import RISE

FOLDER = Path(__file__).parent.parent
TEXT = (FOLDER / "README.md").read_text("utf-8")
COMMON = {"--target", "--on", "--out"}
"""Options of xcnn itself that the text speaks of."""


def test_every_option_that_the_text_names_exists():
    known = {f"--{field.name}" for kind in (RISE, LIME, KernelSHAP) for field in dataclasses.fields(kind)}

    assert set(re.findall(r"--[a-z]+", TEXT)) <= known | COMMON


@pytest.mark.parametrize("kind", [RISE, LIME, KernelSHAP])
def test_every_option_is_named(kind):
    assert [field.name for field in dataclasses.fields(kind) if f"--{field.name}" not in TEXT] == []


def test_every_picture_is_there():
    shown = re.findall(r"\((pictures/[^)]+)\)", TEXT)

    assert len(shown) == 4
    assert {str(path.relative_to(FOLDER)) for path in FOLDER.glob("pictures/*")} == set(shown)
