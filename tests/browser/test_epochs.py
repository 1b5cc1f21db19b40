"""The epochs of a training: a slider, its keys and its place in the address; without a script, all of them in order."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.browser
NUMBERS = (2, 4, 5)


def shown(page, image=0):
    """The numbers of the epochs that an image shows."""
    return [
        int(one.get_attribute("data-epoch"))
        for one in page.locator(".image").nth(image).locator("[data-epoch]").all()
        if one.is_visible()
    ]


def fragment(page):
    """The address's fragment once it has been written."""
    page.wait_for_timeout(200)
    return page.evaluate("decodeURIComponent(location.hash)")


def slider(page):
    return page.get_by_role("slider", name="Epoch")


def brightest(pixels):
    """The quarter of a picture that is lightest, as the maps of these epochs make it."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    levels = pixels[..., 1].astype(float)
    quarters = [levels[y : y + height, x : x + width].mean() for y in (0, height) for x in (0, width)]
    return int(np.argmax(quarters))


def test_the_last_epoch_is_shown_and_the_slider_shows_the_others(opened, training, seen):
    page = opened(training)
    assert shown(page) == [5]
    picture = page.locator(
        '.image >> nth=0 >> [data-epoch]:not([hidden]) .card[data-explainer="gradcam"] .picture >> nth=0'
    )
    assert brightest(seen(picture)) == 5 % 4

    box = slider(page).bounding_box()
    page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()

    assert shown(page) == [2]
    assert brightest(seen(picture)) == 2
    assert "2 of 5" in page.locator(".timeline").inner_text()


def test_a_search_is_answered_by_the_epoch_that_is_shown(opened, training):
    page = opened(training, "#epoch=2")
    first = page.locator(".image").first
    early, late = (first.locator(f"[data-epoch='{at}']").get_attribute("data-conf") for at in (2, 5))
    assert float(early) < float(late)
    limit = (float(early) + float(late)) / 2

    page.get_by_role("searchbox").fill(f"conf:>{limit}")
    assert not first.is_visible()
    slider(page).focus()
    page.keyboard.press("End")
    assert first.is_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("button", name="Compare all").first.click()

    assert page.locator("dialog h2").inner_text().endswith(" · epoch 5")


def test_the_slider_tells_what_was_logged(opened, training):
    page = opened(training, "#epoch=4")

    assert "loss 0.250 · val_accuracy 0.953 · <b>odd</b> not finite" in page.locator(".timeline").inner_text()
    assert slider(page).get_attribute("aria-valuetext").startswith("epoch 4: loss 0.250")
    assert "Epoch 4" in page.locator(".image").first.locator("[data-epoch='4']").inner_text()


def test_keys_move_the_slider_and_the_address_follows(opened, training):
    page = opened(training)
    slider(page).focus()

    page.keyboard.press("ArrowLeft")
    assert shown(page) == [4]
    assert fragment(page) == "#epoch=4"
    page.keyboard.press("Home")
    assert (shown(page), fragment(page)) == ([2], "#epoch=2")
    page.keyboard.press("End")
    assert (shown(page), fragment(page)) == ([5], "")


@pytest.mark.parametrize(("asked", "found"), [("2", 2), ("4", 4), ("5", 5), ("3", 5), ("<b>", 5), ("", 5)])
def test_an_epoch_in_the_address_is_shown(opened, training, asked, found):
    page = opened(training, f"#epoch={asked}")

    assert shown(page) == [found]
    assert slider(page).input_value() == str(NUMBERS.index(found))


def test_going_back_to_an_address_shows_its_epoch(opened, training):
    page = opened(training, "#epoch=2")
    page.evaluate("location.hash = '#epoch=4'")
    page.wait_for_timeout(100)
    assert shown(page) == [4]

    page.go_back()
    page.wait_for_timeout(100)
    assert shown(page) == [2]


def test_an_image_without_anything_of_an_epoch_says_so(opened, training):
    page = opened(training, "#epoch=4")
    assert shown(page, 1) == []
    assert page.locator(".image").nth(1).get_by_text("Nothing was explained after epoch 4.").is_visible()
    assert page.locator(".failure h3").inner_text() == "photos/cat1.jpg, epoch 4"

    slider(page).press("End")
    assert shown(page, 1) == [5]
    assert page.get_by_text("Nothing was explained").count() == 0


def test_predictions_are_those_of_the_epoch(opened, training):
    page = opened(training, "#epoch=2")
    table = page.locator(".image").first.locator(".predictions").locator("visible=true")

    assert table.count() == 1
    assert "20.0%" in table.inner_text()
    slider(page).press("End")
    assert "50.0%" in table.inner_text()


def test_one_explainer_alone_and_all_views_hold_in_every_epoch(opened, training):
    page = opened(training)
    page.keyboard.press("1")
    image = page.locator(".image").first
    image.get_by_role("button", name="Original").click()
    slider(page).press("Home")

    cards = image.locator(".card").locator("visible=true")
    assert {one.get_attribute("data-explainer") for one in cards.all()} == {"gradcam"}
    assert cards.first.locator(".heat").evaluate("one => one.style.visibility") == "hidden"
    assert "epoch=2" in fragment(page)
    assert "m=gradcam" in fragment(page)


def test_everything_compared_is_of_one_epoch(opened, training, seen):
    page = opened(training, "#epoch=2")
    page.locator(".image").first.get_by_role("button", name="Compare all").click()

    matrix = page.locator("dialog .matrix")
    assert matrix.locator(".picture").count() == 4
    assert brightest(seen(matrix.locator(".picture").first)) == 2


def test_resetting_colours_leaves_the_epoch(opened, training):
    page = opened(training, "#epoch=2&p=jet")
    page.get_by_text("Colours and views").click()
    page.get_by_role("button", name="Reset").click()

    assert shown(page) == [2]
    assert fragment(page) == "#epoch=2"


def test_without_a_script_all_epochs_are_there_in_order(opened, training):
    page = opened(training, java_script_enabled=False)

    assert shown(page) == [2, 4, 5]
    names = page.locator(".image").first.locator(".epoch > p:first-child")
    assert [one.inner_text().split(" loss")[0] for one in names.all()] == ["Epoch 2", "Epoch 4", "Epoch 5"]
    assert "loss 0.250" in names.nth(1).inner_text()
    assert page.locator(".timeline").count() == 0
    assert page.get_by_role("heading", name="Training").is_visible()


def test_the_epoch_goes_along_from_page_to_page(opened, training_folder):
    page = opened(training_folder)
    slider(page).press("Home")
    assert shown(page) == [1]

    page.get_by_role("link", name="Next").first.click()
    page.wait_for_url("**/report-2.html*")
    assert "epoch=1" in page.url
    assert shown(page) == [1]


def test_a_run_of_one_trained_model_has_no_slider(opened, three):
    page = opened(three)

    assert slider(page).count() == 0
    assert page.locator("[data-epoch], .timeline").count() == 0


@pytest.mark.parametrize("width", [390, 768])
def test_the_slider_fits_a_small_window(opened, training, width):
    page = opened(training, viewport={"width": width, "height": 844})

    assert slider(page).bounding_box()["width"] > 90
    assert page.evaluate("document.documentElement.scrollWidth") <= width
