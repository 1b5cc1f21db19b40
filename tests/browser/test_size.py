"""What a report weighs, and how soon it can be read."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from xcnn.io import images
from xcnn.plugin import Attribution, Image, Result, Target

pytestmark = pytest.mark.browser

SIZE = 480, 640
RNG = np.random.default_rng(0)
CAM = Attribution(RNG.random((7, 7), np.float32), sign="positive", unit="score", layer="top")
NOISE = Attribution(RNG.normal(size=(299, 299)).astype(np.float32), sign="signed", unit="gradient", fine=True)


@pytest.fixture(scope="module")
def photos():
    """Real photographs."""
    found = sorted(Path(__file__).parents[2].joinpath("samples").rglob("*.jpg"))
    assert found
    return [cv2.resize(images.read(str(path)).pixels, SIZE[::-1]) for path in found]


@pytest.fixture(scope="module")
def weighed(written, photos):
    """A report of `count` images with these maps, and its size in bytes."""

    def weigh(count, *maps):
        target = Target(1, "cat", 1.0, 0.5, ((1, 1.0),))
        groups = [
            [Result("gradcam", Image(f"{at}.jpg", f"{at:064x}", SIZE), target, maps, (target,), 0.1)]
            for at in range(count)
        ]
        path = written(*groups, pictures=[photos[at % len(photos)] for at in range(count)])
        return path, path.stat().st_size

    return weigh


def test_an_image_with_one_map_its_further_maps_and_maps_of_pixels_keep_their_budgets(weighed):
    sizes = {maps: weighed(3, *maps)[1] for maps in ((), (CAM,), (CAM, CAM), (CAM, NOISE))}
    shell = weighed(0)[1]

    assert shell <= 120_000
    assert (sizes[CAM,] - shell) / 3 <= 100_000
    assert (sizes[CAM, CAM] - sizes[CAM,]) / 3 <= 6_000
    assert (sizes[CAM, NOISE] - sizes[CAM,]) / 3 <= 60_000 + 6_000


def test_a_hundred_images_weigh_little_and_are_soon_read_found_and_scrolled(weighed, opened):
    path, size = weighed(100, CAM)
    assert size <= 12_000_000

    started = time.perf_counter()
    page = opened(path)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    assert paint < 2000
    assert time.perf_counter() - started < 10

    field = page.get_by_role("searchbox")
    took = page.evaluate(
        """(field) => {
          field.value = "9.jpg";
          const started = performance.now();
          field.dispatchEvent(new Event("input", { bubbles: true }));
          document.body.offsetHeight;
          return performance.now() - started;
        }""",
        field.element_handle(),
    )
    assert took < 200
    assert page.locator(".count").inner_text() == "10 of 100 images"
