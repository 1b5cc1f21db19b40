"""Pictures as users have them: odd names, folders in folders, frames, damage; each through the whole command."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import unicodedata
from pathlib import Path

import nets
import numpy as np
import pytest
from limits import at_most
from picture_files import BLUE, GREEN, RED, saved
from PIL import Image

import xcnn
from xcnn.report.words import visible

pytestmark = pytest.mark.keras


def manifest(folder="run"):
    return json.loads((Path(folder) / "run.json").read_text("ascii"))


# Names

NFC, NFD = (unicodedata.normalize(form, "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png") for form in ("NFC", "NFD"))
NAMES = {
    "spaces": "  two  words .png",
    "quotes": 'it\'s "5" `x` $HOME.png',
    "brackets": "cat[x].png",
    "braces and stars": "{a,b}*?.png",
    "markup": "<b>bold [red]&amp;'.png",
    "emoji": "\N{CAT FACE}\N{ZERO WIDTH JOINER}\N{FIRE}.png",
    "right to left": "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe.png",
    "composed": NFC,
    "decomposed": NFD,
    "not UTF-8": b"caf\xe9\xff.png".decode("utf-8", "surrogateescape"),
    "255 bytes": "n" * 251 + ".png",
    "255 bytes of two": "\N{LATIN SMALL LETTER E WITH ACUTE}" * 125 + "n.png",
    "newline": "two\nlines\r\t.png",
    "escape": "\x1b[31mred\x07.png",
    "leading dash": "-o.png",
    "only dots": "....png",
    "device": "CON.png",
    "no letters": "!!!.png",
    "percent": "100%s%d.png",
    "backslash": "..\\..\\up.png",
}


def shown(text):
    """A name as a terminal may see it: what steers it, and what is no text, in escapes."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def assert_safe(folder):
    """All names that were written are plain, short, and unlike each other in any case."""
    written = [path.name for path in Path(folder).iterdir()]
    assert all(re.fullmatch(r"\w[\w.-]*", name) and len(name.encode()) <= 255 for name in written), written
    assert len({unicodedata.normalize("NFC", name).casefold() for name in written}) == len(written)
    assert set(manifest(folder)["files"]) == set(written)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_picture_of_any_name_is_explained_under_a_plain_one_and_told_by_its_own(
    command, own_folder, small_model, name
):
    picture = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    saved(own_folder / name, picture)

    code, out, err = command("gradcam", small_model, "--out", "run", "--", name)

    assert (code, out) == (0, "run/report.html\n")
    assert f"\n{shown(name)}: " in err
    assert all(sign.isprintable() or sign == "\n" for sign in err)
    assert_safe("run")
    assert {path.name for path in own_folder.iterdir()} == {name, "run"}
    result = manifest()["results"][0]
    assert result["image"]["path"] == name
    words = shlex.split(manifest()["command"])
    assert name in words
    page = (own_folder / "run" / "report.html").read_bytes().decode("utf-8")  # it is text, whatever the name
    assert visible(name) in html.unescape(page)
    assert name not in page or not re.search(r"[<&\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]", name)


def test_pictures_of_all_names_stand_in_one_folder(command, own_folder, small_model):
    (own_folder / "p").mkdir()
    for seed, name in enumerate(NAMES.values()):
        saved(own_folder / "p" / name, np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8))

    code, _, err = command("gradcam", small_model, "p", "--out", "run", "-v")

    # A name that begins with a dot is hidden.
    told = {result["image"]["path"] for result in manifest()["results"]}
    assert code == 0
    assert told == {f"p/{name}" for name in NAMES.values() if not name.startswith(".")}
    assert all(shown(path) in err for path in told)
    assert_safe("run")


def test_the_command_of_a_run_names_its_pictures_so_that_a_shell_finds_them(command, own_folder, small_model):
    names = list(NAMES.values())
    for name in names:
        saved(own_folder / name, np.full((4, 4, 3), 9, np.uint8))
    command("gradcam", small_model, "--out", "one", "--", *names)
    again = manifest("one")["command"].replace("--out one", "--out two")

    code, _, _ = command(*shlex.split(again)[1:])

    assert code == 0
    assert [one["image"]["path"] for one in manifest("two")["results"]] == names


