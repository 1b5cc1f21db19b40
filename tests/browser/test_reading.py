"""Values read from maps: by a finger, with the arrow keys, and at the ends of a clipped scale."""

import re

import numpy as np
import pytest

from xcnn.plugin import Attribution, Image, Labels, Result, Target

pytestmark = pytest.mark.browser

CAM = '.card[data-explainer="gradcam"] .stage'
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def value(page, place=0):
    """What the reading of the map at a place among all maps says, once it says something."""
    reading = page.locator(".card .reading").nth(place)
    reading.filter(has_text="row").wait_for()
    page.wait_for_timeout(100)
    return reading.inner_text()


def tapped(page, picture, x, y):
    picture.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    box = picture.bounding_box()
    page.touchscreen.tap(box["x"] + x * box["width"], box["y"] + y * box["height"])


@pytest.mark.parametrize(("x", "y", "words"), [(0.25, 0.25, "0 ±"), (0.25, 0.75, "2.01 ±"), (0.75, 0.75, "4.00 ±")])
def test_a_tap_on_a_map_reads_its_value_and_it_stays(opened, one, x, y, words):
    page = opened(one, **PHONE)
    assert page.locator(".card .reading").evaluate("one => getComputedStyle(one, '::before').content") == (
        '"Tap the map to read it."'
    )

    tapped(page, page.locator(f"{CAM} .picture"), x, y)

    assert value(page).startswith(words)
    page.wait_for_timeout(500)
    assert value(page).startswith(words)
    assert page.locator(".card .cursor").count() == 2


def test_a_tap_on_another_picture_moves_the_reading_and_one_beside_them_ends_it(opened, gallery):
    page = opened(gallery, **PHONE)
    pictures, readings = page.locator(f"{CAM} .picture"), page.locator(".card .reading")

    tapped(page, pictures.nth(0), 0.75, 0.75)
    assert value(page, 0).startswith("4.00 ±")
    tapped(page, pictures.nth(1), 0.25, 0.75)
    assert value(page, 1).startswith("2.01 ±")
    assert readings.nth(0).inner_text() == ""

    heading = page.locator(".card h4").nth(1)
    heading.scroll_into_view_if_needed()
    heading.tap()
    assert readings.nth(1).inner_text() == ""
    assert page.locator(".cursor").count() == 0


def test_compare_fits_a_small_window_and_is_read_by_a_tap(opened, three):
    page = opened(three, **PHONE)
    page.get_by_role("button", name="Compare all").tap()
    matrix = page.locator("dialog .matrix")

    assert page.locator("dialog").evaluate("one => one.scrollWidth <= one.clientWidth")
    for picture in matrix.locator(".picture").all():
        box = picture.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["width"] >= 120
    # Each picture says its class, which the head of the table said, and the table is one all the same.
    told = "(one) => getComputedStyle(one, '::before').content"
    assert [cell.evaluate(told) for cell in matrix.locator("tbody tr").first.locator("td").all()] == [
        '"Egyptian cat"', '"tabby"', '"tiger cat"',
    ]  # fmt: skip
    assert matrix.get_by_role("row").count() == 4
    assert matrix.get_by_role("columnheader").all_inner_texts() == ["Egyptian cat", "tabby", "tiger cat"]

    tapped(page, matrix.locator(".picture").nth(0), 0.75, 0.75)
    matrix.locator(".reading").nth(8).filter(has_text="gradient").wait_for()
    assert matrix.locator(".reading").nth(0).inner_text().startswith("4.00 ±")


def place(page, number=0):
    return tuple(map(int, re.findall(r"row (\d+), column (\d+)", value(page, number))[0]))


def test_a_map_takes_the_focus_and_is_read_with_the_arrow_keys(opened, three):
    page = opened(three)
    page.locator(".tools").get_by_label("Palette").focus()
    # The first map follows the tools of its image.
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.stage')"):
            break
    stage = page.locator(CAM).first
    assert stage.evaluate("one => one === document.activeElement")
    assert stage.get_attribute("role") == "application"
    assert stage.get_attribute("aria-label") == (
        "Values of Grad-CAM for Egyptian cat at top: arrow keys move the point, Escape leaves"
    )
    reading = page.locator(".card .reading").first
    assert value(page).startswith("4.00 ± 0.008 score, row 1, column 1")
    assert reading.get_attribute("aria-live") == "polite"
    # One voice: the other maps show their values and do not say them.
    assert page.locator('.reading[aria-live="polite"]').count() == 1

    page.keyboard.press("ArrowLeft")
    assert value(page).startswith("2.01 ± 0.008 score, row 1, column 0")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert value(page).startswith("0 ± 0.008 score, row 0, column 0")
    assert page.locator(".cursor").count() == 2 * page.locator(".picture").count()
    # The image itself stays.
    assert page.evaluate("document.activeElement.matches('.stage')")

    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement === document.body")
    assert page.locator(".cursor").count() == 0
    assert reading.inner_text() == ""
    assert reading.get_attribute("aria-live") == "off"


