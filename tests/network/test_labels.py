import json
import os

import pytest

from xcnn.errors import OptionError
from xcnn.network import labels


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


CATS = ("cat", "dog", "African elephant")
GOOD = {
    "lines": ("labels.txt", "cat\ndog\nAfrican elephant\n"),
    "no last line end": ("labels.txt", "cat\ndog\nAfrican elephant"),
    "Windows": ("labels.txt", "\ufeffcat\r\ndog\r\nAfrican elephant\r\n"),
    "old Mac": ("labels.txt", "cat\rdog\rAfrican elephant"),
    "blank lines at the end": ("labels.txt", "cat\ndog  \n African elephant\n\n \n\n"),
    "no suffix": ("LABELS", "cat\ndog\nAfrican elephant\n"),
    "Teachable Machine": ("labels.txt", "0 cat\n1 dog\n2 African elephant\n"),
    "numbers in any order": ("labels.txt", "2 African elephant\n0 cat\n1 dog\n"),
    "numbers with colons": ("labels.txt", "0: cat\n1: dog\n2: African elephant\n"),
    "numbers with tabs": ("labels.txt", "0\tcat\n1\tdog\n2\tAfrican elephant\n"),
    "CSV with a head": ("labels.csv", "index,name\n0,cat\n1,dog\n2,African elephant\n"),
    "CSV in any order": ("labels.csv", "name,index\nAfrican elephant,2\ncat,0\ndog,1\n"),
    "CSV without a head": ("labels.csv", "0,cat\n1,dog\n2,African elephant\n"),
    "CSV without a head, name first": ("labels.csv", "cat,0\ndog,1\nAfrican elephant,2\n"),
    "CSV of names": ("labels.csv", "name\ncat\ndog\nAfrican elephant\n"),
    "CSV of names without a head": ("labels.csv", "cat\ndog\nAfrican elephant\n"),
    "CSV with more columns": ("labels.csv", "class_id,name,wikidata\n0,cat,Q146\n1,dog,Q144\n2,African elephant,Q7372\n"),
    "CSV with semicolons": ("labels.csv", "id;label\r\n0;cat\r\n1;dog\r\n2;African elephant\r\n"),
    "CSV with quotes": ("labels.CSV", '"0","cat"\n"1","dog"\n"2","African elephant"\n'),
    "TSV": ("labels.tsv", "0\tcat\n1\tdog\n2\tAfrican elephant\n"),
    "JSON list": ("labels.json", '["cat", "dog", "African elephant"]'),
    "JSON with a mark": ("labels.json", '\ufeff["cat", "dog", "African elephant"]'),
    "index to name": ("labels.json", '{"0": "cat", "2": "African elephant", "1": "dog"}'),
    "name to index": ("class_indices.json", '{"cat": 0, "African elephant": 2, "dog": 1}'),
    "name to index in text": ("class_indices.json", '{"cat": "0", "African elephant": "2", "dog": "1"}'),
    "index to id and name": ("x.json", '{"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "African elephant"]}'),
    "among other things": ("metadata.json", '{"tfjsVersion": "1.7", "labels": ["cat", "dog", "African elephant"]}'),
    "id2label": ("config.json", '{"id2label": {"0": "cat", "1": "dog", "2": "African elephant"}, "size": 3}'),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), GOOD.values(), ids=GOOD)
def test_every_kind_of_label_file_gives_the_names_in_index_order(write, name, content):
    assert labels.read(write(name, content)) == CATS


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("labels.txt", "3 of clubs\n4 of clubs\n", ("3 of clubs", "4 of clubs")),
        ("labels.txt", "0 of clubs\nknave\n", ("0 of clubs", "knave")),
        ("labels.txt", "0\n1\n2\n", ("0", "1", "2")),
        ("labels.txt", "a, b\nc\x0cd\x1b[31m\n", ("a, b", "c\x0cd\x1b[31m")),
        ("labels.txt", "# no comment\nb\n", ("# no comment", "b")),
        ("labels.txt", "crane\ncrane\n", ("crane", "crane")),
        ("labels.csv", '"tabby, tabby cat"\n"b ""c"""\n', ("tabby, tabby cat", 'b "c"')),
        ("labels.json", '{"0": 0, "1": 1}', ("0", "1")),
        ("labels.json", '{"9": 0, "7": 1}', ("9", "7")),
        ("labels.json", "[3, 5]", ("3", "5")),
        ("labels.json", '{"labels": 0, "cat": 1}', ("labels", "cat")),
        ("labels.json", '{"0": "1", "1": "0"}', ("1", "0")),
        ("labels.json", '["فيل", "非洲象"]', ("فيل", "非洲象")),
    ],
)
def test_names_are_kept_as_they_are(write, name, content, expected):
    assert labels.read(write(name, content)) == expected


