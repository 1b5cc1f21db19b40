import csv
import ctypes
import errno
import io
import json
import os
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from xcnn.errors import OutputError
from xcnn.io import artifacts, places
from xcnn.io.artifacts import Draft


class Broken(Exception):  # noqa: N818 (stands for any failure inside a run)
    """What goes wrong in the middle of a run."""


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def draft(out):
    with Draft(out, overwrite=False) as draft:
        yield draft


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def published(out, **files):
    """An earlier run."""
    with Draft(out, overwrite=False) as draft:
        for name, text in files.items():
            (draft.folder / name).write_text(text)
        draft.write_json("run.json", {"files": [*files, "run.json"]})
        draft.publish()
    return out


def listed(folder):
    return sorted(entry.name for entry in folder.iterdir())


# The default folder


def test_the_default_folder_is_named_after_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert places.default_folder("gradcam") == Path("xcnn-out/gradcam")


def test_the_default_folder_takes_the_first_free_number(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("gradcam", "gradcam-2", "gradcam-4"):
        (tmp_path / "xcnn-out" / name).mkdir(parents=True)

    assert places.default_folder("gradcam") == Path("xcnn-out/gradcam-3")


def test_files_and_dangling_links_take_a_default_name_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xcnn-out").mkdir()
    (tmp_path / "xcnn-out" / "gradcam").touch()
    (tmp_path / "xcnn-out" / "gradcam-2").symlink_to("nowhere")

    assert places.default_folder("gradcam") == Path("xcnn-out/gradcam-3")


# Checks before anything is computed


def test_a_new_folder_is_accepted_and_not_made(out):
    places.check(out / "deep" / "er", overwrite=False)

    assert not out.exists()


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_refused(out, kind):
    {"folder": out.mkdir, "file": out.touch, "link": lambda: out.symlink_to("nowhere")}[kind]()

    with pytest.raises(OutputError) as caught:
        places.check(out, overwrite=False)

    assert caught.value.message == f"{out} already exists"
    assert caught.value.hint == "choose another --out, or add --overwrite"


def test_a_run_of_xcnn_may_be_overwritten(out):
    published(out)

    places.check(out, overwrite=True)

    assert listed(out) == ["run.json"]


def test_an_empty_folder_may_be_overwritten(out):
    out.mkdir()

    places.check(out, overwrite=True)

    assert listed(out) == []


def test_a_folder_of_the_user_is_not_overwritten(out):
    out.mkdir()
    (out / "thesis.txt").touch()

    with pytest.raises(OutputError, match="was not written by xcnn, so it is not overwritten"):
        places.check(out, overwrite=True)


def test_a_file_is_not_overwritten(out):
    out.touch()

    with pytest.raises(OutputError, match="was not written by xcnn"):
        places.check(out, overwrite=True)


def test_a_link_to_a_run_is_not_overwritten(out, tmp_path):
    published(tmp_path / "other")
    out.symlink_to("other")

    with pytest.raises(OutputError, match="was not written by xcnn"):
        places.check(out, overwrite=True)


def test_a_folder_with_a_folder_named_run_json_is_not_overwritten(out):
    (out / "run.json").mkdir(parents=True)

    with pytest.raises(OutputError, match="was not written by xcnn"):
        places.check(out, overwrite=True)


@pytest.mark.parametrize("name", ["out/elephant.source.jpg", "out/../out/elephant.source.jpg", "link/a.jpg"])
def test_a_folder_that_holds_an_input_is_not_overwritten(out, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    published(out)
    (tmp_path / "link").symlink_to("out")

    with pytest.raises(OutputError) as caught:
        places.check(out, overwrite=True, inputs=["elsewhere.jpg", name])

    assert caught.value.message == f"{out} holds {name}, which is read, so it is not overwritten"


def test_inputs_beside_the_folder_do_not_matter(out, tmp_path):
    published(out)

    places.check(out, overwrite=True, inputs=[str(tmp_path / "out.jpg"), str(tmp_path / "out2" / "a.jpg")])

    assert listed(out) == ["run.json"]


@pytest.mark.parametrize("below", ["run", "deep/er/run"])
def test_a_file_can_not_hold_a_folder(tmp_path, below):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / below

    with pytest.raises(OutputError) as caught:
        places.check(out, overwrite=False)

    assert caught.value.message == f"can't write {out}: {tmp_path / 'file'} is no folder"


def test_a_parent_that_may_not_be_written_is_refused(tmp_path):
    parent = tmp_path / "locked"
    parent.mkdir(mode=0o500)
    if os.access(parent, os.W_OK):
        pytest.skip("this user may write everywhere")

    with pytest.raises(OutputError, match="is not writable"):
        places.check(parent / "out", overwrite=False)


# All or nothing


def test_nothing_is_in_its_place_before_it_is_published(out):
    with Draft(out, overwrite=False) as draft:
        draft.write_json("run.json", {})
        before = out.exists()
        draft.publish()

    assert not before
    assert listed(out) == ["run.json"]
    assert listed(out.parent) == ["out"]


def test_folders_on_the_way_are_made(tmp_path):
    published(tmp_path / "deep" / "er" / "out")

    assert listed(tmp_path / "deep" / "er" / "out") == ["run.json"]


def test_a_relative_folder_is_published_where_the_run_began(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    published(Path("out"))

    assert listed(tmp_path) == ["out"]


def test_a_failing_run_leaves_nothing(out):
    with pytest.raises(Broken), Draft(out, overwrite=False) as draft:
        draft.write_json("run.json", {})
        raise Broken

    assert listed(out.parent) == []


def test_a_run_that_is_not_published_leaves_nothing(out):
    with Draft(out, overwrite=False) as draft:
        draft.write_json("run.json", {})

    assert listed(out.parent) == []


def test_a_refused_draft_leaves_nothing(out):
    out.mkdir()

    with pytest.raises(OutputError, match="already exists"):
        Draft(out, overwrite=False)

    assert listed(out.parent) == ["out"]


def test_overwriting_replaces_all_files_of_the_earlier_run(out):
    published(out, old="old")

    with Draft(out, overwrite=True) as draft:
        (draft.folder / "new").write_text("new")
        draft.publish()

    assert listed(out) == ["new"]
    assert listed(out.parent) == ["out"]


def test_the_earlier_run_stays_whole_until_the_new_one_is_published(out):
    published(out, old="old")

    with Draft(out, overwrite=True) as draft:
        draft.write_json("run.json", {"new": True})
        before = listed(out)
        draft.publish()

    assert before == ["old", "run.json"]


def test_a_failing_run_keeps_the_folder_it_would_have_overwritten(out):
    published(out, old="old")

    with pytest.raises(Broken), Draft(out, overwrite=True) as draft:
        draft.write_json("run.json", {"new": True})
        raise Broken

    assert (out / "old").read_text() == "old"
    assert json.loads((out / "run.json").read_text()) == {"files": ["old", "run.json"]}
    assert listed(out.parent) == ["out"]


def test_overwriting_works_where_the_system_can_not_exchange_folders(out, monkeypatch):
    published(out, old="old")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: types.SimpleNamespace())

    with Draft(out, overwrite=True) as draft:
        (draft.folder / "new").write_text("new")
        draft.publish()

    assert listed(out) == ["new"]
    assert listed(out.parent) == ["out"]


def test_overwriting_works_where_the_file_system_can_not_exchange_folders(out, monkeypatch):
    def refuses(*_arguments):
        ctypes.set_errno(errno.EINVAL)
        return -1

    published(out, old="old")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_args, **_kwargs: types.SimpleNamespace(renameat2=refuses))

    with Draft(out, overwrite=True) as draft:
        (draft.folder / "new").write_text("new")
        draft.publish()

    assert listed(out) == ["new"]
    assert listed(out.parent) == ["out"]


def test_overwriting_what_does_not_exist_is_no_mistake(out):
    with Draft(out, overwrite=True) as draft:
        draft.write_json("run.json", {})
        draft.publish()

    assert listed(out) == ["run.json"]


def test_a_folder_that_appears_meanwhile_is_kept(out):
    with pytest.raises(OutputError, match="appeared while xcnn was at work"), Draft(out, overwrite=False) as draft:
        out.mkdir()
        (out / "thesis.txt").touch()
        draft.publish()

    assert listed(out) == ["thesis.txt"]
    assert listed(out.parent) == ["out"]


def test_a_draft_that_vanished_is_said_in_words(out, draft):
    draft.folder.rmdir()

    with pytest.raises(OutputError, match=f"can't write {out}: No such file or directory"):
        draft.write_json("run.json", {})


@pytest.mark.parametrize(("mask", "folder", "file"), [(0o022, 0o755, 0o644), (0o077, 0o700, 0o600), (0, 0o777, 0o666)])
def test_a_run_is_as_readable_as_the_users_other_files(out, umask, mask, folder, file):
    umask(mask)

    published(out)

    assert out.stat().st_mode & 0o777 == folder
    assert (out / "run.json").stat().st_mode & 0o777 == file


def test_the_umask_stays_what_it_was(out, umask):
    umask(0o027)

    published(out)

    assert umask(0o027) == 0o027


# Names


def test_names_of_different_folders_do_not_collide(draft):
    assert [draft.name(path) for path in ("a/x.jpg", "b/x.jpg", "x.png")] == ["x", "x-2", "x-3"]


def test_names_that_differ_in_case_alone_do_not_collide(draft):
    assert [draft.name(path) for path in ("cat.jpg", "Cat.jpg", "CAT.jpg")] == ["cat", "Cat-2", "CAT-3"]


def test_two_spellings_of_one_accent_do_not_collide(draft):
    names = [
        draft.name(path)
        for path in ("caf\N{LATIN SMALL LETTER E WITH ACUTE}.jpg", "cafe\N{COMBINING ACUTE ACCENT}.jpg")
    ]

    assert names[1] == names[0] + "-2"


def test_a_numbered_name_does_not_collide_with_a_file_of_that_name(draft):
    names = [draft.name(path) for path in ("x-2.jpg", "a/x.jpg", "b/x.jpg", "c/x.jpg")]

    assert names == ["x-2", "x", "x-3", "x-4"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("elephant.jpg", "elephant"),
        ("photos/African elephant (1).JPG", "African-elephant-1"),
        ("a.b.c.png", "a-b-c"),
        ("..", "image"),
        ("../..", "image"),
        ("/", "image"),
        ("", "image"),
        ("...", "image"),
        ("--rf.jpg", "rf"),
        ("象.png", "象"),
        ("two\nlines.png", "two-lines"),
        ("latin-\udce9.png", "latin"),
        ("a\\b:c*d?.png", "a-b-c-d"),
        ("<script>.png", "script"),
    ],
)
def test_a_name_is_safe_in_any_file_system(draft, path, expected):
    assert draft.name(path) == expected


