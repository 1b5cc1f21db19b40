import numpy as np
import pytest

from xcnn.render import architecture, architecture_layout, architecture_steps, sheet
from xcnn.render.architecture import Row

LENET = [
    Row("c1", "Conv2D", (28, 28, 6), 156),
    Row("s2", "AveragePooling2D", (14, 14, 6), 0),
    Row("c3", "Conv2D", (10, 10, 16), 2416),
    Row("s4", "AveragePooling2D", (5, 5, 16), 0),
    Row("flatten", "Flatten", (400,), 0),
    Row("digits", "Dense", (10,), 4010),
]


def rgb(colour):
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def area(canvas, colour):
    return int((canvas == rgb(colour)).all(axis=2).sum())


def bottleneck(name, size, *, first=False):
    rows = [
        Row(f"{name}_1_conv", "Conv2D", (size, size, 64), 10),
        Row(f"{name}_1_bn", "BatchNormalization", (size, size, 64), 4),
        Row(f"{name}_1_relu", "Activation", (size, size, 64), 0),
        Row(f"{name}_2_conv", "Conv2D", (size, size, 256), 20),
    ]
    if first:
        rows.append(Row(f"{name}_0_conv", "Conv2D", (size, size, 256), 30))
    return [*rows, Row(f"{name}_add", "Add", (size, size, 256), 0), Row(f"{name}_out", "ReLU", (size, size, 256), 0)]


def residual(count):
    rows = [Row("stem", "Conv2D", (64, 64, 64), 9)]
    for stage, size in enumerate((32, 16, 8, 4)):
        for block in range(count):
            rows += bottleneck(f"s{stage}b{block}", size, first=block == 0)
    return rows


# Steps


def test_layers_that_change_no_shape_are_slices_of_the_block_before():
    steps = architecture_steps.steps(bottleneck("b", 8))

    assert [(step.name, step.families, step.parameters, step.layers) for step in steps] == [
        ("b_1_conv", ("convolution", "normalization", "activation"), 14, 3),
        ("b_2_conv", ("convolution",), 20, 1),
        ("b_add", ("merge", "activation"), 0, 2),
    ]


def test_containers_are_no_blocks_but_the_groups_of_what_is_inside():
    rows = [
        Row("base/conv", "Conv2D", (4, 4, 2)),
        Row("base", "Functional", (4, 4, 2), leaf=False),
        Row("fc", "Dense", (3,)),
    ]

    assert [(step.group, step.name) for step in architecture_steps.steps(rows)] == [(("base",), "conv"), ((), "fc")]


def test_a_slice_does_not_leave_its_model():
    rows = [Row("base/conv", "Conv2D", (4, 4, 2)), Row("relu", "ReLU", (4, 4, 2))]

    assert [step.name for step in architecture_steps.steps(rows)] == ["conv", "relu"]


def test_paddings_are_part_of_the_block_that_follows():
    rows = [Row("pad", "ZeroPadding2D", (6, 6, 3), 0), Row("conv", "Conv2D", (4, 4, 2), 5)]

    (step,) = architecture_steps.steps(rows, "pad")

    assert (step.name, step.shape, step.layers, step.parameters, step.default) == ("conv", (4, 4, 2), 2, 5, True)


def test_squeeze_and_excitation_is_a_slice_of_what_it_weighs():
    rows = [
        Row("dw", "DepthwiseConv2D", (8, 8, 16), 100),
        Row("squeeze", "GlobalAveragePooling2D", (16,), 0),
        Row("reshape", "Reshape", (1, 1, 16), 0),
        Row("reduce", "Conv2D", (1, 1, 4), 10),
        Row("expand", "Conv2D", (1, 1, 16), 20),
        Row("excite", "Multiply", (8, 8, 16), 0),
        Row("project", "Conv2D", (8, 8, 4), 7),
    ]

    steps = architecture_steps.steps(rows, "excite")

    assert [step.name for step in steps] == ["dw", "project"]
    assert steps[0].families == ("depthwise convolution", "attention")
    assert (steps[0].parameters, steps[0].layers, steps[0].default) == (130, 6, True)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 30])
