"""What every explainer owes on every kind of model: the checks of `xcnn.testing`, on the built-in ones and a plugin's."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import xcnn
from xcnn.host import Host
from xcnn.plugin import Attribution, Explainer
from xcnn.render import figure, text
from xcnn.testing import KINDS, OFTEN, network, parametrize_with_checks, pictures

pytestmark = pytest.mark.keras

QUICK = {
    "filters": {"steps": 2, "grid": "1x2"},
    "occlusion": {"window": "9x7", "stride": "7x5"},
    "integrated": {"steps": 4},
    "smoothgrad": {"samples": 3},
}
"""Options that make slow ones quick."""


def toy():
    """A third-party explainer, from the file that its distribution installs."""
    folder = str(Path(__file__).parent / "distributions" / "toy")
    sys.path.insert(0, folder)
    try:
        return importlib.import_module("xcnn_toy").Toy()
    finally:
        sys.path.remove(folder)


EXPLAINERS = [*(kind(**QUICK.get(name, {})) for name, kind in Host().builtin.items()), toy()]


PATTERNS = [one for one in EXPLAINERS if one.name == "filters"]
"""Each of its checks takes seconds."""


@parametrize_with_checks([one for one in EXPLAINERS if one not in PATTERNS], kinds=OFTEN)
def test_an_explainer_keeps_its_contract(check):
    check()


@pytest.mark.slow
@parametrize_with_checks(PATTERNS, kinds=OFTEN)
def test_patterns_keep_their_contract(check):
    check()


@pytest.mark.slow
@parametrize_with_checks(EXPLAINERS, kinds=[kind for kind in KINDS if kind not in OFTEN])
def test_an_explainer_keeps_its_contract_on_the_other_kinds_of_models(check):
    check()


def test_every_explainer_of_pictures_runs_beside_the_others():
    nested = network("nested")
    fitting = [one for one in EXPLAINERS if isinstance(one, Explainer) and one.fits(nested) is None]

    run = xcnn.explain(nested, pictures(), fitting)

    assert {result.explainer for result in run.results} == {one.name for one in fitting}
    assert len(fitting) > 8
    assert not run.failures


def test_what_values_are_is_written_whole_below_the_legend():
    nested = network("nested")
    fitting = [one for one in EXPLAINERS if isinstance(one, Explainer) and one.fits(nested) is None]
    run = xcnn.explain(nested, pictures()[:1], fitting)

    units = {panel.unit for result in run.results for panel in result.panels if isinstance(panel, Attribution)}
    assert len(units) > 2
    for unit in units:
        assert text.shortened(unit, figure.CAPTION, figure.LEGEND + figure.LONG_UNIT) == unit
