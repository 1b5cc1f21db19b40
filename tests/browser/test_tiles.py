"""Enlarged tiles: what is told of each, how one turns to the next, and links that fit several."""

import re

import numpy as np
import pytest

from xcnn.plugin import Curve, Image, Result, Table, Tiles

pytestmark = pytest.mark.browser

LAYER = "block3/conv1"
STATES = ["", "", "dead", "diverged", *[""] * 8]


def fragment(page):
    """The address's fragment once it has been written."""
    page.wait_for_timeout(200)
    return page.evaluate("decodeURIComponent(location.hash)")


def patterns():
    """What `xcnn filters` says of twelve channels: pictures, a curve per channel that has one, and their activations."""
    names = tuple(map(str, range(12)))
    pictures = np.random.default_rng(0).random((12, 8, 8, 3), np.float32)
    tiles = Tiles(pictures, names, "signed", "pixel", scale="picture", layer=LAYER, columns=4, marks=tuple(STATES))
    losses = {name: np.float32([0, 0.5, 1]) * int(name) for name in names if STATES[int(name)] != "diverged"}
    curve = Curve("ascent", losses, "step", "activation that is maximised", layer=LAYER)
    rows = tuple((name, 0.25, 1.0 * int(name), STATES[int(name)] or "alive") for name in names)
    table = Table("patterns", ("channel", "activation at start", "at end", "state"), rows, layer=LAYER)
    return Result("filters", None, None, (tiles, curve, table), (), 1.0)


def activations(number):
    """All channels of the layer on a picture, and the two strongest once more."""
    values = np.random.default_rng(number).normal(size=(12, 6, 6)).astype(np.float32)
    values[7] = np.arange(-6, 30).reshape(6, 6) / 10
    every = Tiles(values, tuple(map(str, range(12))), "signed", "activation", layer=LAYER)
    best = Tiles(values[[7, 2]], ("7", "2"), "signed", "activation", layer=LAYER, title="strongest channels")
    image = Image(f"photos/cat{number}.jpg", f"{number:012x}" + "ab" * 26, (300, 400))
    return Result("saliency", image, None, (every, best), (), 1.0)


@pytest.fixture(scope="module")
def ascent(written):
    return written([patterns()], names=("filters",))


@pytest.fixture(scope="module")
def several(written):
    return written([patterns()], [activations(1)], [activations(2)], names=("filters", "saliency"))


def opened_tile(page):
    return page.get_by_role("dialog").locator("h2").inner_text().removeprefix(f"{LAYER} · ")


def facts(page):
    terms, values = page.locator("dialog dt").all_inner_texts(), page.locator("dialog dd").all_inner_texts()
    return dict(zip([term.lower() for term in terms], values, strict=True))


def test_a_pattern_tells_its_channel_its_activations_and_its_loss_and_nothing_of_its_pixels(opened, ascent):
    page = opened(ascent)

    page.get_by_role("link", name=f"{LAYER}, 9", exact=True).click()

    assert facts(page) == {
        "layer": LAYER, "channel": "9", "activation at start": "0.25", "at end": "9.00", "state": "alive",
    }  # fmt: skip
    loss = page.locator("dialog .loss")
    assert loss.get_by_role("img", name="What was maximised over 3 steps: from 0 to 9.00").is_visible()
    assert "activation that is maximised" in loss.inner_text()
    # The line rises to the upper right: as far as the drawing is wide and high.
    points = [tuple(map(float, one.split(","))) for one in loss.locator("polyline").get_attribute("points").split()]
    assert len(points) == 3
    assert points[0][0] < points[1][0] < points[2][0]
    assert points[0][1] > points[1][1] > points[2][1]


@pytest.mark.parametrize(("channel", "state", "curves"), [("2", "dead", 1), ("3", "diverged", 0), ("4", "", 1)])
def test_a_pattern_that_is_none_has_a_badge(opened, ascent, channel, state, curves):
    page = opened(ascent, f"#f={LAYER}:{channel}")

    assert page.locator("dialog .dead").all_inner_texts() == ([state] if state else [])
    assert page.locator("dialog .loss").count() == curves


def test_a_feature_map_tells_its_values_in_their_unit(opened, several):
    page = opened(several, f"#img=000000000001&f={LAYER}:7")

    assert facts(page) == {
        "layer": LAYER, "channel": "7", "largest": "2.90 activation", "mean": "1.15 activation",
        "least": "-0.60 activation", "above zero": "80.6% of the tile",
    }  # fmt: skip
    assert page.locator("dialog .loss").count() == 0