def test_equal_blocks_that_follow_each_other_are_drawn_once_with_their_number(count):
    steps = architecture_steps.steps(residual(count))

    runs = [step for step in steps if step.repeat]
    assert sum(step.layers for step in steps) == len(residual(count))
    assert len(steps) <= architecture_steps.MOST
    if count >= 3:
        stages = [[step for step in runs if step.name.startswith(f"s{stage}b1")] for stage in range(4)]
        for stage, parts in enumerate(stages):
            assert [step.name for step in parts] == [f"s{stage}b1_1_conv", f"s{stage}b1_2_conv", f"s{stage}b1_add"]
            assert [step.repeat for step in parts] == [(count - 1, at == 0, at == 2) for at in range(3)]
        assert sum(map(len, stages)) == len(runs)


def test_the_default_layer_is_marked_inside_a_run_of_equal_blocks():
    (marked,) = [step for step in architecture_steps.steps(residual(4), "s3b3_out") if step.default]

    assert marked.families == ("merge", "activation")
    assert marked.repeat == (3, False, True)


def test_blocks_whose_channels_grow_are_counted_when_there_is_no_room_for_all():
    rows = []
    for block in range(60):
        rows += [
            Row(f"c{block}", "Conv2D", (8, 8, 32), 5),
            Row(f"cat{block}", "Concatenate", (8, 8, 64 + 32 * block), 0),
        ]

    steps = architecture_steps.steps(rows)

    assert [(step.name, step.repeat) for step in steps] == [("c0", (60, True, False)), ("cat0", (60, False, True))]
    assert (steps[1].shape, steps[1].until) == ((8, 8, 64), (8, 8, 64 + 32 * 59))