BAD = {
    "empty": ("labels.txt", "", "has no names"),
    "blank": ("labels.txt", " \n\n", "has no names"),
    "blank line": ("labels.txt", "cat\n\ndog\n", "has an empty name at line 2"),
    "first line blank": ("labels.txt", "\ncat\n", "has an empty name at line 1"),
    "gap": ("labels.txt", "0 cat\n2 dog\n", "has no name for index 1"),
    "twice": ("labels.txt", "0 cat\n1 dog\n1 cow\n", "has index 1 twice"),
    "numbered nothing": ("labels.txt", "0 cat\n1: \n", "has an empty name at index 1"),
    "Latin-1": ("labels.txt", b"\xe9l\xe9phant\n", "is not UTF-8 text"),
    "UTF-16": ("labels.txt", "cat\n".encode("utf-16"), "is not UTF-8 text"),
    "UTF-16 without a mark": ("labels.txt", "cat\n".encode("utf-16-le"), "null characters"),
    "binary": ("labels.txt", b"\x89HDF\r\n\x1a\n\x00\x00", "is not UTF-8 text"),
    "large": ("labels.txt", b"a" * (4 * 2**20 + 1), "larger than 4 MB"),
    "CSV gap": ("labels.csv", "index,name\n0,cat\n3,dog\n", "has no name for index 1"),
    "CSV twice": ("labels.csv", "index,name\n0,cat\n0,dog\n", "has index 0 twice"),
    "CSV no index": ("labels.csv", "index,name\n0,cat\nx,dog\n", "has 'x' in its index column"),
    "CSV negative": ("labels.csv", "index,name\n-1,cat\n0,dog\n", "has '-1' in its index column"),
    "CSV short": ("labels.csv", "index,name\n0,cat\n1\n", "lacks a column in row 2"),
    "CSV unclear": ("labels.csv", "cat,feline\ndog,canine\n", "unclear which holds the names"),
    "CSV many": ("labels.csv", "a,b,c\n0,cat,x\n", "has 3 columns"),
    "CSV index alone": ("labels.csv", "index,value\n0,cat\n", "no name column"),
    "CSV empty": ("labels.csv", "\n\n", "has no names"),
    "CSV head alone": ("labels.csv", "index,name\n", "has no names"),
    "CSV broken": ("labels.csv", 'name\n"cat\n', "is no CSV file"),
    "CSV huge cell": ("labels.csv", "name\n" + "a" * 200_000, "is no CSV file"),
    "JSON broken": ("labels.json", '["cat"', "is no JSON file"),
    "JSON deep": ("labels.json", "[" * 100_000, "is no JSON file"),
    "JSON number": ("labels.json", "3", "neither a list of names"),
    "JSON null": ("labels.json", "null", "neither a list of names"),
    "JSON junk": ("labels.json", '[{"a": [1]}]', 'has {"a": [1]} where a name should be'),
    "JSON true": ("labels.json", '["cat", true]', "has true where a name should be"),
    "JSON triple": ("labels.json", '[["a", "b", "c"]]', "where a name should be"),
    "JSON gap": ("labels.json", '{"0": "cat", "999999999": "dog"}', "has no name for index 1"),
    "JSON name twice": ("labels.json", '{"cat": 0, "dog": 0}', "has index 0 twice"),
    "JSON key twice": ("labels.json", '{"0": "cat", "0": "dog"}', "has the key '0' twice"),
    "JSON mixed": ("labels.json", '{"0": "cat", "dog": 1}', "is no map of indices and names"),
    "JSON negative": ("labels.json", '{"cat": -1, "dog": 0}', "is no map of indices and names"),
    "JSON fractions": ("labels.json", '{"cat": 0.5}', "is no map of indices and names"),
    "JSON architecture": ("labels.json", '{"class_name": "Sequential", "config": {"layers": []}}', "is no map"),
    "JSON empty": ("labels.json", "[]", "has no names"),
    "JSON empty map": ("labels.json", "{}", "has no names"),
    "JSON empty name": ("labels.json", '["cat", " "]', "has an empty name at entry 1"),
    "JSON surrogate": ("labels.json", r'["cat", "\ud800"]', r"has a name that is no text: '\ud800'"),
    "JSON long number": ("labels.json", "9" * 5000, "is no JSON file"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "words"), BAD.values(), ids=BAD)
