import numpy as np
import pytest

from xcnn.render import figure, labelled, labels, layers, mosaic, text, tiles
from xcnn.render.text import Font

FONT = Font(20)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("African elephant", "African elephant"),
        ("  two\nlines\t ", "two lines"),
        ("a\u2028b\u3000c", "a b c"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("abc\u202egpj", "abc\N{REPLACEMENT CHARACTER}gpj"),
        ("caf\udce9", "caf\N{REPLACEMENT CHARACTER}"),
        ("象", "象"),
        ("", ""),
    ],
)
def test_plain_text_is_one_line_that_can_be_drawn(given, expected):
    assert text.plain(given) == expected


def test_a_longer_text_is_wider():
    assert text.width("", FONT) == 0
    assert 0 < text.width("ab", FONT) < text.width("abab", FONT)


def test_a_larger_font_is_wider():
    assert text.width("Elephant", Font(20)) < text.width("Elephant", Font(30))


def test_a_text_that_fits_stays_whole():
    room = text.width("Elephant", FONT)

    assert text.shortened("Elephant", FONT, room) == "Elephant"


@pytest.mark.parametrize("words", ["African elephant, Loxodonta africana", "非洲象" * 9, "W" * 99])
@pytest.mark.parametrize("room", [40, 100, 150])
def test_a_text_too_wide_loses_as_little_of_its_middle_as_it_can(words, room):
    short = text.shortened(words, FONT, room)

    start, end = short.split("…")
    assert words.startswith(start)
    assert words.endswith(end)
    assert text.width(short, FONT) <= room
    one_more = [words[: len(start) + 1] + "…" + end, start + "…" + words[len(words) - len(end) - 1 :]]
    # Letters differ in width, and spaces beside the dots were dropped: of both, one may still fit.
    assert any(text.width(more, FONT) > room - text.width("W", FONT) for more in one_more)


def test_names_that_differ_at_their_ends_still_do_when_they_are_too_wide():
    first, second = (text.shortened(f"a_very_long_prefix_of_layers/block{n}_conv", FONT, 200) for n in (1, 2))

    assert first != second


def test_no_space_is_left_beside_the_dots():
    rooms = range(30, 200, 10)

    shown = [text.shortened("a b c d e f g h i j k l m n", FONT, room) for room in rooms]
    assert not any(" …" in one or "… " in one for one in shown)


def test_a_room_too_small_for_anything_gets_the_dots_alone():
    assert text.shortened("Elephant", FONT, 1) == "…"


def test_text_is_drawn_in_its_colour_on_its_baseline():
    canvas = np.full((60, 200, 3), 255, np.uint8)

    text.draw(canvas, "HE", (20, 40), Font(30, colour=(200, 10, 30)))

    rows, columns = np.nonzero((canvas != 255).any(axis=2))
    assert 15 <= rows.min() < 25
    assert rows.max() <= 41
    assert columns.min() >= 20
    assert [200, 10, 30] in canvas.reshape(-1, 3).tolist()


@pytest.mark.parametrize("words", ["象" * 50, "W" * 90, "caf\udce9" * 30, "a\x00" * 50])
def test_text_stays_in_its_room(words):
    canvas = np.full((60, 300, 3), 255, np.uint8)

    text.draw(canvas, words, (20, 40), FONT, room=120)

    columns = np.nonzero((canvas != 255).any(axis=(0, 2)))[0]
    assert columns.min() >= 19
    assert columns.max() <= 141


@pytest.mark.parametrize("room", [figure, labelled, labels, layers, mosaic, tiles], ids=lambda room: room.__name__)
def test_letters_have_ten_pixels_when_a_figure_is_shown_at_half_its_size(room):
    sizes = {name: font.size for name, font in vars(room).items() if isinstance(font, Font)}
    sizes.pop("SMALL", None)  # of mosaics whose pictures have no room for more

    assert sizes
    assert {name: size for name, size in sizes.items() if size < 20} == {}