def test_a_long_model_without_equal_blocks_has_one_block_per_size():
    kinds = ["Conv2D", "MaxPooling2D", "Mystery", "Add"]
    rng = np.random.default_rng(0)
    rows = [
        Row(f"l{at}", kinds[rng.integers(4)], (2 ** (7 - at // 60), 8, int(rng.integers(1, 99))), 1)
        for at in range(480)
    ]

    steps = architecture_steps.steps(rows)

    assert len(steps) == 8
    assert steps[0].name == "60 layers"
    assert steps[0].parameters == 60


def test_no_model_has_too_many_blocks_to_read():
    rng = np.random.default_rng(0)
    rows = [Row(f"l{at}", "Conv2D", (int(rng.integers(1, 999)), 8, 3), 1) for at in range(5000)]

    steps = architecture_steps.steps(rows, "l4999")

    assert len(steps) == architecture_steps.MOST
    assert steps[-1].name == f"{5000 - architecture_steps.MOST + 1} more layers"
    assert steps[-1].default
    assert sum(step.layers for step in steps) == 5000


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("Conv2D", "convolution"),
        ("SeparableConv2D", "convolution"),
        ("DepthwiseConv2D", "depthwise convolution"),
        ("GlobalAveragePooling2D", "pooling"),
        ("Average", "merge"),
        ("BatchNormalization", "normalization"),
        ("Normalization", "preprocessing"),
        ("LeakyReLU", "activation"),
        ("GELU", "activation"),
        ("MultiHeadAttention", "attention"),
        ("SpatialDropout2D", "training only"),
        ("Concatenate", "merge"),
        ("EinsumDense", "dense"),
        ("Flatten", "shape"),
        ("Mystery", "other"),
    ],
)
def test_kinds_of_layers_have_families(kind, family):
    assert architecture_steps.family(kind) == family
    assert family in architecture.COLOURS


# The picture


def test_each_block_has_the_colour_of_its_family_and_so_does_the_legend():
    canvas = architecture.architecture(LENET, title="lenet")

    assert canvas.dtype == np.uint8
    assert canvas.shape[2] == 3
    for family in ("convolution", "pooling", "dense", "shape"):
        assert area(canvas, architecture.COLOURS[family]) > 500
    assert area(canvas, architecture.COLOURS["normalization"]) == 0
    assert area(canvas, architecture.MARK) == 0


def test_a_block_is_as_high_as_its_map_and_as_thick_as_its_channels():
    blocks = architecture_layout.blocks_of(architecture_steps.steps(LENET), (32, 32, 1), upright=False)

    heights = [block.height for block in blocks[:4]]
    assert heights == sorted(heights, reverse=True)
    assert blocks[0].parts[0] < blocks[2].parts[0]


@pytest.mark.parametrize("default", ["c1", "s4"])
def test_the_default_layer_is_marked(default):
    canvas = architecture.architecture(LENET, title="lenet", default=default)

    columns = np.flatnonzero((canvas == rgb(architecture.MARK)).all(axis=2).any(axis=0))
    assert columns.size
    assert (columns.min() < canvas.shape[1] / 4) == (default == "c1")


def test_nested_models_are_framed():
    rows = [*(Row(f"base/{row.path}", *list(vars(row).values())[1:]) for row in LENET[:4]), *LENET[4:]]

    assert area(architecture.architecture(rows, title="nested"), architecture.PAPER) > 20_000
    assert area(architecture.architecture(LENET, title="flat"), architecture.PAPER) == 0


@pytest.mark.parametrize("count", [1, 3, 8])
def test_nothing_is_drawn_over_the_edge(count):
    canvas = architecture.architecture(residual(count), title="W" * 300, default="s3b0_add", input_shape=(64, 64, 3))

    frame = np.ones(canvas.shape[:2], bool)
    frame[10:-10, 10:-10] = False
    assert (canvas[frame] == 255).all()
    assert canvas.shape[1] <= 12.5 * sheet.DPI


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Row("a", "Conv2D", (None, None, 8))],
        [Row("a", "Conv2D", ()), Row("b", "Dense", (None,))],
        [Row("a", "Conv2D", (8, None, None), None)],
        [Row("$x^2$", "Conv2D", (8, 8, 3)), Row("象\x1b[31m\n\u202e", "L" * 999, (1, 1, 1))],
        [Row("/".join("abcdefgh"), "Conv2D", (8, 8, 3), 10**15)],
        [Row("x" * 5000, "Conv2D", (10**12, 1, 10**9))],
        [Row("caf\udce9", "Add", (2, 3, 4, 5))],
    ],
    ids=["none", "any size", "no tensor", "any channels", "odd names", "deep", "huge", "surrogate"],
)
@pytest.mark.parametrize("upright", [False, True])
def test_odd_models_are_drawn_without_complaint(rows, upright):
    rows = rows + [Row(f"d{at}", "Dense", (at + 1,)) for at in range(12)] if upright else rows

    canvas = architecture.architecture(rows, title="odd\n$", default="$x^2$")

    assert (canvas != 255).any()
    assert max(canvas.shape) < 4000


def test_one_model_is_always_the_same_picture():
    first, second = (architecture.architecture(residual(3), title="m") for _ in range(2))

    assert (first == second).all()


def test_signs_without_a_glyph_are_replaced():
    assert sheet.drawable("conv 象") == "conv \N{REPLACEMENT CHARACTER}"
    assert sheet.drawable("größe β ×") == "größe β ×"


def test_a_longer_text_takes_more_inches():
    assert 0 < sheet.length("a", 8) < sheet.length("ab", 8) < sheet.length("ab", 16)
    assert sheet.length("ab", 16) == pytest.approx(2 * sheet.length("ab", 8), rel=0.1)


@pytest.mark.parametrize("words", ["conv5_block3_out", "W" * 500, "a" * 5000, "象" * 50])
@pytest.mark.parametrize("room", [0.3, 0.7, 3.0])
def test_a_long_name_keeps_both_ends_and_fits(words, room):
    short = sheet.within(words, room, 8)

    assert sheet.length(short, 8) <= room
    if short != words:
        first, last = short.split("…")
        assert words.startswith(first)
        assert words.endswith(last)
        assert 0 <= len(first) - len(last) <= 1