def test_equal_names_in_two_folders_are_two_pictures(command, own_folder, small_model):
    for number, folder in enumerate("ab"):
        (own_folder / folder).mkdir()
        saved(own_folder / folder / "x.png", np.full((4, 4, 3), number, np.uint8))

    command("gradcam", small_model, "a/x.png", "b/x.png", "--out", "run")

    files = [(one["image"]["path"], one["panels"][0]["files"]["values"]) for one in manifest()["results"]]
    assert files == [("a/x.png", "x.gradcam.npy"), ("b/x.png", "x-2.gradcam.npy")]


# Folders, backgrounds, frames, damage

OPTIONS = ["--recursive", "--background", "#0a141e", "--frame", "2", "--allow-truncated", "--max-megapixels", "3"]


@pytest.fixture
def album(own_folder):
    """A folder with a folder in it: an animation, and a damaged animation; both begin with transparent parts."""
    (own_folder / "album" / "deep").mkdir(parents=True)
    frames = [Image.new("RGBA", (24, 24), (*RED, 0)), Image.new("RGBA", (24, 24), (*GREEN, 0))]
    noise = np.random.default_rng(0).integers(0, 256, (24, 24, 4), np.uint8)
    frames.append(Image.fromarray(noise))
    frames[0].save(own_folder / "album" / "a.tif", save_all=True, append_images=frames[1:])
    frames[0].save(own_folder / "album" / "deep" / "b.png", save_all=True, append_images=[frames[2]], disposal=1)
    path = own_folder / "album" / "deep" / "b.png"
    path.write_bytes(path.read_bytes()[:-700])
    return "album"


def test_how_pictures_are_read_is_an_option_of_the_run_and_said_again(command, album, small_model):
    code, _, err = command("gradcam", small_model, album, *OPTIONS, "--out", "run")

    about = manifest()
    told = {row["name"]: (row["value"], row["source"]) for row in about["options"]}
    assert code == 0, err
    assert [one["image"]["path"] for one in about["results"]] == ["album/a.tif", "album/deep/b.png"]
    assert told["recursive"] == (True, "command line")
    assert told["background"] == ("#0a141e", "command line")
    assert told["frame"] == (2, "command line")
    assert told["allow_truncated"] == (True, "command line")
    assert told["max_megapixels"] == (3.0, "command line")
    words = shlex.split(about["command"])
    assert {"--recursive", "--background", "#0a141e", "--frame", "2", "--allow-truncated", "--max-megapixels"} <= {
        *words
    }
    first, second = (one["image"]["notes"] for one in about["results"])
    assert first == ["frame 2 of 3", "transparent parts shown on #0a141e"]
    assert second[0].startswith("damaged or truncated, only a part of it could be read: ")
    with Image.open("run/a.source.jpg") as source:
        assert np.abs(np.asarray(source).astype(int) - (10, 20, 30)).max() <= 3
    doubts = [fact["text"] for fact in about["results"][1]["trust"] if fact["code"] == "image"]
    assert doubts[0] == second[0]
    page = Path("run/report.html").read_text("utf-8")
    assert "frame 2 of 3" in page
    assert "only a part of it could be read" in page


def test_a_damaged_picture_is_a_failure_unless_it_is_allowed(command, album, small_model):
    code, _, err = command("gradcam", small_model, album, "album/deep/b.png", "--out", "run", "--frame", "2")

    assert code == 1
    assert "error: album/deep/b.png is damaged or truncated" in err
    assert [one["path"] for one in manifest()["failures"]] == ["album/deep/b.png"]


def test_predict_reads_pictures_the_same_way(command, album, small_model):
    code, _, err = command("predict", small_model, album, *OPTIONS, "--out", "run")

    assert code == 0, err
    assert [one["path"] for one in manifest()["results"]] == ["album/a.tif", "album/deep/b.png"]
    assert manifest()["results"][0]["notes"] == ["frame 2 of 3", "transparent parts shown on #0a141e"]


def test_predict_says_which_picture_it_can_not_read(command, album, small_model):
    code, _, err = command("predict", small_model, album, "--recursive", "--frame", "2", "--out", "run")

    assert code == 1
    assert "error: album/deep/b.png is damaged or truncated" in err


