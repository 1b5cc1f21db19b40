"""The time that a picture may take."""

from __future__ import annotations

import time

from xcnn.maths import Budget


def test_the_first_part_is_free_and_a_part_that_would_end_too_late_is_not_begun():
    budget = Budget(0.15)
    time.sleep(0.2)

    assert not budget.spent(4)
    time.sleep(0.1)
    assert budget.spent(8)  # as long again would be 0.2 s


def test_a_longer_part_needs_more_time():
    budget = Budget(1.0)
    budget.spent(4)
    time.sleep(0.1)

    assert not budget.spent(8)
    assert budget.spent(8, following=400)
