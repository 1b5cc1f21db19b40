"""What the plugin API offers beside its classes."""

from __future__ import annotations

import pytest

from xcnn.errors import OptionError
from xcnn.plugin import check_fill


def test_an_unknown_fill_is_refused_with_the_words_an_explainer_adds():
    check_fill("superpixel", "superpixel")
    with pytest.raises(OptionError, match="--fill is 'white'") as caught:
        check_fill("white", "superpixel")

    assert caught.value.hint == "one of superpixel, mean, gray, black, blur, #rrggbb"