@pytest.mark.parametrize("name", ["gradcam", "predict"])
def test_another_input_takes_the_first_frame_whatever_frame_is_asked_for(command, album, own_folder, name):
    nets.siamese().save(own_folder / "two.keras")
    saved(own_folder / "still.png", np.zeros((24, 24, 3), np.uint8))

    words = [own_folder / "two.keras", "album/a.tif", "--frame", "2", "--input", "right=still.png", "--out", "run"]
    code, _, err = command(name, *words)

    assert code == 0, err


def test_doctor_reads_pictures_the_same_way(command, album, small_model):
    code, out, err = command("doctor", small_model, album, *OPTIONS)

    assert code == 0, err
    assert "\nalbum/a.tif\n" in out
    assert "\nalbum/deep/b.png\n" in out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pipe.jpg", "is no regular file"),
        ("/dev/zero", "is no regular file"),
        ("empty.jpg", "is empty"),
        ("a.eps", "is PostScript, not a picture that xcnn reads"),
        ("a.svg", "is an SVG drawing, not a picture that xcnn reads"),
        ("a.pdf", "is a PDF document, not a picture that xcnn reads"),
    ],
)
@pytest.mark.parametrize("kind", ["gradcam", "predict"])
def test_what_is_no_picture_is_refused_in_one_sentence(command, own_folder, small_model, kind, name, words):
    os.mkfifo("pipe.jpg")
    for file, content in (("empty.jpg", b""), ("a.eps", b"%!PS-Adobe"), ("a.svg", b"<svg/>"), ("a.pdf", b"%PDF-1.7")):
        Path(file).write_bytes(content)

    with at_most(5):
        code, out, err = command(kind, small_model, name, "--out", "run")

    assert (code, out) == (1, "")
    assert err.splitlines()[0] == f"error: {name} {words}"
    assert not Path("run").exists()


def test_python_reads_pictures_the_same_way_also_when_a_run_is_saved_later(album, small_model):
    run = xcnn.explain(
        small_model, album, recursive=True, background="#0a141e", frame=2, allow_truncated=True, max_megapixels=3
    )

    run.save("run")

    assert [result.image.path for result in run.results] == ["album/a.tif", "album/deep/b.png"]
    with Image.open("run/a.source.jpg") as source:
        assert np.abs(np.asarray(source).astype(int) - (10, 20, 30)).max() <= 3


def test_a_note_about_the_only_picture_is_said_on_the_screen(command, album, small_model):
    _, _, err = command("gradcam", small_model, "album/a.tif", "--out", "run")

    assert "note: the first of 3 frames\n" in err
    assert "note: transparent parts shown on white\n" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--background", "blu"], "--background is 'blu', which is no colour"),
        (["--frame", "0"], "--frame is 0; it must be 1 or more"),
        (["--max-megapixels", "0"], "--max-megapixels is 0.0; it must be 0.001 or more MP"),
    ],
)
@pytest.mark.parametrize("name", ["gradcam", "predict"])
def test_what_no_picture_can_be_read_with_is_a_mistake_in_the_request(
    command, album, small_model, name, words, message
):
    code, _, err = command(name, small_model, "album", *words, "--out", "run")

    assert code == 2
    assert f"error: {message}\n" in err
    assert not Path("run").exists()


def test_a_picture_above_the_limit_is_refused_by_the_option(command, photo, small_model):
    code, _, err = command("gradcam", small_model, photo(height=100, width=100), "--max-megapixels", "0.005")

    assert code == 1
    assert "error: photo.png has 0 megapixels (100x100); the limit is 0.005\n" in err
    assert "try: shrink it first, or raise --max-megapixels\n" in err


def test_a_large_picture_has_an_overlay_that_can_be_opened(command, own_folder, small_model):
    saved(own_folder / "wide.png", np.full((300, 6000, 3), BLUE, np.uint8))

    command("gradcam", small_model, "wide.png", "--out", "run")

    with Image.open("run/wide.gradcam.overlay.png") as overlay:
        assert overlay.size == (4096, 205)
    assert manifest()["results"][0]["image"]["width"] == 6000
