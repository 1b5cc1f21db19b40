import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from picture_files import quadrants, saved

from xcnn.errors import UsageError
from xcnn.io import finding


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def picture_in(folder):
    """Put a small picture where asked for."""

    def put(name):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return saved(path, np.zeros((1, 1, 3), np.uint8))

    return put


def test_files_are_found_in_the_order_given(picture_in):
    for name in ("b.png", "a.png"):
        picture_in(name)

    assert finding.find(["b.png", "a.png"]) == ["b.png", "a.png"]


def test_a_glob_gives_its_files_in_natural_order(picture_in):
    for number in (10, 9, 1, 100):
        picture_in(f"img{number}.png")

    assert finding.find(["img*.png"]) == ["img1.png", "img9.png", "img10.png", "img100.png"]


def test_a_glob_leaves_folders_out(folder, picture_in):
    picture_in("a1.png")
    (folder / "a2.png").mkdir()

    assert finding.find(["a*"]) == ["a1.png"]


def test_two_stars_go_into_folders(picture_in):
    picture_in("x/y/a.png")

    assert finding.find(["**/*.png"]) == ["x/y/a.png"]


def test_a_literal_name_with_brackets_wins_over_the_glob(picture_in):
    picture_in("cat[1].png")
    picture_in("cat1.png")

    assert finding.find(["cat[1].png"]) == ["cat[1].png"]


def test_brackets_are_a_glob_where_no_file_has_that_name(picture_in):
    picture_in("cat1.png")

    assert finding.find(["cat[1].png"]) == ["cat1.png"]


def test_a_folder_stands_for_its_pictures_and_nothing_else(folder, picture_in):
    for name in ("p/img10.png", "p/img2.PNG", "p/deep/inner.png"):
        picture_in(name)
    (folder / "p" / "notes.txt").write_text("no picture")
    (folder / "p" / "folder.jpg").mkdir()

    assert finding.find(["p"]) == [str(Path("p/img2.PNG")), str(Path("p/img10.png"))]


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"])
def test_a_folder_is_searched_for_every_format(picture_in, suffix):
    picture_in("p/a" + suffix)

    assert finding.find(["p"]) == ["p/a" + suffix]


def test_a_picture_found_twice_is_listed_once(picture_in):
    picture_in("p/a.png")
    picture_in("p/b.png")

    assert finding.find(["p/b.png", "p", "p/*.png"]) == ["p/b.png", "p/a.png"]


def test_a_missing_name_is_kept_among_others(picture_in):
    picture_in("a.png")

    assert finding.find(["gone.png", "a.png", "*.gif"]) == ["gone.png", "a.png", "*.gif"]


def test_a_dangling_link_is_kept_to_fail_on_its_own(folder):
    (folder / "a.png").symlink_to("nowhere")

    assert finding.find(["a.png"]) == ["a.png"]


def test_names_that_are_not_utf8_are_found(folder):
    name = os.fsdecode(b"p/caf\xe9\n1.png")
    (folder / "p").mkdir()
    saved(name, quadrants())

    assert finding.find(["p"]) == [name]
    assert finding.find(["p/*"]) == [name]


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([], "no image was given"),
        (["gone.png"], "there is no file gone.png"),
        (["*.png"], "no file matches *.png"),
        (["gone.png", "*.gif"], "there is no file gone.png (and 1 more)"),
        (["empty"], "there is no picture in the folder empty"),
    ],
)
def test_no_picture_at_all_is_a_mistake_in_the_request(folder, patterns, message):
    (folder / "empty").mkdir()

    with pytest.raises(UsageError) as caught:
        finding.find(patterns)

    assert caught.value.message == message


def test_natural_order_compares_numbers_as_numbers():
    names = ["img10", "img2", "img", "2", "10", "img2b", "img2a", "img002c"]

    assert sorted(names, key=finding.natural) == ["2", "10", "img", "img2", "img2a", "img2b", "img002c", "img10"]


def test_a_name_missing_twice_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no file gone\.png$"):
        finding.find(["gone.png", "gone.png"])


def test_a_name_missing_twice_does_not_hide_a_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.png").touch()
    assert finding.find(["gone.png", "gone.png", "a.png"]) == ["gone.png", "a.png"]


def test_a_name_too_long_is_missing():
    with pytest.raises(UsageError, match="there is no file xxx"):
        finding.find(["x" * 300])


def test_two_spellings_of_one_path_are_one_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.png").touch()

    assert finding.find(["./a.png", "a.png", str(tmp_path / "b.png")]) == ["./a.png", str(tmp_path / "b.png")]


def test_natural_order_takes_superscripts_as_letters():
    assert sorted(["1²3", "1²10", "1"], key=finding.natural) == ["1", "1²3", "1²10"]


def test_natural_order_is_the_same_whatever_the_order_of_the_disk():
    assert sorted(["a1", "a01"], key=finding.natural) == sorted(["a01", "a1"], key=finding.natural)


def test_hidden_files_of_a_folder_are_no_pictures(tmp_path):
    for name in ("cat.jpg", "._cat.jpg", ".hidden.png"):
        (tmp_path / name).touch()

    assert finding.find([str(tmp_path)]) == [str(tmp_path / "cat.jpg")]


# In folders below


def test_a_folder_means_the_pictures_in_all_below_it_when_asked(folder, picture_in):
    for name in ("p/b/img10.png", "p/b/img2.png", "p/a/x/deep.png", "p/z.png", "p/.hidden/no.png", "p/a/._no.png"):
        picture_in(name)

    assert finding.find(["p"]) == ["p/z.png"]
    assert finding.find(["p"], recursive=True) == ["p/z.png", "p/a/x/deep.png", "p/b/img2.png", "p/b/img10.png"]


def test_links_that_lead_in_a_circle_end_nothing(folder, picture_in):
    picture_in("p/q/a.png")
    (folder / "p" / "q" / "up").symlink_to(folder / "p")

    assert finding.find(["p"], recursive=True) == ["p/q/a.png"]


def test_a_pipe_among_pictures_is_left_out(folder, picture_in):
    picture_in("p/a.png")
    os.mkfifo(folder / "p" / "b.png")

    assert finding.find(["p"], recursive=True) == ["p/a.png"]


def test_a_folder_without_pictures_tells_that_there_are_folders_in_it(folder, picture_in):
    picture_in("p/q/a.png")
    (folder / "bare").mkdir()

    with pytest.raises(UsageError) as caught:
        finding.find(["p"])
    with pytest.raises(UsageError) as bare:
        finding.find(["bare"], recursive=True)

    assert (caught.value.message, caught.value.hint) == (
        "there is no picture in the folder p",
        "look into the folders below, too: --recursive",
    )
    assert (bare.value.message, bare.value.hint) == ("there is no picture in the folder bare or below", "")


@contextlib.contextmanager
def as_nobody():
    """Give up for a while what root may do, where the tests are run by root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


def test_a_folder_that_may_not_be_looked_into_is_said():
    # Not in the folder of the test, which is nobody else's to enter.
    with tempfile.TemporaryDirectory() as outer:
        Path(outer).chmod(0o755)
        closed = Path(outer) / "p"
        closed.mkdir(mode=0)

        with pytest.raises(UsageError, match=f"can't look into the folder {closed}: Permission denied"), as_nobody():
            finding.find([str(closed)])
