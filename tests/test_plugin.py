"""What the plugin API offers beside its classes."""

from __future__ import annotations

import numpy as np
import pytest

from xcnn.errors import OptionError
from xcnn.plugin import check_fill, maths


def test_a_fill_is_checked_and_made_by_the_plugin_api_alone():
    check_fill("blur")

    np.testing.assert_array_equal(maths.filled(np.zeros((1, 1, 3), np.uint8), "#ff8000"), [[[255, 128, 0]]])


def test_an_unknown_fill_is_refused_with_the_words_an_explainer_adds():
    check_fill("superpixel", "superpixel")
    with pytest.raises(OptionError, match="--fill is 'white'") as caught:
        check_fill("white", "superpixel")

    assert caught.value.hint == "one of superpixel, mean, gray, black, blur, #rrggbb"