@pytest.mark.parametrize("path", ["../x.jpg", "../../etc/passwd", "/etc/passwd", "a/..", "..\\..\\x.jpg", ".", "./.."])
def test_a_name_never_leaves_the_folder(draft, path):
    name = draft.name(path) + ".png"

    assert (draft.folder / name).resolve().parent == draft.folder.resolve()


@pytest.mark.parametrize("sign", ["x", "é", "象", "𝔛"])
def test_a_long_name_is_cut_to_what_file_systems_take(draft, sign):
    first, second = draft.name(sign * 300 + ".jpg"), draft.name(sign * 300 + ".jpg")

    assert set(first) == {sign}
    assert 76 < len(first.encode()) <= 80
    assert second == first + "-2"


def test_the_parts_of_a_layer_path_make_one_name():
    assert artifacts.safe_part("tower/conv[0]") == "tower-conv-0"


# What is written


def test_a_png_holds_the_pixels_as_red_green_blue(out, draft):
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[1, 2, 3], [250, 128, 7], [9, 9, 9]]], np.uint8)

    name = draft.write_picture("a.png", pixels)

    with Pillow.open(draft.folder / name) as picture:
        assert np.asarray(picture).tolist() == pixels.tolist()


def test_a_jpeg_holds_nearly_the_pixels_as_red_green_blue(draft):
    pixels = np.zeros((32, 32, 3), np.uint8)
    pixels[:, :16], pixels[:, 16:] = (230, 40, 20), (10, 30, 220)

    name = draft.write_picture("a.jpg", pixels)

    with Pillow.open(draft.folder / name) as picture:
        error = np.abs(np.asarray(picture).astype(int) - pixels)
        assert picture.format == "JPEG"
    assert error[:, [*range(8), *range(24, 32)]].max() <= 3  # JPEG's coarse colours mix where the halves meet


