import base64

import pytest

from xcnn.network.upgrade import upgraded
from xcnn.network.upgrade.entries import tensor
from xcnn.network.upgrade.graph_nodes import operation as of_node
from xcnn.network.upgrade.tf_functions import operation as of_function

X = tensor("x", 0, 0)
REVERSED = {"class_name": "__slice__", "config": {"start": None, "stop": None, "step": -1}}
DOTS = {"class_name": "__ellipsis__", "config": {}}
MEAN = {"class_name": "__numpy__", "config": {"value": [1.0, 2.0, 3.0], "dtype": "float32"}}


@pytest.mark.parametrize(
    ("function", "keywords", "wanted"),
    [
        ("math.truediv", {"y": 127.5, "name": None}, ("TrueDivide", {}, [X, 127.5])),
        ("math.subtract", {"y": [1.0, 2.0, 3.0]}, ("Subtract", {}, [X, MEAN])),
        ("__operators__.add", {"y": tensor("z", 0, 0)}, ("Add", {}, [X, tensor("z", 0, 0)])),
        ("compat.v1.nn.bias_add", {"bias": [1.0, 2.0, 3.0], "data_format": "NHWC"}, ("Add", {}, [X, MEAN])),
        ("nn.relu", {"name": None}, ("Relu", {}, [X])),
        ("nn.softmax", {"axis": -1}, ("Softmax", {"axis": -1}, [X])),
        ("math.reduce_mean", {"axis": [1, 2], "keepdims": True}, ("Mean", {"axis": [1, 2], "keepdims": True}, [X])),
        ("clip_by_value", {"clip_value_min": 0, "clip_value_max": 1}, ("Clip", {"x_min": 0, "x_max": 1}, [X])),
        ("concat", {"axis": -1}, ("Concatenate", {"axis": -1}, [X])),
        ("nn.depth_to_space", {"block_size": 2}, ("DepthToSpace", {"block_size": 2}, [X])),
        ("split", {"num_or_size_splits": 2, "axis": -1}, ("Split", {"indices_or_sections": 2, "axis": -1}, [X])),
        ("split", {"num_or_size_splits": [1, 2, 1]}, ("Split", {"indices_or_sections": [1, 3], "axis": 0}, [X])),
        ("expand_dims", {"axis": 1}, ("ExpandDims", {"axis": 1}, [X])),
        ("compat.v1.squeeze", {"axis": [1, 2]}, ("Squeeze", {"axis": [1, 2]}, [X])),
        ("cast", {"dtype": "float32"}, ("Cast", {"dtype": "float32"}, [X])),
        ("reshape", {"shape": [-1, 4]}, ("Reshape", {"newshape": [-1, 4]}, [X])),
        ("compat.v1.transpose", {"perm": [0, 3, 1, 2], "conjugate": False}, ("Transpose", {"axes": [0, 3, 1, 2]}, [X])),
        (
            "image.resize",
            {"size": [8, 8], "method": "bilinear"},
            ("Resize", {"size": [8, 8], "interpolation": "bilinear", "antialias": False}, [X]),
        ),
        (
            "compat.v1.pad",
            {"paddings": [[0, 0], [1, 1]], "mode": "CONSTANT", "constant_values": 0},
            ("Pad", {"pad_width": [[0, 0], [1, 1]], "mode": "constant"}, [X]),
        ),
        (
            "__operators__.getitem",
            {"slice_spec": [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]},
            ("GetItem", {}, [X, [DOTS, REVERSED]]),
        ),
    ],
)
def test_a_function_on_the_list_is_an_operation(function, keywords, wanted):
    assert of_function(function, [X], keywords) == wanted


@pytest.mark.parametrize(
    ("function", "keywords"),
    [
        ("io.read_file", {}),
        ("map_fn", {"fn": "x"}),
        ("py_function", {}),
        ("nn.relu", {"odd": 1}),
        ("nn.space_to_depth", {"block_size": 2, "data_format": "NCHW"}),
        ("split", {"num_or_size_splits": [-1, 2], "axis": 1}),
        ("split", {"num_or_size_splits": 2, "axis": tensor("z", 0, 0)}),
        ("math.reduce_mean", {"axis": tensor("z", 0, 0)}),
        ("reshape", {"shape": [tensor("z", 0, 0), 4]}),
        ("nn.bias_add", {"bias": [1.0], "data_format": "NCHW"}),
        ("image.resize", {"size": [8, 8], "method": "area"}),
    ],
)
def test_whatever_else_is_none(function, keywords):
    assert of_function(function, [X], keywords) is None


