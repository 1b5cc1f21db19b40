"""What every explainer owes on every kind of model, and what these may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import xcnn_perturb
from xcnn.testing import KINDS, OFTEN, parametrize_with_checks
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME
from xcnn_perturb.rise import RISE

QUICK = [kind(samples=20, repeats=2) for kind in (RISE, LIME, KernelSHAP)]
FILES = sorted(Path(xcnn_perturb.__file__).parent.glob("*.py"))


@pytest.mark.keras
@parametrize_with_checks(QUICK, kinds=OFTEN)
def test_an_explainer_keeps_its_contract(check):
    check()


@pytest.mark.keras
@pytest.mark.slow
@parametrize_with_checks(QUICK, kinds=[kind for kind in KINDS if kind not in OFTEN])
def test_an_explainer_keeps_its_contract_on_the_other_kinds_of_models(check):
    check()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_of_xcnn_is_imported_but_its_plugin_api_and_nothing_heavy_before_it_is_needed(path):
    tree = ast.parse(path.read_text("utf-8"))
    imported = {node: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {node: node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)}
    at_top = {imported[node] for node in tree.body if node in imported}

    assert {module for module in imported.values() if module.split(".")[0] == "xcnn"} <= {"xcnn.plugin"}
    assert not {module.split(".")[0] for module in at_top} & {"skimage", "scipy", "tensorflow", "keras"}


def test_importing_the_explainers_loads_nothing_heavy():
    code = "import sys, xcnn_perturb.rise, xcnn_perturb.lime, xcnn_perturb.kernelshap; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"numpy", "scipy", "skimage", "tensorflow", "keras"} & set(done.stdout.split())