def test_a_fine_map_is_crossed_in_strides_and_with_shift_value_by_value(opened, three):
    page = opened(three, reduced_motion="reduce")
    stage = page.locator('.card[data-explainer="saliency"] .stage').first

    stage.focus()
    page.keyboard.press("ArrowRight")
    started = place(page, 6)
    page.keyboard.press("ArrowRight")
    assert place(page, 6) == (started[0], started[1] + 3)  # of 80 columns
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert place(page, 6) == (started[0] + 1, started[1] + 4)


def test_arrows_turn_the_images_unless_a_map_has_the_focus(opened, gallery):
    page = opened(gallery, reduced_motion="reduce")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "photos/cat1.jpg"
    page.locator(CAM).nth(1).focus()

    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")

    assert page.evaluate("document.activeElement.matches('.stage')")
    assert page.evaluate("document.querySelector('.image.current h3').textContent") == "photos/cat1.jpg"
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "photos/dog2.jpg"
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "photos/cat3.jpg"


def test_escape_leaves_a_map_of_compare_before_it_closes_compare(opened, three):
    page = opened(three)
    page.get_by_role("button", name="Compare all").click()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    reading = page.locator("dialog .reading").first
    reading.filter(has_text="row 1, column 0").wait_for()

    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_visible()
    assert reading.inner_text() == ""
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")


def test_what_is_read_stays_in_sight_below_a_zoom(opened, one):
    page = opened(one)
    for _ in range(6):
        page.get_by_role("button", name="Zoom in").click()
    page.locator(CAM).first.focus()

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")

    assert value(page).startswith("0 ± 0.008 score, row 0, column 0")
    x, y, width, height = map(float, page.locator(f"{CAM} .picture").first.get_attribute("viewBox").split())
    cursor = page.locator(f"{CAM} .cursor").first
    assert x <= float(cursor.get_attribute("cx")) <= x + width
    assert y <= float(cursor.get_attribute("cy")) <= y + height


@pytest.fixture(scope="module")
def clipped(written):
    """Two fine maps with single values far beyond the others in their corners; a third whose end is its largest value."""
    values = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (64, 1))
    above, around = values.copy(), values * 2 - 1
    above[0, :4] = around[0, :4] = 50
    around[-1, :4] = -50
    maps = [
        Attribution(above, sign="positive", unit="gradient", layer="above", fine=True),
        Attribution(around, sign="signed", unit="gradient", layer="around", fine=True),
        Attribution(values[:2, :2], sign="positive", unit="score", layer="whole"),
    ]
    target = Target(1, "cat", 1.0, 0.5, ((1, 1.0),))
    image = Image("cat.jpg", f"{0:064x}", (400, 400))
    return written([Result("saliency", image, target, tuple(maps), (target,), 0.1)], names=("saliency",))


def test_a_value_beyond_a_clipped_scale_is_read_as_at_least_its_end(opened, clipped):
    page = opened(clipped, reduced_motion="reduce")
    picture = page.locator(".card .picture").first
    ends = page.locator(".ends").all_inner_texts()
    assert ["≥" in end for end in ends] == [True, True, False]

    def read(x, y):
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(150)
        return page.locator(".card .reading").all_inner_texts()

    above, around, whole = read(0.02, 0.005)
    assert re.match(r"≥ \d\.\d+ gradient, row 0, column 1$", above)
    assert re.match(r"≥ \d\.\d+ gradient, row 0, column 1$", around)
    assert "±" in whole
    above, around, whole = read(0.02, 0.995)
    assert "±" in above
    assert re.match(r"≤ -\d\.\d+ gradient, row 63, column 1$", around)
    # Within the scale values are read as they are, at the end of one that is not clipped, too.
    above, around, whole = read(0.6, 0.5)
    assert re.match(r"0\.6\d+ ± ", above)
    assert re.match(r"0\.2\d+ ± ", around)
    assert "≥" not in whole


def test_a_map_of_categories_is_read_by_mouse_and_keys(opened, written):
    cells = Labels(
        np.int32([[281, 281, 7], [7, 282, 282]]), {281: "tabby", 282: 'tiger <b>"cat"</b>', 7: "cock, 7"}, "Seen"
    )
    target = Target(281, "tabby", 1.0, 0.5, ((281, 1.0),))
    image = Image("cat.jpg", f"{0:064x}", (200, 300))
    page = opened(written([Result("occlusion", image, target, (cells,), (target,), 0.1)], names=("occlusion",)))
    box = page.locator(".card .picture").bounding_box()
    reading = page.locator(".card .reading")

    for (x, y), words in {
        (0.1, 0.1): "tabby, row 0, column 0",
        (0.9, 0.2): "cock, 7, row 0, column 2",
        (0.1, 0.9): "cock, 7, row 1, column 0",
        (0.5, 0.9): 'tiger <b>"cat"</b>, row 1, column 1',
    }.items():
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        reading.filter(has_text=words).wait_for()

    page.locator(".card .stage").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    reading.filter(has_text="cock, 7, row 0, column 2").wait_for()
