"""Maps that are coloured, read and compared in the browser."""

import re

import numpy as np
import pytest

from xcnn.plugin import Attribution, Image, Result, Target
from xcnn.render import colours

pytestmark = pytest.mark.browser

FINE = '.card[data-explainer="saliency"] .picture'
CAM = '.card[data-explainer="gradcam"] .picture'


def at(pixels, x, y):
    """The colour at a place in 0..1."""
    return pixels[int(y * pixels.shape[0]), int(x * pixels.shape[1])].astype(int)


def near(colour, expected, within=6):
    return np.abs(np.asarray(colour, int) - np.asarray(expected, int)).max() <= within


def top(name):
    return colours.palette("RdBu_r" if name == "diverging" else name, "positive")[255]


def look(page):
    page.get_by_text("Colours and views").click()
    return page.locator(".look")


def slide(slider, value):
    """Set a slider as its arrow keys do."""
    slider.focus()
    slider.fill(str(value))


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without one"])
def test_a_map_is_coloured_as_the_run_was_with_and_without_a_script(opened, three, seen, script):
    page = opened(three, java_script_enabled=script)

    pixels = seen(page.locator(FINE).first)

    assert near(at(pixels, 0.2, 0.2), top("viridis"))
    assert near(at(pixels, 0.8, 0.8), colours.palette("viridis", "positive")[0])


def test_a_signed_map_shows_the_bare_picture_at_zero_and_strong_colours_at_its_ends(opened, three, seen):
    page = opened(three)
    source = seen(page.locator(".input .picture"))
    pixels = seen(page.locator('.card[data-explainer="occlusion"] .picture').first)

    # The upper right corner is zero, the upper left the least value.
    assert near(at(pixels, 0.95, 0.05), at(source, 0.95, 0.05), within=12)
    red, _, blue = at(pixels, 0.05, 0.05)
    assert blue > red + 50


@pytest.mark.parametrize("name", ["turbo", "jet", "gray", "diverging"])
def test_the_palette_of_all_maps_can_be_chosen(opened, three, seen, name):
    page = opened(three)

    look(page).get_by_label("Palette").select_option(name)
    page.keyboard.press("Escape")

    assert near(at(seen(page.locator(FINE).first), 0.2, 0.2), top(name))
    assert f"p={name}" in hash_of(page)


def test_the_palette_of_one_image_is_its_own_and_that_of_the_page_replaces_it(opened, gallery):
    page = opened(gallery)
    first, second = page.locator(".image").nth(0), page.locator(".image").nth(1)

    first.get_by_label("Palette").select_option("jet")

    name = "tint-positive-over"
    assert first.locator(".heat").get_attribute("filter") == f"url(#{name}-of-000000000000)"
    assert second.locator(".heat").get_attribute("filter") == f"url(#{name})"
    look(page).get_by_label("Palette").select_option("gray")
    assert first.locator(".heat").get_attribute("filter") == f"url(#{name})"
    assert first.get_by_label("Palette").input_value() == "gray"


def test_a_threshold_uncovers_the_picture_below_it(opened, three, seen):
    page = opened(three)
    source = seen(page.locator(".input .picture"))
    before = seen(page.locator(CAM).first)

    slide(look(page).get_by_label("Hide below"), 60)
    after = seen(page.locator(CAM).first)

    assert not near(at(before, 0.1, 0.1), at(source, 0.1, 0.1), within=20)
    assert near(at(after, 0.1, 0.1), at(source, 0.1, 0.1), within=12)
    assert near(at(after, 0.9, 0.9), at(before, 0.9, 0.9))


def test_gamma_brightens_the_middle_and_leaves_the_ends(opened, three, seen):
    page = opened(three)
    before = seen(page.locator(CAM).first)

    slide(look(page).get_by_label("Gamma"), 0.3)
    after = seen(page.locator(CAM).first)

    assert at(after, 0.1, 0.9).sum() > at(before, 0.1, 0.9).sum() + 30
    assert near(at(after, 0.95, 0.95), at(before, 0.95, 0.95))


def test_opacity_is_one_slider_for_all_and_one_per_image(opened, gallery, seen):
    page = opened(gallery)
    first, second = page.locator(".image").nth(0), page.locator(".image").nth(1)
    bare = seen(first.locator(".input .picture"))

    slide(first.get_by_label("Opacity"), 0)

    assert near(at(seen(first.locator(".heat").locator("..")), 0.9, 0.9), at(bare, 0.9, 0.9), within=8)
    assert second.get_by_label("Opacity").input_value() == "50"
    slide(look(page).get_by_label("Opacity of all maps"), 80)
    assert [image.get_by_label("Opacity").input_value() for image in (first, second)] == ["80", "80"]


