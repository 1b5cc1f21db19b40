import sys
from pathlib import Path

import pytest

from xcnn.errors import OptionError
from xcnn.network import custom


@pytest.fixture
def module(own_folder):
    """Write a module in the current folder; forget it afterwards."""
    before = set(sys.modules)

    def write(name, text):
        path = own_folder / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_several_names_of_several_modules_are_read():
    parsed = custom.parse(["mine:Blur", "pack.layers:A, B"])

    assert parsed == (custom.Supplied("mine", ("Blur",)), custom.Supplied("pack.layers", ("A", "B")))
    assert custom.names(parsed) == {"Blur", "A", "B"}


@pytest.mark.parametrize("word", ["mine", "mine:", ":Blur", "", "mine:a b", "mine:os.system", "a-b:C", "mine:A,2"])
def test_what_names_no_object_is_refused_with_an_example(word):
    with pytest.raises(OptionError, match="names no custom object") as caught:
        custom.parse([word])

    assert "module:Class" in caught.value.hint


@pytest.mark.parametrize("word", ["mine.py:Blur", "folder/mine:Blur", "./mine.py:Blur"])
def test_a_file_is_refused_saying_what_to_write(word):
    with pytest.raises(OptionError, match="names a file") as caught:
        custom.parse([word])

    assert "mine:Blur" in caught.value.hint


def test_parsing_imports_nothing(module):
    module("loud", "raise RuntimeError")

    assert custom.names(custom.parse(["loud:Thing"])) == {"Thing"}
    assert "loud" not in sys.modules


def test_modules_of_the_current_folder_are_found_and_the_path_is_restored(module, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    module("xcnn_t_mine", "class Blur: pass\ndef swish2(x): return x")
    module("xcnn_t_pack.deep", "class Deep: pass")
    before = list(sys.path)

    found = custom.load(custom.parse(["xcnn_t_mine:Blur,swish2", "xcnn_t_pack.deep:Deep"]))

    assert {name: value.__name__ for name, value in found.items()} == {
        "Blur": "Blur",
        "swish2": "swish2",
        "Deep": "Deep",
    }
    assert sys.path == before


def test_the_path_is_restored_when_a_module_fails(module, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    module("xcnn_t_bad", "1/0")
    before = list(sys.path)

    with pytest.raises(OptionError):
        custom.load(custom.parse(["xcnn_t_bad:Blur"]))

    assert sys.path == before


def test_a_module_of_the_folder_does_not_hide_an_installed_one(module, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    module("colorsys", "stolen = True")

    found = custom.load(custom.parse(["colorsys:rgb_to_hls"]))

    assert found["rgb_to_hls"](0, 0, 0) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("word", ["xcnn_t_none:A", "xcnn_t_none.deep:A"])
def test_a_missing_module_is_named(word):
    with pytest.raises(OptionError, match=r"there is no module 'xcnn_t_none(\.deep)?' for the custom object A"):
        custom.load(custom.parse([word]))


def test_what_a_module_lacks_is_told_from_the_module_itself(module):
    module("xcnn_t_needs", "import xcnn_t_absent")

    with pytest.raises(OptionError, match="'xcnn_t_needs' needs 'xcnn_t_absent', which is not installed"):
        custom.load(custom.parse(["xcnn_t_needs:A"]))


@pytest.mark.parametrize(
    ("text", "words"), [("1/0", "ZeroDivisionError"), ("exit(3)", "SystemExit"), ("a b", "SyntaxError")]
)
def test_a_module_that_fails_is_one_sentence(module, text, words):
    module("xcnn_t_fails", text)

    with pytest.raises(OptionError) as caught:
        custom.load(custom.parse(["xcnn_t_fails:A"]))

    assert caught.value.message.startswith(f"the module 'xcnn_t_fails' of the custom object A fails: {words}")
    assert "\n" not in caught.value.message


def test_a_missing_name_gets_the_nearest_one(module):
    module("xcnn_t_near", "class Attention2D: pass\nclass Other: pass")

    with pytest.raises(OptionError, match="has no 'Atention2D'") as caught:
        custom.load(custom.parse(["xcnn_t_near:Atention2D"]))

    assert caught.value.hint.startswith("Attention2D (did you mean this?)")
    assert Path.cwd().name  # the folder is untouched
