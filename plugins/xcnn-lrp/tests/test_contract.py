"""What every explainer owes on every kind of model: the checks of `xcnn.testing`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xcnn.host import Host
from xcnn.testing import parametrize_with_checks
from xcnn_lrp import LRP
from xcnn_lrp.rules import NAMES, rule


@parametrize_with_checks([LRP])
def test_lrp_keeps_its_contract(check):
    check()


@parametrize_with_checks([LRP(rule=name) for name in NAMES[1:]], kinds=["nested", "sigmoid", "float16"])
def test_each_rule_keeps_the_contract(check):
    check()


def test_the_command_and_the_rules_are_found_once_installed():
    host = Host()

    assert host.explainer("lrp") is LRP
    named = host.gradient_rules(extensions=True)
    assert {f"lrp-{name}" for name in NAMES} <= set(named)
    assert named["lrp-gamma"] == rule("gamma")


@pytest.mark.parametrize("module", ["xcnn_lrp", "xcnn_lrp.named"])
def test_importing_it_loads_neither_tensorflow_nor_numpy(module):
    code = f"import sys, {module}; print(*(name for name in ('tensorflow', 'keras', 'numpy') if name in sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