def test_threshold_and_gamma_of_one_image_are_its_own_and_come_back_from_the_address(opened, gallery, seen):
    page = opened(gallery)
    first, second = page.locator(".image").nth(0), page.locator(".image").nth(1)
    bare = seen(first.locator(".input .picture"))
    first.get_by_text("Threshold, gamma").click()

    slide(first.get_by_label("Hide below"), 60)
    slide(first.get_by_label("Gamma"), 0.5)

    uncovered, other = (seen(image.locator(".card .picture")) for image in (first, second))
    assert near(at(uncovered, 0.1, 0.1), at(bare, 0.1, 0.1), within=12)
    assert not near(at(other, 0.1, 0.1), at(bare, 0.1, 0.1), within=20)
    assert "i.000000000000=t:60,g:0.5" in hash_of(page).replace("+", " ")

    again = opened(gallery, page.evaluate("location.hash"))
    first, second = again.locator(".image").nth(0), again.locator(".image").nth(1)
    assert first.get_by_label("Hide below").input_value() == "60"
    assert first.get_by_label("Gamma").input_value() == "0.5"
    assert second.get_by_label("Gamma").input_value() == "1"
    same = seen(first.locator(".card .picture"))
    assert (np.abs(same.astype(int) - uncovered).max(axis=-1) > 3).mean() < 0.01

    slide(look(again).get_by_label("Gamma"), 2)
    assert [image.get_by_label("Gamma").input_value() for image in (first, second)] == ["2", "2"]
    assert first.get_by_label("Hide below").input_value() == "60"


@pytest.mark.parametrize(
    ("x", "y", "value"), [(0.25, 0.25, "0 ±"), (0.75, 0.25, "1.00 ±"), (0.25, 0.75, "2.01 ±"), (0.75, 0.75, "4.00 ±")]
)
def test_pointing_at_a_map_reads_its_value_with_the_step_of_its_levels(opened, one, x, y, value):
    page = opened(one)
    box = page.locator(CAM).first.bounding_box()

    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    reading = page.locator(".card .reading").first
    reading.filter(has_text="score").wait_for()
    assert reading.inner_text().startswith(value)
    assert "± 0.008 score" in reading.inner_text()
    page.mouse.move(1, 1)
    assert reading.inner_text() == ""


def test_a_value_below_zero_is_read_as_it_is(opened, three):
    page = opened(three, reduced_motion="reduce")  # so that it has scrolled when the mouse gets there
    picture = page.locator('.card[data-explainer="occlusion"] .picture').first
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()

    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.locator(".reading").nth(8).filter(has_text="gradient").wait_for()
    # All maps of the image are read at the same place.
    assert page.locator(".reading").filter(has_text="row").count() == 9

    assert (
        page.locator('.card[data-explainer="occlusion"] .reading')
        .first.inner_text()
        .startswith("-4.00 ± 0.016 mean score drop")
    )
    assert page.locator(".cursor").count() == 2 * page.locator(".picture").count()


@pytest.fixture(scope="module")
def packed(written):
    """Two maps of 224 x 224 with a column of its own value per column; noise in the second makes its picture smaller."""
    ramp = np.tile(np.arange(224, dtype=np.float32), (224, 1))
    noise = ramp + np.random.default_rng(0).uniform(-300, 300, ramp.shape).astype(np.float32)
    maps = [
        Attribution(values, sign="positive", unit="gradient", layer=layer, fine=True)
        for layer, values in (("even", ramp), ("noisy", np.abs(noise)))
    ]
    target = Target(1, "cat", 1.0, 0.5, ((1, 1.0),))
    image = Image("cat.jpg", f"{0:064x}", (300, 400))
    return written([Result("saliency", image, target, tuple(maps), (target,), 0.1)], names=("saliency",))


def embedded(page):
    return page.evaluate(
        """async () => Promise.all([...document.querySelectorAll(".panel [data-tint]")].map(async (heat) => {
          const one = new Image();
          one.src = heat.getAttribute("href");
          await one.decode();
          return [one.naturalWidth, one.naturalHeight];
        }))"""
    )


def test_a_map_whose_picture_is_smaller_is_read_by_its_own_rows_without_a_false_step(opened, packed):
    page = opened(packed, reduced_motion="reduce")
    (whole, _), (width, height) = embedded(page)
    assert whole == 224
    assert max(width, height) < 224
    assert page.locator(".panel").nth(1).get_by_text(f"224 × 224, shown at {width} × {height}").is_visible()
    page.get_by_role("button", name="Compare all").click()
    readings = page.locator(".matrix .reading")

    for x, y in ((0.06, 0.94), (0.5, 0.5), (0.96, 0.97)):
        box = page.locator(".matrix .picture").first.bounding_box()
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        readings.nth(1).filter(has_text="shown").wait_for()
        page.wait_for_timeout(100)
        even, noisy = readings.all_inner_texts()
        (place,) = re.findall(r"row (\d+), column (\d+)", even)
        assert re.findall(r"row (\d+), column (\d+)", noisy) == [place]
        assert [int(at) for at in place] == pytest.approx([224 * y, 224 * x], abs=1)
        # The even map has at each column the number of the column.
        assert float(even.split(" ±")[0]) == pytest.approx(int(place[1]), abs=0.5)
        assert noisy.startswith("≈ ")
        assert "±" not in noisy
        assert noisy.endswith(f"shown at {width} × {height} of 224 × 224")