def test_a_better_jpeg_is_a_larger_file(draft):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)

    sizes = [len(artifacts.encoded(noise, ".jpg", quality=quality)) for quality in (50, 90)]

    assert sizes[0] < sizes[1]


def test_values_are_written_unchanged(draft):
    values = np.array([[1e-30, -2.5], [np.float32(1) / 3, 3e38]], np.float32)

    name = draft.write_values("a.npy", values)

    read = np.load(draft.folder / name, allow_pickle=False)
    assert read.dtype == np.float32
    assert read.tolist() == values.tolist()


def test_json_is_ascii_and_keeps_any_name(draft):
    data = {"path": "latin-\udce9 象 \n \u2028", "numbers": [1, 0.1, None, True]}

    draft.write_json("run.json", data)

    text = (draft.folder / "run.json").read_bytes()
    assert text.isascii()
    assert json.loads(text) == data


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_json_takes_no_number_that_json_does_not_have(draft, bad):
    with pytest.raises(ValueError, match="not JSON compliant"):
        draft.write_json("run.json", {"score": bad})

    assert listed(draft.folder) == []


def test_a_picture_that_no_format_holds_is_said_in_words():
    with pytest.raises(OutputError, match=r"a picture of \(1, 70000, 3\) can't be encoded as \.jpg"):
        artifacts.encoded(np.zeros((1, 70000, 3), np.uint8), ".jpg")


