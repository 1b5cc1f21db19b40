import contextlib
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest
from limits import at_most
from picture_files import BLUE, GREEN, RED, gray_of, png, quadrants, saved, stored_for
from PIL import Image as Pillow

from xcnn.errors import ImageError
from xcnn.io import images
from xcnn.io.reading import Reading

# Decoding


@pytest.mark.parametrize(
    ("kind", "how", "tolerance"),
    [
        ("JPEG", {"quality": 95, "subsampling": 0}, 3),
        ("JPEG", {"quality": 95, "progressive": True, "subsampling": 0}, 3),
        ("PNG", {}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("BMP", {}, 0),
        ("GIF", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
    ],
)
@pytest.mark.parametrize("name", ["picture.txt", "picture", "picture.jpg"])
def test_every_format_is_known_by_its_content_whatever_its_name(tmp_path, kind, how, tolerance, name):
    path = saved(tmp_path / name, quadrants(), kind=kind, **how)

    image = images.read(path)

    assert np.abs(image.pixels.astype(int) - quadrants()).max() <= tolerance
    assert image.pixels.dtype == np.uint8
    assert image.notes == ()


def test_an_image_knows_its_file_its_hash_and_its_height_before_its_width(tmp_path):
    path = saved(tmp_path / "a.png", np.zeros((2, 5, 3), np.uint8))

    image = images.read(path)

    assert image.path == path
    assert image.sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert image.size == (2, 5)


def test_a_format_that_is_not_listed_is_refused_with_the_list(tmp_path):
    path = saved(tmp_path / "a.png", quadrants(), kind="PPM")

    with pytest.raises(ImageError, match="is not a picture that xcnn reads") as caught:
        images.read(path)

    assert caught.value.hint == "use JPEG, PNG, WEBP, BMP, GIF, TIFF"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_a_picture_is_upright_however_the_camera_was_held(tmp_path, orientation, kind):
    upright = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    how = {"lossless": True} if kind == "WEBP" else {}
    path = saved(tmp_path / "held", stored_for(upright, orientation), kind=kind, exif=exif, **how)

    image = images.read(path)

    assert image.pixels.tolist() == upright.tolist()
    assert image.size == (2, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_however_the_camera_was_held(tmp_path, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored = stored_for(quadrants(), orientation)
    path = saved(tmp_path / "held.jpg", stored, kind="JPEG", exif=exif, quality=95, subsampling=0)

    image = images.read(path)

    assert np.abs(image.pixels.astype(int) - quadrants()).max() <= 3


def test_a_deep_picture_is_turned_upright_too(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "deep.png", np.array([[0, 65535, 0]], np.uint16), exif=exif)

    image = images.read(path)

    assert gray_of(image) == [[0], [255], [0]]


def test_a_ramp_of_16_bits_keeps_its_levels(tmp_path):
    ramp = np.linspace(0, 65535, 1024).astype(np.uint16).reshape(1, -1)
    path = saved(tmp_path / "ramp.png", ramp)

    image = images.read(path)

    assert gray_of(image) == [[round(value * 255 / 65535) for value in ramp[0].tolist()]]
    assert len(set(gray_of(image)[0])) == 256
    assert image.notes == ("scaled from more than 8 bits",)


def test_a_dark_picture_of_16_bits_stays_dark(tmp_path):
    path = saved(tmp_path / "dark.png", np.array([[0, 257, 514]], np.uint16))

    assert gray_of(images.read(path)) == [[0, 1, 2]]


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_tiff_files_of_either_byte_order_hold_the_same_picture(tmp_path, order):
    values = np.array([[0, 65535, 32896]], order)
    mode = "I;16" if order == "<u2" else "I;16B"
    Pillow.frombytes(mode, (3, 1), values.tobytes()).save(tmp_path / "a.tif", "TIFF")

    assert gray_of(images.read(str(tmp_path / "a.tif"))) == [[0, 255, 128]]


def test_whole_numbers_in_the_range_of_16_bits_are_scaled_by_it(tmp_path):
    path = saved(tmp_path / "a.tif", np.array([[0, 257, 51400]], np.int32), kind="TIFF")

    assert gray_of(images.read(path)) == [[0, 1, 200]]


def test_numbers_beyond_any_nominal_range_are_scaled_by_their_own(tmp_path):
    path = saved(tmp_path / "a.tif", np.array([[-100, 0, 100, 410]], np.int32), kind="TIFF")

    assert gray_of(images.read(path)) == [[0, 50, 100, 255]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.2, 1.0], [0, 51, 255]),
        ([0.0, 51.0, 255.0], [0, 51, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 0.0, 0.0], [0, 0, 0]),
    ],
)
def test_floating_point_pixels_are_scaled_to_8_bits(tmp_path, values, expected):
    path = saved(tmp_path / "a.tif", np.array([values], np.float32), kind="TIFF")

    assert gray_of(images.read(path)) == [expected]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused(tmp_path, bad):
    path = saved(tmp_path / "a.tif", np.array([[0, bad]], np.float32), kind="TIFF")

    with pytest.raises(ImageError, match="not finite"):
        images.read(path)


def on_white(colour, alpha):
    return [round(value * alpha / 255 + 255 * (255 - alpha) / 255) for value in colour]


@pytest.mark.parametrize("alpha", [0, 60, 128, 255])
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_transparent_colours_are_shown_on_white(tmp_path, alpha, kind):
    how = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    path = saved(tmp_path / "a", np.full((1, 1, 4), [*RED, alpha], np.uint8), kind=kind, **how)

    image = images.read(path)

    assert np.abs(image.pixels[0, 0].astype(int) - on_white(RED, alpha)).max() <= 1


def test_transparent_gray_is_shown_on_white(tmp_path):
    path = saved(tmp_path / "a.png", np.array([[[40, 100], [40, 0], [40, 255]]], np.uint8))

    image = images.read(path)

    assert np.abs(np.subtract(gray_of(image)[0], [on_white([40], 100)[0], 255, 40])).max() <= 1
    assert image.notes == ("transparent parts shown on white",)


def test_a_transparent_colour_of_a_palette_is_shown_on_white(tmp_path):
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putdata([0, 1])
    picture.save(tmp_path / "a.png", transparency=0)

    image = images.read(str(tmp_path / "a.png"))

    assert image.pixels[0].tolist() == [[255, 255, 255], list(BLUE)]


def test_a_palette_becomes_its_colours(tmp_path):
    picture = Pillow.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putdata([1, 0])
    picture.save(tmp_path / "a.png")

    image = images.read(str(tmp_path / "a.png"))

    assert image.pixels[0].tolist() == [list(BLUE), list(RED)]
    assert image.notes == ()


def test_ink_becomes_light(tmp_path):
    inks = [[0, 0, 0, 0], [0, 255, 255, 0], [0, 0, 0, 255], [100, 0, 50, 64]]
    Pillow.frombytes("CMYK", (4, 1), bytes(value for ink in inks for value in ink)).save(tmp_path / "a.tif")

    image = images.read(str(tmp_path / "a.tif"))

    expected = [[(255 - ink) * (255 - black) / 255 for ink in colours] for *colours, black in inks]
    assert np.abs(image.pixels[0] - np.array(expected)).max() <= 1


def test_a_photo_in_inks_has_its_colours(tmp_path):
    path = saved(tmp_path / "a.jpg", quadrants(), kind="JPEG", mode="CMYK", quality=95)

    assert np.abs(images.read(path).pixels.astype(int) - quadrants()).max() <= 4


def test_one_bit_becomes_black_and_white(tmp_path):
    path = saved(tmp_path / "a.png", np.array([[0, 255, 0]], np.uint8), mode="1")

    assert gray_of(images.read(path)) == [[0, 255, 0]]


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_of_several_frames_the_first_is_shown_and_the_others_are_mentioned(tmp_path, kind):
    frames = [Pillow.new("RGB", (2, 2), colour) for colour in (RED, GREEN, BLUE)]
    frames[0].save(tmp_path / "a", kind, save_all=True, append_images=frames[1:])

    image = images.read(str(tmp_path / "a"))

    assert image.pixels.tolist() == [[list(RED)] * 2] * 2
    assert image.notes == ("the first of 3 frames",)


# Refusing


def test_text_named_like_a_photo_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("no picture at all")

    with pytest.raises(ImageError, match=r"a\.jpg is not a picture that xcnn reads"):
        images.read(str(path))


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "a.jpg"
    path.touch()

    with pytest.raises(ImageError, match=r"a\.jpg is empty"):
        images.read(str(path))


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="is a folder without a picture"):
        images.read(str(tmp_path))


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")

    with at_most(1), pytest.raises(ImageError, match="is no regular file"):
        images.read(str(tmp_path / "a.jpg"))


