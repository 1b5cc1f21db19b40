import pytest

from xcnn.errors import LayerError
from xcnn.network import layers
from xcnn.plugin import Layer


def conv(path, shape=(8, 8, 4)):
    return Layer(path, "Conv2D", shape, leaf=True)


def container(path, shape=(8, 8, 4)):
    return Layer(path, "Functional", shape, leaf=False)


def vector(path):
    return Layer(path, "Dense", (10,), leaf=True)


NET = (
    conv("block1_conv1"),
    conv("block1_conv2"),
    conv("tower/conv[0]"),
    container("tower[0]"),
    conv("tower/conv[1]"),
    container("tower[1]"),
    conv("left/conv"),
    container("left"),
    conv("right/conv"),
    conv("right/last", (4, 2, 9)),
    container("right", (4, 2, 9)),
    conv("squeeze", (1, 1, 9)),
    Layer("pair", "Split", (), leaf=True),
    vector("head/dense"),
    container("head", (10,)),
)


def refused(*wanted, net=NET):
    with pytest.raises(LayerError) as caught:
        layers.find(net, wanted, "net.h5")
    return caught.value


def test_the_default_is_the_last_leaf_whose_map_has_several_positions():
    choice = layers.default(NET, "net.h5")

    assert choice.value == "right/last"
    assert choice.reason == "the last layer with a map (4x2)"


@pytest.mark.parametrize("shape", [(1, 1, 9), (9,), (7, 9), ()])
def test_the_default_is_never_a_layer_without_a_map(shape):
    assert layers.default([conv("a"), Layer("b", "Layer", shape, leaf=True)], "net.h5").value == "a"


@pytest.mark.parametrize("shape", [(1, 2, 9), (2, 1, 9), (None, None, 9), (None, 1, 9)])
def test_a_map_with_one_long_or_unknown_side_is_a_map(shape):
    assert layers.default([conv("a"), conv("b", shape)], "net.h5").value == "b"


def test_the_default_is_never_a_container():
    assert layers.default([conv("inner/a"), container("inner")], "net.h5").value == "inner/a"


@pytest.mark.parametrize("net", [[], [vector("dense")], [conv("tail", (1, 1, 9))], [container("inner")]])
def test_a_model_without_any_map_has_no_default(net):
    with pytest.raises(LayerError) as caught:
        layers.default(net, "net.h5")

    assert caught.value.message == "net.h5 has no layer with a map of more than one position"


def test_no_layer_asked_for_means_the_default_one():
    assert layers.find(NET, (), "net.h5") == ("right/last",)


@pytest.mark.parametrize("path", ["block1_conv1", "tower/conv[1]", "left/conv", "right"])
def test_a_path_finds_its_layer(path):
    assert layers.find(NET, [path], "net.h5") == (path,)


def test_a_bare_name_stands_for_the_only_path_that_ends_so():
    assert layers.find(NET, ["last"], "net.h5") == ("right/last",)


def test_several_layers_come_in_the_order_asked_for_and_each_once():
    wanted = ["left/conv", "block1_conv1", "last", "left/*", "block1_conv1"]

    assert layers.find(NET, wanted, "net.h5") == ("left/conv", "block1_conv1", "right/last")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("block1_*", ("block1_conv1", "block1_conv2")),
        ("block1_conv?", ("block1_conv1", "block1_conv2")),
        ("right/*", ("right/conv", "right/last")),
        ("*/conv", ("left/conv", "right/conv")),
        ("tower/*", ("tower/conv[0]", "tower/conv[1]")),
    ],
)
def test_a_glob_finds_layers_in_execution_order(pattern, expected):
    assert layers.find(NET, [pattern], "net.h5") == expected


def test_a_glob_leaves_out_layers_without_a_map():
    assert layers.find([conv("a1"), vector("a2"), conv("a3", (1, 1, 2))], ["a*"], "net.h5") == ("a1",)


def test_a_glob_that_finds_no_map_is_refused():
    error = refused("head/*")

    assert error.message == "no layer of net.h5 with a map matches 'head/*'"
    assert error.hint == "list them with: xcnn layers net.h5"


def test_a_layer_that_runs_several_times_must_be_chosen_by_call():
    error = refused("tower/conv")

    assert error.message == "layer 'tower/conv' runs 2 times"
    assert error.hint == "choose tower/conv[0] or tower/conv[1]"


def test_a_bare_name_of_several_layers_must_be_given_with_its_path():
    error = refused("conv")

    assert error.message == "2 layers of net.h5 are named 'conv'"
    assert error.hint == "choose left/conv or right/conv"


def test_of_very_many_layers_with_one_name_a_few_are_listed():
    net = [conv(f"b{number}/conv") for number in range(6)]

    assert refused("conv", net=net).hint == "choose b0/conv or b1/conv or b2/conv or b3/conv ..."


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("head/dense", "layer 'head/dense' (Dense) has no map: its output is 10"),
        ("dense", "layer 'head/dense' (Dense) has no map: its output is 10"),
        ("squeeze", "layer 'squeeze' (Conv2D) has no map: its output is 1x1x9"),
        ("pair", "layer 'pair' (Split) has no map: its output is no single tensor"),
    ],
)
def test_a_layer_without_a_map_is_refused_with_its_shape_and_others_to_choose(path, message):
    error = refused(path)

    assert error.message == message
    assert error.hint == "choose one with a map, such as left/conv or right/conv or right/last"


def test_a_layer_nearly_hit_is_suggested():
    error = refused("block1_con2")

    assert error.message == "net.h5 has no layer 'block1_con2'"
    assert error.hint == "block1_conv2 (did you mean this?), or list them with: xcnn layers net.h5"


def test_a_layer_nearly_hit_by_its_bare_name_is_suggested_with_its_path():
    net = [conv("a"), conv("a_very_long_name_of_a_backbone/top_conv")]

    assert refused("top_cnov", net=net).hint.startswith("a_very_long_name_of_a_backbone/top_conv (did you mean")


def test_a_layer_like_no_other_gets_the_command_that_lists_them():
    assert refused("zzzzzz").hint == "list them with: xcnn layers net.h5"


def test_the_default_is_no_map_whose_sides_were_exchanged():
    net = (conv("conv", (8, 16, 4)), Layer("turned", "Permute", (16, 8, 4), leaf=True))

    assert layers.default(net, "net").value == "conv"
    assert layers.default(net[1:], "net").value == "turned"