def test_what_is_no_label_file_is_refused_in_one_sentence(write, name, content, words):
    path = write(name, content)

    with pytest.raises(OptionError) as caught:
        labels.read(path)

    assert words in caught.value.message
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < len(str(path)) + 150


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "null"])
def test_what_is_no_file_is_refused(tmp_path, kind):
    path = tmp_path / ("labels\0.txt" if kind == "null" else "labels.txt")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)

    with pytest.raises(OptionError, match="labels"):
        labels.read(path)


def test_twenty_thousand_names_in_json_are_read(write):
    names = tuple(f"class number {index}" for index in range(20_000))

    assert labels.read(write("x.json", json.dumps({name: index for index, name in enumerate(names)}))) == names


def test_the_names_of_imagenet_are_at_hand():
    names = labels.imagenet()

    assert len(names) == 1000
    assert names[386] == "African elephant"


# Beside a model


@pytest.mark.parametrize(
    "name",
    ["labels.txt", "model.labels.txt", "class_names.txt", "classes.txt", "labels.csv", "labels.json", "class_indices.json", "model.json"],
)  # fmt: skip
def test_labels_beside_a_model_are_found(write, name):
    model = write("model.h5", "")
    path = write(name, '["a", "b"]' if name.endswith("json") else "a\nb\n")
    write("other.labels.txt", "c\nd\n")

    assert labels.beside(model) == path


def test_nothing_beside_a_model_is_nothing(write):
    assert labels.beside(write("model.h5", "")) is None


def test_the_architecture_beside_a_model_is_no_label_file(write):
    model = write("model.h5", "")
    write("model.json", '{"class_name": "Sequential", "config": []}')

    assert labels.beside(model) is None


def test_a_model_is_not_its_own_label_file(write):
    assert labels.beside(write("model.json", '["a", "b"]')) is None


def test_the_labels_of_this_model_beat_those_of_the_folder(write):
    model = write("model.h5", "")
    own = write("model.labels.txt", "a\nb\n")
    write("labels.txt", "c\nd\n")

    assert labels.beside(model) == own


def test_nothing_is_chosen_between_files_that_disagree(write):
    model = write("model.h5", "")
    first = write("labels.txt", "a\nb\n")
    second = write("class_indices.json", '{"a": 1, "b": 0}')

    assert labels.beside(model) is None
    second.write_text('{"a": 0, "b": 1}')
    assert labels.beside(model) == first


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("a\nb\n")
    folder = tmp_path / "download"
    folder.mkdir()
    (folder / "labels.txt").symlink_to(tmp_path / "secret.txt")

    assert labels.beside(folder / "model.h5") is None


def test_labels_that_lie_beside_the_file_a_model_links_to_are_found(tmp_path):
    store, shown = tmp_path / "store", tmp_path / "shown"
    store.mkdir()
    shown.mkdir()
    for name, content in {"model.h5": "", "labels.txt": "a\nb\n"}.items():
        (store / f"blob-{name}").write_text(content)
        (shown / name).symlink_to(store / f"blob-{name}")

    assert labels.beside(shown / "model.h5") == shown / "labels.txt"


# Fitting


def test_as_many_names_as_classes_fit():
    assert labels.fitting(["a", "b"], 2, source="labels.txt") == ("a", "b")


@pytest.mark.parametrize(
    ("names", "classes", "words"),
    [
        (["a", "b", "c"], 2, "labels.txt has 3 names but the model has 2 classes"),
        (["a"], 2, "labels.txt has 1 name but the model has 2 classes"),
        (["a", "b"], 1, "labels.txt has 2 names but the model has 1 class"),
    ],
)
def test_another_number_of_names_names_both_numbers(names, classes, words):
    with pytest.raises(OptionError) as caught:
        labels.fitting(names, classes, source="labels.txt")

    assert caught.value.message == words