def test_an_endless_device_is_refused():
    with at_most(1), pytest.raises(ImageError, match="is no regular file"):
        images.read("/dev/zero")


def test_a_missing_file_is_refused_with_the_words_of_the_system(tmp_path):
    with pytest.raises(ImageError) as caught:
        images.read(str(tmp_path / "a.jpg"))

    assert caught.value.message == f"can't read {tmp_path / 'a.jpg'}: No such file or directory"


def test_a_dangling_link_is_refused(tmp_path):
    (tmp_path / "a.jpg").symlink_to("nowhere")

    with pytest.raises(ImageError, match="No such file"):
        images.read(str(tmp_path / "a.jpg"))


def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", quadrants())
    Path(path).chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read any file")

    with pytest.raises(ImageError, match="Permission denied"):
        images.read(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_a_truncated_picture_is_refused(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    path = Path(saved(tmp_path / "a", noise, kind=kind))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(ImageError, match="is damaged or truncated"):
        images.read(str(path))


def test_damage_in_the_middle_of_a_png_is_noticed(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    path = Path(saved(tmp_path / "a.png", noise))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(ImageError, match="is damaged or truncated"):
        images.read(str(path))


def test_too_many_megapixels_are_refused_by_the_header_alone(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(10_000, 7_000))

    with pytest.raises(ImageError) as caught:
        images.read(str(path))

    assert caught.value.message == f"{path} has 70 megapixels (10000x7000); the limit is 64"
    assert caught.value.hint == "shrink it first, or raise --max-megapixels"


def test_odd_names_are_read_as_they_are(tmp_path):
    names = [b"two\nlines.png", b"latin-\xe9.png", "象.png".encode(), b"[1].png", b" .png"]
    paths = [os.fsdecode(os.path.join(os.fsencode(tmp_path), name)) for name in names]  # noqa: PTH118 (bytes)
    for path in paths:
        saved(path, quadrants())

    found = [images.read(path) for path in paths]

    assert [image.path for image in found] == paths
    assert all((image.pixels == quadrants()).all() for image in found)


# From memory


def test_an_array_becomes_an_image_with_its_own_pixels():
    pixels = quadrants()

    image = images.from_array(pixels, "mine")

    assert (image.pixels == pixels).all()
    assert (image.path, image.size, image.notes) == ("mine", (32, 32), ("from memory",))
    assert image.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1)])