def test_overwriting_keeps_a_folder_that_appeared_meanwhile(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(OutputError, match="appeared while xcnn was at work"), Draft(out, overwrite=True) as draft:
        out.mkdir()
        (out / "thesis.txt").touch()
        draft.publish()
    assert (out / "thesis.txt").exists()


# Pictures and tables


def test_the_opacity_of_a_picture_survives_webp_and_png():
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[:] = (250, 10, 30, 255)
    pixels[8:, :, 3] = 0

    for suffix in (".webp", ".png"):
        again = np.array(Pillow.open(io.BytesIO(artifacts.encoded(pixels, suffix))).convert("RGBA")).astype(int)
        assert again[..., 3].tolist() == pixels[..., 3].tolist()
        assert np.abs(again[:8, :, :3] - pixels[:8, :, :3]).max() <= 6


@pytest.mark.parametrize(("suffix", "off"), [(".png", 0), (".webp", 8), (".jpg", 4)])
def test_what_was_encoded_can_be_decoded(suffix, off):
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:] = (200, 90, 30)

    assert np.abs(artifacts.decoded(artifacts.encoded(pixels, suffix)).astype(int) - pixels).max() <= off


def test_a_sharp_jpeg_keeps_the_colours_of_single_pixels():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:, ::2] = (255, 0, 0)
    pixels[:, 1::2] = (0, 0, 255)

    errors = [
        np.abs(artifacts.decoded(artifacts.encoded(pixels, ".jpg", sharp=sharp)).astype(int) - pixels).mean()
        for sharp in (True, False)
    ]

    assert errors[0] < errors[1] / 4


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_compute_gets_an_apostrophe(draft, cell):
    draft.write_table("a.csv", [cell, "b"], [[cell, -1.5], ["", 7]])

    with (draft.folder / "a.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["'" + cell, "b"], ["'" + cell, "-1.5"], ["", "7"]]


def test_a_table_holds_any_text(draft):
    draft.write_table("a.csv", ["a"], [['x "y", z\n猫'], ["caf\udce9"]])

    with (draft.folder / "a.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["a"], ['x "y", z\n猫'], ["caf\\udce9"]]