def test_original_side_by_side_and_overlay_are_one_click_away(opened, one, seen):
    page = opened(one)
    source = seen(page.locator(".input .picture"))
    stage = page.locator(".card .stage")
    view = page.get_by_role("group", name="Compare")

    view.get_by_role("button", name="Original").click()
    assert near(at(seen(stage), 0.9, 0.9), at(source, 0.9, 0.9), within=8)
    assert view.get_by_role("button", name="Original").get_attribute("aria-pressed") == "true"

    view.get_by_role("button", name="Side by side").click()
    assert stage.locator(".picture").count() == 2
    pixels = seen(stage)
    assert near(at(pixels, 0.45, 0.9), at(source, 0.9, 0.9), within=12)
    assert not near(at(pixels, 0.95, 0.9), at(source, 0.9, 0.9), within=30)

    view.get_by_role("button", name="Overlay").click()
    assert stage.locator(".picture").count() == 1


def test_the_swipe_is_a_slider_for_hands_and_for_keys(opened, three, seen):
    page = opened(three)
    page.get_by_role("button", name="Swipe").click()
    handle = page.get_by_role("slider", name="Where the picture ends").first
    source = seen(page.locator(".input .picture"))

    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    assert handle.get_attribute("aria-valuenow") == "61"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert handle.get_attribute("aria-valuenow") == "0"
    page.keyboard.press("End")
    assert handle.get_attribute("aria-valuenow") == "100"

    box = page.locator(".card .stage").first.bounding_box()
    handle.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    assert abs(int(handle.get_attribute("aria-valuenow")) - 40) <= 1
    # The other maps of the image follow, the fine ones, too: left of the handle is the picture.
    fine = seen(page.locator(FINE).first)
    assert near(at(fine, 0.2, 0.2), at(source, 0.2, 0.2), within=14)
    assert near(at(fine, 0.7, 0.8), colours.palette("viridis", "positive")[0])


def boxes(page, within=".picture[data-of='image-1']"):
    return {svg.get_attribute("viewBox") for svg in page.locator(within).all()}


def test_all_pictures_of_an_image_zoom_and_move_together(opened, three):
    page = opened(three)
    page.locator(CAM).first.dblclick(position={"x": 20, "y": 20})

    (box,) = boxes(page)
    x, y, width, height = map(float, box.split())
    assert (width, height) == (200, 150)
    assert (x, y) != (100, 75)

    picture = page.locator(CAM).first
    picture.hover(position={"x": 60, "y": 60})
    page.mouse.down()
    start = picture.bounding_box()
    page.mouse.move(start["x"] + 100, start["y"] + 90, steps=4)
    page.mouse.up()
    (moved,) = boxes(page)
    assert float(moved.split()[0]) < x

    page.get_by_role("button", name="Whole picture").click()
    assert boxes(page) == {"0 0 400 300"}


def test_the_matrix_has_a_row_per_explainer_and_layer_and_a_column_per_class_all_linked(opened, three):
    page = opened(three)
    page.get_by_role("button", name="Compare all").click()
    matrix = page.locator(".matrix")

    assert matrix.locator("thead th").all_inner_texts() == ["Egyptian cat", "tabby", "tiger cat"]
    assert [text.split("\n")[0] for text in matrix.locator("tbody th").all_inner_texts()] == [
        "Grad-CAM",
        "Occlusion",
        "Saliency",
    ]
    assert matrix.locator("td .picture").count() == 9

    matrix.locator("td .picture").first.hover()
    page.mouse.wheel(0, -100)
    (box,) = boxes(page)
    assert float(box.split()[2]) == pytest.approx(400 / 1.25)
    matrix.locator(".reading").nth(8).filter(has_text="gradient").wait_for()

    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")


def test_the_matrix_shows_maps_as_their_image_does(opened, three):
    page = opened(three)
    page.get_by_role("slider", name="Opacity").last.fill("90")
    page.get_by_role("button", name="Compare all").click()

    shown = page.locator(".matrix .heat").evaluate_all("maps => maps.map((one) => getComputedStyle(one).opacity)")
    assert set(shown) == {"0.9", "1"}  # a signed map is stronger
    page.keyboard.press("Escape")


def test_panels_of_one_explainer_and_layer_have_rows_of_their_own(opened, every):
    page = opened(every)
    page.get_by_role("button", name="Compare all").click()

    rows = page.locator(".matrix tbody tr")
    assert [row.locator("th").inner_text().split() for row in rows.all()] == [
        ["Grad-CAM", "top"],
        ["Grad-CAM", "what", "wins"],
    ]
    assert [row.locator("[data-tint]").count() for row in rows.all()] == [1, 0]


def hash_of(page):
    """The address's fragment once it has been written."""
    page.wait_for_timeout(200)
    return page.evaluate("decodeURIComponent(location.hash)")