def node(op, **attributes):
    return {"name": op, "op": op, "input": ["x"], "attr": attributes}


@pytest.mark.parametrize(
    ("definition", "constants", "inputs", "wanted"),
    [
        (node("RealDiv"), {"1": 127.5}, [X], ("TrueDivide", {}, [X, 127.5])),
        (node("Sub"), {"0": 1.0}, [X], ("Subtract", {}, [1.0, X])),
        (node("AddV2"), {}, [X, tensor("z", 0, 0)], ("Add", {}, [X, tensor("z", 0, 0)])),
        (node("Relu"), {}, [X], ("Relu", {}, [X])),
        (
            node("BiasAdd", data_format={"s": base64.b64encode(b"NHWC").decode()}),
            {"1": [1.0, 2.0, 3.0]},
            [X],
            ("Add", {}, [X, MEAN]),
        ),
        (node("Mean", keep_dims={"b": True}), {"1": [1, 2]}, [X], ("Mean", {"axis": [1, 2], "keepdims": True}, [X])),
        (
            node("StridedSlice", ellipsis_mask={"i": "1"}, begin_mask={"i": "2"}, end_mask={"i": "2"}),
            {"1": [0, 0], "2": [0, 0], "3": [1, -1]},
            [X],
            ("GetItem", {}, [X, [DOTS, REVERSED]]),
        ),
        (node("BiasAdd", data_format={"s": base64.b64encode(b"NCHW").decode()}), {"1": [1.0]}, [X], None),
        (node("DepthToSpace"), {}, [X], None),
        (node("ReadFile"), {}, [X], None),
        ("\n\x03Mul", {}, [X], None),
    ],
)
def test_a_node_of_a_graph_is_an_operation_if_it_is_on_the_list(definition, constants, inputs, wanted):
    assert of_node({"node_def": definition, "constants": constants}, [inputs]) == wanted


def functional(*layers):
    given = {
        "class_name": "InputLayer",
        "name": "x",
        "config": {"name": "x", "batch_input_shape": [None, 8, 8, 3]},
        "inbound_nodes": [],
    }
    ends = {"input_layers": [["x", 0, 0]], "output_layers": [[layers[-1]["name"], 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "net", "layers": [given, *layers], **ends}}


def wrapper(function, node, kind="TFOpLambda"):
    return {"class_name": kind, "name": "op", "config": {"name": "op", "function": function}, "inbound_nodes": [node]}


def last(model):
    return upgraded(model).config["config"]["layers"][-1]


def test_a_wrapped_function_becomes_an_operation_with_its_module_and_the_name_of_the_layer():
    assert last(functional(wrapper("math.truediv", ["x", 0, 0, {"y": 2.0, "name": None}]))) == {
        "module": "keras.src.ops.numpy",
        "class_name": "TrueDivide",
        "config": {"name": "op"},
        "registered_name": None,
        "name": "op",
        "inbound_nodes": [{"args": [X, 2.0], "kwargs": {}}],
    }


def test_a_constant_may_come_first():
    model = functional(wrapper("math.subtract", ["_CONSTANT_VALUE", -1, 1.0, {"y": ["x", 0, 0], "name": None}]))

    assert last(model)["inbound_nodes"] == [{"args": [1.0, X], "kwargs": {}}]


def test_a_function_that_is_not_on_the_list_keeps_its_class_for_preflight_to_name():
    found = last(functional(wrapper("io.read_file", ["x", 0, 0, {}])))

    assert (found["class_name"], found["config"]["function"]) == ("TFOpLambda", "io.read_file")


def test_an_operation_in_an_h5_file_of_keras_3_gets_its_module():
    called = [{"args": [X, 2.0], "kwargs": {}}]
    add = {"class_name": "Add", "name": "add", "config": {"name": "add"}, "inbound_nodes": called}
    model = functional(add)
    model["config"]["layers"][0]["config"] = {"name": "x", "batch_shape": [None, 8, 8, 3]}

    assert last(model)["module"] == "keras.src.ops.numpy"
    add["config"]["trainable"] = True
    assert last(model)["module"] == "keras.layers"