def test_a_gray_array_gets_three_equal_channels(shape):
    gray = np.arange(6, dtype=np.uint8)

    image = images.from_array(gray.reshape(shape), "mine")

    assert gray_of(image) == [[0, 1, 2], [3, 4, 5]]


def test_a_view_of_an_array_is_accepted():
    pixels = quadrants()[::-2, 4:, ::-1]

    assert (images.from_array(pixels, "mine").pixels == pixels).all()


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint16, bool])
def test_an_array_of_another_type_is_refused(kind):
    with pytest.raises(ImageError) as caught:
        images.from_array(np.zeros((2, 2, 3), kind), "mine")

    assert caught.value.message == f"mine has type {np.dtype(kind)}; xcnn takes uint8 pixels in 0..255"


@pytest.mark.parametrize("shape", [(), (4,), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3), (0, 2, 3), (2, 0), (3, 2, 0)])
def test_an_array_of_another_shape_is_refused(shape):
    with pytest.raises(ImageError) as caught:
        images.from_array(np.zeros(shape, np.uint8), "mine")

    assert caught.value.message == f"mine has shape {shape}; xcnn takes (h, w, 3 or 4), (h, w, 1) or (h, w)"


def test_an_image_without_pixels_stays_the_same_image(tmp_path):
    image = images.read(saved(tmp_path / "a.png", quadrants()))

    light = images.without_pixels(image)

    assert light.pixels is None
    assert light == image


def test_a_picture_is_complete_when_its_file_has_gone(tmp_path):
    buffer = io.BytesIO()
    Pillow.fromarray(quadrants()).save(buffer, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(buffer.getvalue())

    image = images.read(str(path))
    path.unlink()

    assert (image.pixels == quadrants()).all()


def test_very_many_megapixels_are_no_damage(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(20_000, 20_000))
    with pytest.raises(ImageError, match=r"has 400 megapixels \(20000x20000\); the limit is 64"):
        images.read(str(path))


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_a_file_of_several_frames_truncated_anywhere_is_a_picture_or_damaged(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 255, (3, 9, 9, 3), np.uint8)
    frames = [Pillow.fromarray(n) for n in noise]
    frames[0].save(tmp_path / "a", kind, save_all=True, append_images=frames[1:])
    data = (tmp_path / "a").read_bytes()
    for keep in range(1, len(data), 3):
        (tmp_path / "b").write_bytes(data[:keep])
        with contextlib.suppress(ImageError):
            images.read(str(tmp_path / "b"))


def test_nul_in_a_name_is_an_image_error():
    with pytest.raises(ImageError, match="can't read"):
        images.read("a\0b")


def test_pictures_are_read_so_many_at_a_time_and_large_ones_alone():
    small, large = np.zeros((2, 2, 3), np.uint8), np.zeros((6000, 6000), np.uint8)
    failed = []

    todo = [small, small, small, "gone.png", large, large, small]
    chunks = images.chunks(todo, Reading(), size=2, failed=lambda name, error: failed.append((name, error.code)))

    assert [[image.path for image in chunk] for chunk in chunks] == [
        ["array-0", "array-1"],
        ["array-2", "array-4"],
        ["array-5"],
        ["array-6"],
    ]
    assert failed == [("gone.png", "image")]


def test_a_file_may_be_called_otherwise(tmp_path):
    path = saved(tmp_path / "kept.png", quadrants())
    (tmp_path / "empty").touch()
    failed = []

    todo = [(path, "stdin"), (str(tmp_path / "empty"), "other")]
    chunks = images.chunks(todo, Reading(), size=2, failed=lambda _, error: failed.append(error.message))

    assert [[image.path for image in chunk] for chunk in chunks] == [["stdin"]]
    assert failed == ["other is empty"]
