"""The contract of plugins as checks: for pytest, and for `xcnn plugins check`.

::

    from xcnn.testing import parametrize_with_checks

    @parametrize_with_checks([Energy()])
    def test_energy_keeps_its_contract(check):
        check()

`KINDS` are the small models that checks run on, `network` opens one for tests of your own. Importing this loads no
TensorFlow; the checks do.
"""

from xcnn.testing.contract import Check, check, checks, parametrize_with_checks
from xcnn.testing.finding import Finding
from xcnn.testing.kinds import KINDS, OFTEN, network, pictures

__all__ = [
    "KINDS",
    "OFTEN",
    "Check",
    "Finding",
    "check",
    "checks",
    "network",
    "parametrize_with_checks",
    "pictures",
]