def test_arrows_turn_from_tile_to_tile_and_skip_none(opened, ascent):
    page = opened(ascent, f"#f={LAYER}:0")
    page.get_by_role("dialog").wait_for()

    passed = [opened_tile(page)]
    for _ in range(12):  # once more than there are
        page.keyboard.press("ArrowRight")
        passed.append(opened_tile(page))
    assert passed == [*map(str, range(12)), "11"]
    assert fragment(page) == f"#f={LAYER}:11"
    page.keyboard.press("ArrowLeft")
    assert (opened_tile(page), fragment(page)) == ("10", f"#f={LAYER}:10")
    page.keyboard.press("Home")
    assert opened_tile(page) == "0"
    page.keyboard.press("ArrowLeft")
    assert opened_tile(page) == "0"
    page.keyboard.press("ArrowDown")
    assert opened_tile(page) == "4"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("End")
    assert (opened_tile(page), fragment(page)) == ("11", f"#f={LAYER}:11")
    assert page.get_by_role("dialog").get_by_text("12 of 12").is_visible()


def test_turning_leaves_the_focus_where_it_is_and_closing_is_one_step_back(opened, ascent):
    page = opened(ascent)
    page.get_by_role("link", name=f"{LAYER}, 9", exact=True).click()
    following = page.get_by_role("button", name="Next")

    following.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Next"
    page.keyboard.press("Enter")
    assert opened_tile(page) == "11"
    assert following.is_disabled()
    assert page.evaluate("document.activeElement.textContent") == "Previous"
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert fragment(page) == ""


def test_a_link_that_fits_tiles_of_several_results_opens_the_first_and_offers_the_others(opened, several):
    page = opened(several, f"#f={LAYER}:7")
    choice = page.get_by_role("dialog").get_by_label("One of 5 results with this tile")

    results = [
        "Filters · net",
        "Saliency · photos/cat1.jpg",
        "Saliency · strongest channels · photos/cat1.jpg",
        "Saliency · photos/cat2.jpg",
        "Saliency · strongest channels · photos/cat2.jpg",
    ]
    assert choice.locator("option").all_inner_texts() == results
    assert choice.locator("option:checked").inner_text() == results[0]
    assert facts(page)["at end"] == "7.00"

    choice.focus()
    choice.select_option(label=results[2])
    assert facts(page)["largest"] == "2.90 activation"
    assert choice.locator("option:checked").inner_text() == results[2]
    address = fragment(page)
    assert address == f"#img=000000000001&f={LAYER}:7&n=2"
    assert choice.evaluate("one => one === document.activeElement")
    page.keyboard.press("Home")  # of the list, which has the focus: its first entry
    assert (opened_tile(page), choice.locator("option:checked").inner_text()) == ("7", results[0])

    again = opened(several, address)
    assert again.get_by_role("dialog").locator("option:checked").inner_text() == results[2]
    again.keyboard.press("End")  # the strongest channels are two
    assert opened_tile(again) == "2"


@pytest.mark.parametrize("odd", ["0", "-3", "99", "x", "1e999"])
def test_a_link_to_a_result_that_is_not_there_opens_the_first_that_fits(opened, several, odd):
    page = opened(several, f"#img=000000000002&f={LAYER}:7&n={odd}")

    assert page.get_by_role("dialog").locator("option:checked").inner_text() == "Saliency · photos/cat2.jpg"
    assert re.fullmatch(f"#img=000000000002&f={LAYER}:7", page.get_by_role("link", name="Link to this tile").get_attribute("href"))  # fmt: skip


def test_a_tile_of_one_result_alone_names_it_without_a_choice(opened, ascent):
    page = opened(ascent, f"#f={LAYER}:7")

    assert page.locator("dialog .which").inner_text() == "Filters · net"
    assert page.locator("dialog select").count() == 0


@pytest.fixture(scope="module")
def broad(written):
    """As `xcnn activations` draws a layer: sixteen tiles beside each other."""
    values = np.random.default_rng(0).random((32, 28, 28), np.float32)
    tiles = Tiles(values, tuple(map(str, range(32))), "positive", "activation", layer=LAYER, columns=16)
    image = Image("cat.jpg", f"{0:064x}", (300, 400))
    return written([Result("filters", image, None, (tiles,), (), 1.0)], names=("filters",))


def test_tiles_of_a_small_window_are_as_large_as_a_finger_in_a_grid_that_scrolls(opened, broad):
    page = opened(broad, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    sheet = page.locator(".sheet")

    box = page.locator(".spot").first.bounding_box()
    assert min(box["width"], box["height"]) >= 43.9
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_text("Scroll sideways to see all 32 tiles.").is_visible()
    assert sheet.evaluate("one => getComputedStyle(one).overflowX") == "auto"
    last = page.locator(".spot").nth(15)
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert opened_tile(page) == "15"


def test_a_grid_that_fits_a_large_window_has_no_word_of_scrolling(opened, broad):
    page = opened(broad)

    assert page.locator(".hint:visible").count() == 0
    assert page.locator(".sheet").evaluate("one => one.scrollWidth <= one.clientWidth")
