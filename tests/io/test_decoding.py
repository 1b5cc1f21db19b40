"""What is read of a file: its colours against another decoder or against the numbers that were written."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from limits import at_most
from picture_files import BLUE, GREEN, RED, gray_of, png, quadrants, saved
from PIL import Image as Pillow
from PIL import ImageCms, ImageFile, PngImagePlugin

from xcnn.errors import ImageError, OptionError
from xcnn.io import images
from xcnn.io.reading import Reading


def soft(height=40, width=56, channels=3, seed=0):
    """A picture without edges, which JPEG keeps to a few levels."""
    noise = np.random.default_rng(seed).integers(0, 256, (5, 7, channels)).astype(np.float32)
    soft = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(soft), 0, 255).astype(np.uint8).reshape(height, width, channels)


def by_opencv(path):
    found = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    return found[..., ::-1].astype(int)


# Another decoder


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 2}, {"mode": "L"}])
def test_a_jpeg_is_what_opencv_makes_of_it(tmp_path, how, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.jpg", soft(), kind="JPEG", quality=90, exif=exif, **how)

    image = images.read(path)

    assert image.pixels.shape == by_opencv(path).shape
    assert np.abs(image.pixels - by_opencv(path)).max() <= 4


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_a_png_is_what_opencv_makes_of_it(tmp_path, mode):
    path = saved(tmp_path / "a.png", soft(), mode=mode)

    assert (images.read(path).pixels == by_opencv(path)).all()


@pytest.mark.parametrize("kind", ["BMP", "WEBP", "TIFF", "GIF"])
def test_other_formats_are_what_opencv_makes_of_them(tmp_path, kind):
    path = saved(tmp_path / "a", soft(), kind=kind)

    assert np.abs(images.read(path).pixels - by_opencv(path)).max() <= 2


# Inks


def unmarked(path):
    """Take the marker of Adobe out of a JPEG."""
    data = Path(path).read_bytes()
    at = data.index(b"\xff\xee")
    Path(path).write_bytes(data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :])
    return path


def inks():
    """Eight flat fields of inks, and the RGB that they stand for."""
    colours = [(0, 0, 0, 0), (0, 0, 0, 255), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 255, 255, 0)]
    colours += [(60, 120, 30, 0), (20, 40, 80, 100)]
    field = np.repeat(np.repeat(np.array([colours], np.uint8), 16, axis=0), 16, axis=1)
    light = 255 - field.astype(float)
    return field, light[..., :3] * light[..., 3:] / 255


def test_inks_that_adobe_inverted_have_their_colours(tmp_path):
    field, expected = inks()
    Pillow.fromarray(field, "CMYK").save(tmp_path / "a.jpg", quality=95)

    image = images.read(str(tmp_path / "a.jpg"))

    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    assert np.abs(image.pixels - expected).max() <= 8
    assert np.abs(image.pixels - by_opencv(tmp_path / "a.jpg")).max() <= 8
    assert image.notes == ("printing inks (CMYK) shown as RGB",)


def test_inks_that_are_not_inverted_have_the_same_colours(tmp_path):
    field, expected = inks()
    # Pillow inverts what it writes: inverted once more it is not.
    Pillow.fromarray(255 - field, "CMYK").save(tmp_path / "a.jpg", quality=95)
    path = unmarked(tmp_path / "a.jpg")

    image = images.read(str(path))

    assert np.abs(image.pixels - expected).max() <= 8


def test_inks_of_a_photo_held_upright_are_turned_with_it(tmp_path):
    field, expected = inks()
    exif = Pillow.Exif()
    exif[0x0112] = 3
    Pillow.fromarray(np.ascontiguousarray(255 - field[::-1, ::-1]), "CMYK").save(
        tmp_path / "a.jpg", quality=95, exif=exif
    )

    image = images.read(str(unmarked(tmp_path / "a.jpg")))

    assert np.abs(image.pixels - expected).max() <= 8


# Many bits


def written(path, values):
    """Let OpenCV write what Pillow can't: 16 bits of three channels (RGB), or numbers as they are."""
    done, data = cv2.imencode(path.suffix, values[..., ::-1] if values.ndim == 3 else values)
    assert done
    path.write_bytes(data.tobytes())
    return str(path)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_colours_of_16_bits_keep_their_levels(tmp_path, suffix):
    ramp = np.linspace(0, 65535, 1024).astype(np.uint16).reshape(1, -1)
    path = written(tmp_path / f"a{suffix}", np.dstack([ramp, ramp[:, ::-1], ramp // 2]))

    image = images.read(path)

    expected = np.dstack([ramp, ramp[:, ::-1], ramp // 2]) / 257
    assert np.abs(image.pixels - expected).max() <= 1
    assert len(np.unique(image.pixels[..., 0])) >= 250


@pytest.mark.parametrize("top", [1.0, 255.0, 1000.0, 4e9])
def test_a_ramp_of_floats_keeps_its_levels_whatever_its_range(tmp_path, top):
    ramp = np.linspace(0, top, 1024).astype(np.float32).reshape(1, -1)
    path = saved(tmp_path / "a.tif", ramp, kind="TIFF")

    image = images.read(path)

    assert len(set(gray_of(image)[0])) >= 250
    assert np.abs(np.array(gray_of(image)) - ramp * (255 / top)).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected"), [([0.0, 0.5], [0, 128]), ([0.0, 100.0], [0, 100]), ([0.0, 500.0, 250.0], [0, 255, 128])]
)
def test_a_dark_picture_of_floats_stays_dark(tmp_path, values, expected):
    path = saved(tmp_path / "a.tif", np.array([values], np.float32), kind="TIFF")

    assert gray_of(images.read(path)) == [expected]


def tiff(values, bits, photometric):
    """A gray TIFF of one row, packed by hand as its specification says."""
    packed = "".join(f"{value:0{bits}b}" for value in values)
    packed += "0" * (-len(packed) % 8)
    data = int(packed, 2).to_bytes(len(packed) // 8, "big")
    if bits == 16:
        data = b"".join(struct.pack("<H", value) for value in values)
    tags = {256: len(values), 257: 1, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1, 278: 1, 279: len(data)}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


@pytest.mark.parametrize(("bits", "photometric"), [(8, 0), (8, 1), (12, 1), (16, 0), (16, 1)])
def test_a_gray_tiff_has_its_levels_whatever_its_bits_and_whether_zero_is_white(tmp_path, bits, photometric):
    values = np.rint(np.linspace(0, 2**bits - 1, 600)).astype(int).tolist()
    (tmp_path / "a.tif").write_bytes(tiff(values, bits, photometric))

    gray = gray_of(images.read(str(tmp_path / "a.tif")))[0]

    shown = [value * 255 / (2**bits - 1) for value in values]
    expected = shown if photometric else [255 - value for value in shown]
    assert np.abs(np.subtract(gray, expected)).max() <= 1
    assert len(set(gray)) >= 250


def test_floats_of_which_zero_is_white_are_shown_so(tmp_path):
    path = saved(tmp_path / "a.tif", np.array([[0.0, 0.2, 1.0]], np.float32), kind="TIFF", tiffinfo={262: 0})

    assert gray_of(images.read(path)) == [[255, 204, 0]]


def test_the_transparent_gray_of_16_bits_is_shown_on_the_background(tmp_path):
    path = saved(tmp_path / "a.png", np.array([[0, 514, 65535]], np.uint16), transparency=514)

    image = images.read(path, Reading(background="#ff0000"))

    assert image.pixels[0].tolist() == [[0, 0, 0], [255, 0, 0], [255, 255, 255]]
    assert image.rgba[0, :, 3].tolist() == [255, 0, 255]
    assert image.notes == ("scaled from more than 8 bits", "transparent parts shown on #ff0000")


# Transparency


@pytest.mark.parametrize(
    ("word", "colour"),
    [("black", (0, 0, 0)), ("Tomato", (255, 99, 71)), ("#102030", (16, 32, 48)), (" white ", (255, 255, 255))],
)
@pytest.mark.parametrize("alpha", [0, 128])
def test_transparent_parts_are_shown_on_the_background(tmp_path, word, colour, alpha):
    path = saved(tmp_path / "a.png", np.full((1, 1, 4), [*RED, alpha], np.uint8))

    image = images.read(path, Reading(background=word))

    expected = (np.array(RED) * alpha + np.array(colour) * (255 - alpha)) / 255
    assert np.abs(image.pixels[0, 0] - expected).max() <= 1
    assert image.notes == (f"transparent parts shown on {word.strip()}",)


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA"])
def test_every_mode_with_transparency_is_shown_on_the_background(tmp_path, mode):
    kind = "TIFF" if mode == "PA" else "PNG"
    Pillow.fromarray(np.full((2, 2, 4), [90, 90, 90, 0], np.uint8)).convert(mode).save(tmp_path / "a", kind)

    image = images.read(str(tmp_path / "a"), Reading(background="#0a141e"))

    assert (image.pixels == [10, 20, 30]).all()


@pytest.mark.parametrize(("mode", "key"), [("RGB", RED), ("L", 7), ("1", 0)])
def test_a_colour_that_is_declared_transparent_is_shown_on_the_background(tmp_path, mode, key):
    picture = Pillow.new(mode, (2, 1), key)
    picture.putpixel((1, 0), BLUE if mode == "RGB" else 255)
    picture.save(tmp_path / "a.png", transparency=key)

    image = images.read(str(tmp_path / "a.png"), Reading(background="lime"))

    assert image.pixels[0].tolist() == [[0, 255, 0], list(BLUE) if mode == "RGB" else [255, 255, 255]]


def test_a_palette_with_degrees_of_transparency_is_shown_on_the_background(tmp_path):
    picture = Pillow.new("P", (3, 1))
    picture.putpalette([*RED, *BLUE, *GREEN])
    picture.putdata([0, 1, 2])
    picture.save(tmp_path / "a.png", transparency=bytes([255, 128, 0]))

    image = images.read(str(tmp_path / "a.png"), Reading(background="black"))

    expected = [RED, [round(value * 128 / 255) for value in BLUE], [0, 0, 0]]
    assert np.abs(image.pixels[0] - np.array(expected)).max() <= 1


def test_an_array_with_transparent_parts_is_shown_on_the_background():
    image = images.from_array(np.array([[[*RED, 0]]], np.uint8), "mine", Reading(background="navy"))

    assert image.pixels.tolist() == [[[0, 0, 128]]]
    assert image.notes == ("from memory", "transparent parts shown on navy")


@pytest.mark.parametrize("word", ["whit", "#12345", "#12345g", "rgb(1,2,3)", "", "#", "x" * 200, "hsl(0,0%,0%)"])
def test_a_background_that_is_no_colour_is_refused(word):
    with pytest.raises(OptionError) as caught:
        Reading(background=word)

    assert caught.value.message == f"--background is {word!r}, which is no colour"
    assert "#rrggbb" in caught.value.hint
    assert word != "whit" or caught.value.hint.startswith("white (did you mean this?)")


# Frames


@pytest.fixture(params=["GIF", "TIFF", "PNG", "WEBP"])
def animated(request, tmp_path):
    """Three frames of flat colours."""
    frames = [Pillow.new("RGB", (4, 4), colour) for colour in (RED, GREEN, BLUE)]
    how = {"lossless": True} if request.param == "WEBP" else {}
    frames[0].save(tmp_path / "a", request.param, save_all=True, append_images=frames[1:], **how)
    return str(tmp_path / "a")


@pytest.mark.parametrize(
    ("frame", "colour", "note"),
    [(1, RED, "the first of 3 frames"), (2, GREEN, "frame 2 of 3"), (3, BLUE, "frame 3 of 3")],
)
def test_the_frame_that_is_asked_for_is_shown(animated, frame, colour, note):
    image = images.read(animated, Reading(frame=frame))

    assert (image.pixels == colour).all()
    assert image.notes == (note,)


def test_a_frame_that_is_not_there_is_refused_with_how_many_there_are(animated, tmp_path):
    with pytest.raises(ImageError, match="a has 3 frames, so there is no frame 4"):
        images.read(animated, Reading(frame=4))
    with pytest.raises(ImageError, match=r"b\.png has one frame, so there is no frame 2"):
        images.read(saved(tmp_path / "b.png", quadrants()), Reading(frame=2))


# Metadata


def profile(name):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_colour_profile_is_ignored_and_said_to_be_unless_it_is_srgb(tmp_path, kind):
    plain, told, srgb = (
        images.read(saved(tmp_path / name, soft(), kind=kind, **how))
        for name, how in (
            ("plain", {}),
            ("told", {"icc_profile": profile("XYZ")}),
            ("srgb", {"icc_profile": profile("sRGB")}),
        )
    )

    assert (told.pixels == plain.pixels).all()
    assert told.notes == ("its colour profile is ignored: the colours are taken as sRGB",)
    assert srgb.notes == plain.notes == ()


@pytest.mark.parametrize(
    "bad", [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01", b"no TIFF", b"II*\0\xff\xff\xff\xff"]
)
def test_damaged_exif_data_cost_no_photo(tmp_path, bad):
    path = saved(tmp_path / "a.jpg", quadrants(), kind="JPEG", quality=95, subsampling=0, exif=b"Exif\0\0" + bad)

    assert np.abs(images.read(path).pixels.astype(int) - quadrants()).max() <= 4


def test_exif_data_that_can_not_be_read_are_said_to_be_damaged(tmp_path):
    words = PngImagePlugin.PngInfo()
    words.add_text("Raw profile type exif", "\nexif\n 4\nno hexadecimal digits")
    path = saved(tmp_path / "a.png", quadrants(), pnginfo=words)

    image = images.read(path)

    assert (image.pixels == quadrants()).all()
    assert image.notes == ("its EXIF data is damaged: which side is up is not known",)


def test_an_orientation_that_does_not_exist_changes_nothing(tmp_path):
    exif = Pillow.Exif()
    exif[0x0112] = 77
    path = saved(tmp_path / "a.png", quadrants(), exif=exif)

    assert (images.read(path).pixels == quadrants()).all()


# Damage


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
def test_a_truncated_picture_is_taken_when_allowed_and_marked(tmp_path, kind):
    whole = saved(tmp_path / "whole", soft(64, 64), kind=kind)
    data = Path(whole).read_bytes()
    (tmp_path / "part").write_bytes(data[: len(data) * 9 // 10])
    allowed = Reading(allow_truncated=True)

    with pytest.raises(ImageError, match="part is damaged or truncated"):
        images.read(str(tmp_path / "part"))
    image = images.read(str(tmp_path / "part"), allowed)
    complete = images.read(whole, allowed)

    rows = slice(40, 64) if kind == "BMP" else slice(0, 12)  # BMP begins at the bottom
    assert (image.pixels[rows] == complete.pixels[rows]).all()
    assert image.size == (64, 64)
    assert image.notes[0].startswith("damaged or truncated, only a part of it could be read: ")
    assert complete.notes == ()
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_what_nothing_can_be_read_of_stays_an_error_when_damage_is_allowed(tmp_path):
    path = tmp_path / "a.webp"
    Pillow.fromarray(soft()).save(path)
    path.write_bytes(path.read_bytes()[:60])

    with pytest.raises(ImageError, match="damaged or truncated"):
        images.read(str(path), Reading(allow_truncated=True))
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_what_is_no_picture_stays_none_when_damage_is_allowed(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")

    with pytest.raises(ImageError, match="is not a picture"):
        images.read(str(tmp_path / "a.jpg"), Reading(allow_truncated=True))


def test_a_kind_that_pillow_lacks_is_not_called_damaged(tmp_path):
    data = io.BytesIO()
    Pillow.fromarray(quadrants()).save(data, "BMP")
    head = bytearray(data.getvalue())
    head[28:30] = struct.pack("<H", 7)  # bits of a pixel
    (tmp_path / "a.bmp").write_bytes(head)

    with pytest.raises(ImageError, match=r"a\.bmp is of a kind that can't be decoded: Unsupported BMP pixel depth"):
        images.read(str(tmp_path / "a.bmp"))


def test_lab_colours_are_refused_by_name(tmp_path):
    Pillow.new("LAB", (2, 2)).save(tmp_path / "a.tif")

    with pytest.raises(ImageError, match="has Lab colours"):
        images.read(str(tmp_path / "a.tif"))


# Limits


def test_the_largest_picture_is_what_is_asked_for(tmp_path):
    path = saved(tmp_path / "a.png", np.zeros((100, 101, 3), np.uint8))

    assert images.read(path, Reading(max_megapixels=0.0101)).size == (100, 101)
    with pytest.raises(ImageError, match=r"has 0 megapixels \(101x100\); the limit is 0.01(?m:$)"):
        images.read(path, Reading(max_megapixels=0.01))


def test_a_limit_above_that_of_pillow_holds(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(20_000, 10_000))
    before = Pillow.MAX_IMAGE_PIXELS

    with pytest.raises(ImageError, match="damaged or truncated"):  # there are no rows in it
        images.read(str(path), Reading(max_megapixels=300))
    assert before == Pillow.MAX_IMAGE_PIXELS


def test_a_frame_larger_than_the_first_is_refused(tmp_path):
    small, large = Pillow.new("L", (4, 4)), Pillow.new("L", (100, 100))
    small.save(tmp_path / "a", "TIFF", save_all=True, append_images=[large])

    assert images.read(str(tmp_path / "a"), Reading(max_megapixels=0.001)).size == (4, 4)
    with pytest.raises(ImageError, match=r"0\.001"):
        images.read(str(tmp_path / "a"), Reading(max_megapixels=0.001, frame=2))


def of_size(kind, side):
    """A small picture whose header says another size."""
    if kind == "PNG":
        return png(side, side)
    data = io.BytesIO()
    Pillow.new("L", (4, 4)).save(data, kind)
    head = bytearray(data.getvalue())
    at, form = {"BMP": (18, "<II"), "GIF": (6, "<HH"), "JPEG": (head.find(b"\xff\xc0") + 5, ">HH")}[kind]
    head[at : at + struct.calcsize(form)] = struct.pack(form, side, side)
    return bytes(head)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "JPEG"])
def test_a_picture_of_1600_megapixels_is_refused_in_little_memory(tmp_path, kind):
    (tmp_path / "a").write_bytes(of_size(kind, 40_000))
    code = (
        "import sys; from pathlib import Path; from xcnn.io import images; from xcnn.errors import ImageError\n"
        "try: images.read(sys.argv[1])\n"
        "except ImageError as error: print(error)\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )

    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, text=True, check=True)

    message, kilobytes = done.stdout.splitlines()
    assert message == f"{tmp_path / 'a'} has 1,600 megapixels (40000x40000); the limit is 64"
    assert int(kilobytes) < 300 * 1000


@pytest.mark.parametrize("head", [b"", b"%PDF-1.7", png(4, 4), b"\xff\xd8\xff\xe0"])
def test_a_file_of_a_terabyte_is_refused_at_once(tmp_path, head):
    with (tmp_path / "a.jpg").open("wb") as file:
        file.write(head)
        file.truncate(2**40)

    with at_most(2), pytest.raises(ImageError, match=r"a\.jpg (is|has) "):
        images.read(str(tmp_path / "a.jpg"))


# Other files


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage", "PostScript"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<svg/>', "an SVG drawing"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"PK\3\4", "an archive"),
    ],
)
def test_what_is_often_taken_for_a_picture_is_refused_by_name(tmp_path, content, what):
    (tmp_path / "a.png").write_bytes(content + bytes(100))

    with at_most(1), pytest.raises(ImageError) as caught:
        images.read(str(tmp_path / "a.png"))

    assert caught.value.message == f"{tmp_path / 'a.png'} is {what}, not a picture that xcnn reads"
    assert caught.value.hint == "use JPEG, PNG, WEBP, BMP, GIF, TIFF"


def test_options_say_how_to_read():
    options = {"background": "red", "frame": 2, "alpha": 0.5, "allow_truncated": True, "max_megapixels": 3.0}

    assert Reading.of(options) == Reading(background="red", frame=2, allow_truncated=True, max_megapixels=3.0)
    assert Reading.of({"seed": 1}) == Reading()


def test_what_the_decoder_of_tiff_says_is_a_note_and_not_a_line_on_the_screen(own_folder, capfd):
    path = own_folder / "fax.tif"
    Pillow.fromarray(quadrants(side=32)).convert("1").save(path, "TIFF", compression="group4")
    data = bytearray(path.read_bytes())
    data[8:40] = bytes(byte ^ 0x5A for byte in data[8:40])
    path.write_bytes(data)

    notes = images.read(str(path)).notes

    assert capfd.readouterr().err == ""
    assert [note for note in notes if "complained" in note and "Fax4Decode" in note]


def test_a_damaged_tiff_is_refused_in_silence(own_folder, capfd):
    path = own_folder / "zip.tif"
    Pillow.fromarray(quadrants()).save(path, "TIFF", compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    data[12:60] = bytes(48)
    path.write_bytes(data)

    with pytest.raises(ImageError, match="damaged or truncated"):
        images.read(str(path))

    assert capfd.readouterr().err == ""
