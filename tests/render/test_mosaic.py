import numpy as np

from xcnn.render.figure import HEADER, MARGIN
from xcnn.render.mosaic import GAP, LINE, LONGEST, TILE, Page


def test_pictures_stand_row_by_row_under_their_words():
    page = Page(2, 2)
    wide, high = np.full((TILE // 2, TILE, 3), 10, np.uint8), np.full((TILE, TILE // 2, 3), 20, np.uint8)
    for picture in (wide, wide, high):
        page.add(picture, "dog 99.31%")

    canvas = page.take("", "")

    y, x = HEADER + LINE, MARGIN + TILE + GAP
    assert (canvas[y : y + TILE // 2, MARGIN : MARGIN + TILE] == 10).all()
    assert (canvas[y : y + TILE // 2, x : x + TILE] == 10).all()
    below = y + TILE // 2 + GAP + LINE
    assert (canvas[below : below + TILE, MARGIN : MARGIN + TILE // 2] == 20).all()
    assert (canvas[below - 4 : below + TILE, x:] == 255).all()
    assert (canvas[HEADER : HEADER + LINE, MARGIN : MARGIN + TILE] != 255).any()


def test_a_page_ends_below_its_last_picture_and_a_new_one_begins_empty():
    page = Page(5, 1)
    page.add(np.zeros((TILE, TILE, 3), np.uint8), "")

    first = page.take("", "")

    assert first.shape[0] == HEADER + LINE + TILE + MARGIN
    assert page.count == 0
    page.add(np.full((TILE, TILE, 3), 7, np.uint8), "")
    second = page.take("", "")
    assert (second[HEADER + LINE : HEADER + LINE + TILE, MARGIN : MARGIN + TILE] == 7).all()
    assert (first[HEADER + LINE : HEADER + LINE + TILE, MARGIN : MARGIN + TILE] == 0).all()


def test_a_page_is_full_when_every_place_is_taken():
    page = Page(2, 1)
    assert not page.full
    page.add(np.zeros((4, 4, 3), np.uint8), "")
    assert not page.full
    page.add(np.zeros((4, 4, 3), np.uint8), "")
    assert page.full


def test_large_pages_have_small_pictures():
    page = Page(3, 30)
    page.add(np.zeros((500, 500, 3), np.uint8), "W" * 900)

    assert page.tile < TILE
    assert page.take("", "").shape[1] <= LONGEST + 2 * MARGIN
