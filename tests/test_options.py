from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import pytest

from xcnn import options
from xcnn.errors import OptionError
from xcnn.options import Option


@dataclass(frozen=True, kw_only=True)
class Blur:
    kind: ClassVar[str] = "blur"
    radius: Annotated[int, Option("How far.", short="-r", unit="px", minimum=1, maximum=9)]
    strength: Annotated[float, Option("How much.", minimum=0)] = 0.5
    edge: Annotated[str, Option("What lies outside.", choices=("mirror", "nearest", "wrap"))] = "mirror"
    sharp_border: Annotated[bool, Option("Whether the border stays.")] = False
    layers: Annotated[tuple[str, ...], Option("Where.", separator=",")] = ()
    words: Annotated[tuple[str, ...], Option("Anything.")] = ()
    out: Annotated[str | None, Option("Where to.", metavar="DIR")] = None

    def __post_init__(self):
        options.normalise(self)


@dataclass(frozen=True, kw_only=True)
class Tint:
    colour: Annotated[str, Option("Which.")] = "red"


def option_of(kind: Any, *, default: Any = 0, optional: bool = False, **details: Any) -> options.Declared:
    return options.Declared("size", kind, optional, default, Option("Help.", **details))


def test_the_fields_of_a_dataclass_are_its_options_in_their_order():
    found = options.declared(Blur)

    assert [one.name for one in found] == ["radius", "strength", "edge", "sharp_border", "layers", "words", "out"]
    assert [one.type for one in found] == [int, float, str, bool, tuple[str, ...], tuple[str, ...], str]
    assert [one.default for one in found[1:]] == [0.5, "mirror", False, (), (), None]
    assert found[0].option == Option("How far.", short="-r", unit="px", minimum=1, maximum=9)


def test_only_a_field_without_default_is_required():
    found = options.declared(Blur)

    assert [one.name for one in found if one.required] == ["radius"]
    assert found[0].default is dataclasses.MISSING


def test_only_a_union_with_none_is_optional():
    assert [one.name for one in options.declared(Blur) if one.optional] == ["out"]


def test_only_tuples_hold_many_words():
    assert [one.name for one in options.declared(Blur) if one.many] == ["layers", "words"]


def test_the_flag_of_a_field_has_dashes():
    flags = {one.name: one.flag for one in options.declared(Blur)}

    assert flags["sharp_border"] == "--sharp-border"


def test_options_of_a_base_class_come_before_those_of_its_subclass():
    @dataclass(frozen=True, kw_only=True)
    class Darker(Tint):
        depth: Annotated[int, Option("How dark.")] = 1

    assert [one.name for one in options.declared(Darker)] == ["colour", "depth"]


def test_a_field_without_option_is_a_mistake_of_the_author():
    @dataclass(frozen=True)
    class Bare:
        size: int = 1

    with pytest.raises(TypeError, match=r"Bare\.size is not declared as Annotated"):
        options.declared(Bare)


def test_an_annotation_with_something_else_than_an_option_is_a_mistake_of_the_author():
    @dataclass(frozen=True)
    class Noted:
        size: Annotated[int, "a note"] = 1

    with pytest.raises(TypeError, match=r"Noted\.size is not declared"):
        options.declared(Noted)


def test_an_option_beside_other_annotations_is_found():
    @dataclass(frozen=True)
    class Noted:
        size: Annotated[int, "a note", Option("How big.")] = 1

    assert options.declared(Noted)[0].option.help == "How big."


def test_a_type_that_no_option_can_have_is_a_mistake_of_the_author():
    @dataclass(frozen=True)
    class Listed:
        sizes: Annotated[list[int], Option("Sizes.")] = field(default_factory=list)

    with pytest.raises(TypeError, match=r"Listed\.sizes has type list\[int\]"):
        options.declared(Listed)


def test_a_union_of_two_real_types_is_a_mistake_of_the_author():
    @dataclass(frozen=True)
    class Either:
        size: Annotated[int | str, Option("Size.")] = 1

    with pytest.raises(TypeError, match=r"Either\.size has type"):
        options.declared(Either)


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (int, "7", 7),
        (int, " -3 ", -3),
        (int, 7, 7),
        (float, "2.5", 2.5),
        (float, "1e-3", 0.001),
        (float, 2, 2.0),
        (str, "word", "word"),
        (str, 5, "5"),
        (str, ["word"], "word"),
        (bool, True, True),
        (bool, False, False),
    ],
)
def test_a_scalar_becomes_the_type_of_its_option(kind, given, expected):
    found = options.checked(option_of(kind), given)

    assert found == expected
    assert type(found) is kind


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (int, "seven", "--size is 'seven'; it must be a whole number"),
        (int, "2.5", "--size is '2.5'; it must be a whole number"),
        (int, 2.5, "--size is 2.5; it must be a whole number"),
        (int, 3.0, "--size is 3.0; it must be a whole number"),
        (int, None, "--size is None; it must be a whole number"),
        (float, "much", "--size is 'much'; it must be a number"),
        (float, [1.0], "--size is [1.0]; it must be a number"),
        (bool, "yes", "--size is 'yes'; it must be true or false"),
        (bool, 1, "--size is 1; it must be true or false"),
    ],
)
def test_a_scalar_of_another_type_is_refused_with_the_value_received(kind, given, expected):
    with pytest.raises(OptionError) as caught:
        options.checked(option_of(kind), given)

    assert caught.value.message == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a,b", ("a", "b")),
        ("a, b ,", ("a", "b")),
        ("", ()),
        (",,", ()),
        (["a,b", "c"], ("a", "b", "c")),
        (("a", "b"), ("a", "b")),
        (5, ("5",)),
        ([1, 2], ("1", "2")),
        ((word for word in ("x", "y")), ("x", "y")),
    ],
)
def test_words_are_split_at_the_separator(given, expected):
    assert options.checked(option_of(tuple[str, ...], separator=","), given) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [("a,b", ("a,b",)), (["a,b", " c "], ("a,b", "c")), ("  ", ()), (7, ("7",))]
)
def test_words_without_a_separator_stay_whole(given, expected):
    assert options.checked(option_of(tuple[str, ...]), given) == expected


@pytest.mark.parametrize(
    ("kind", "unit", "given", "expected"),
    [
        (float, "s", "30s", 30.0),
        (float, "s", " 1.5 s ", 1.5),
        (float, "s", "2m", 120.0),
        (float, "s", "0.5m", 30.0),
        (float, "s", "1h", 3600.0),
        (float, "s", "30", 30.0),
        (float, "s", 30, 30.0),
        (int, "s", "2m", 120),
        (int, "px", "16px", 16),
        (int, "px", "16 px", 16),
    ],
)
def test_a_number_may_have_its_unit_behind_it(kind, unit, given, expected):
    found = options.checked(option_of(kind, unit=unit), given)

    assert found == expected
    assert type(found) is kind


@pytest.mark.parametrize(
    ("kind", "unit", "given"),
    [
        *[(float, "s", word) for word in ("30px", "s", "30ss", "30sm", "2m30s", "m", "nanm", "30S")],
        *[(int, "px", word) for word in ("16p", "16m", "px", "1.5px", "16pxpx")],
        (float, "", "30s"),
        (int, "m", "2h"),
    ],
)
def test_another_unit_is_no_number(kind, unit, given):
    with pytest.raises(OptionError) as caught:
        options.checked(option_of(kind, unit=unit), given)

    assert caught.value.message.startswith(f"--size is {given!r}; it must be a")


def test_the_range_holds_for_the_number_in_the_unit_of_the_option():
    with pytest.raises(OptionError, match=r"--size is 120\.0; it must be 60 or less s"):
        options.checked(option_of(float, unit="s", maximum=60), "2m")


@pytest.mark.parametrize(
    ("given", "expected"), [("16px", (16, 16)), ("32x16px", (32, 16)), ("32X16 px", (32, 16)), ("32x16", (32, 16))]
)
def test_a_size_may_have_its_unit_behind_it(given, expected):
    assert options.checked(option_of(tuple[int, int], separator="x", unit="px"), given) == expected


@pytest.mark.parametrize("given", ["px", "16pxx16px", "x16px", "16xpx", "16s"])
def test_a_size_with_a_unit_elsewhere_is_none(given):
    with pytest.raises(OptionError, match="a number, or two like 8x4"):
        options.checked(option_of(tuple[int, int], separator="x", unit="px"), given)


def test_both_ends_of_a_range_are_accepted():
    option = option_of(int, minimum=1, maximum=9)

    assert [options.checked(option, value) for value in (1, "9")] == [1, 9]


@pytest.mark.parametrize(
    ("limits", "given", "expected"),
    [
        ({"minimum": 1, "maximum": 9}, 0, "--size is 0.0; it must be in 1..9"),
        ({"minimum": 1, "maximum": 9, "unit": "px"}, 10, "--size is 10.0; it must be in 1..9 px"),
        ({"minimum": 0.5}, "0.25", "--size is 0.25; it must be 0.5 or more"),
        ({"maximum": 1, "unit": "s"}, 2, "--size is 2.0; it must be 1 or less s"),
        ({"minimum": 0}, math.nan, "--size is nan; it must be 0 or more"),
        ({"maximum": 0}, "nan", "--size is nan; it must be 0 or less"),
        ({"minimum": 0, "maximum": 1}, "nan", "--size is nan; it must be in 0..1"),
        ({"maximum": 1}, "inf", "--size is inf; it must be 1 or less"),
    ],
)
def test_a_number_outside_its_range_is_refused_with_the_range(limits, given, expected):
    with pytest.raises(OptionError) as caught:
        options.checked(option_of(float, **limits), given)

    assert caught.value.message == expected


def test_a_choice_nearly_hit_is_suggested():
    option = option_of(str, choices=("mirror", "nearest", "wrap"))

    with pytest.raises(OptionError) as caught:
        options.checked(option, "miror")

    assert caught.value.message == "--size is 'miror', which is not one of its choices"
    assert caught.value.hint == "mirror (did you mean this?), or one of mirror, nearest, wrap"


def test_a_choice_far_from_all_others_gets_the_whole_list():
    with pytest.raises(OptionError) as caught:
        options.checked(option_of(str, choices=("mirror", "wrap")), "xyz")

    assert caught.value.hint == "one of mirror, wrap"


def test_every_word_of_a_tuple_must_be_a_choice():
    option = option_of(tuple[str, ...], choices=("mirror", "wrap"), separator=",")

    with pytest.raises(OptionError, match="'wrpa', which is not one of its choices"):
        options.checked(option, "mirror,wrpa")


def test_all_words_of_a_tuple_may_be_choices():
    option = option_of(tuple[str, ...], choices=("mirror", "wrap"), separator=",")

    assert options.checked(option, "wrap,mirror") == ("wrap", "mirror")


def test_none_stays_none_where_it_is_a_value():
    option = option_of(int, optional=True, minimum=1)

    assert options.checked(option, None) is None
    assert options.checked(option, "4") == 4


def test_the_range_of_an_optional_number_holds_for_numbers():
    with pytest.raises(OptionError, match="it must be 1 or more"):
        options.checked(option_of(int, optional=True, minimum=1), 0)


def test_an_unknown_option_name_gets_the_nearest_known_one():
    with pytest.raises(OptionError) as caught:
        options.check((Tint, Blur), {"colour": "blue", "radios": 3})

    assert caught.value.message == "there is no option 'radios'"
    assert caught.value.hint.startswith("radius (did you mean this?), or one of colour, radius, strength")


def test_an_unknown_option_name_like_no_other_gets_the_list():
    with pytest.raises(OptionError) as caught:
        options.check((Tint,), {"zzz": 1})

    assert caught.value.hint == "one of colour"


def test_names_of_any_of_the_classes_are_known():
    values = {"colour": "blue", "radius": 3}

    options.check((Tint, Blur), values)

    assert options.picked(Tint, values) == {"colour": "blue"}
    assert options.picked(Blur, values) == {"radius": 3}


def test_normalise_converts_every_field_of_a_frozen_dataclass():
    blur = Blur(radius="4", strength="2", layers="a,b", words="one word")

    assert dataclasses.asdict(blur) == {
        "radius": 4,
        "strength": 2.0,
        "edge": "mirror",
        "sharp_border": False,
        "layers": ("a", "b"),
        "words": ("one word",),
        "out": None,
    }


def test_a_normalised_dataclass_stays_frozen():
    blur = Blur(radius=4)

    with pytest.raises(dataclasses.FrozenInstanceError):
        blur.radius = 5


def test_two_spellings_of_the_same_values_are_equal():
    assert Blur(radius="4", layers=["a", "b"]) == Blur(radius=4, layers="a, b")


def test_normalise_refuses_what_checked_refuses():
    with pytest.raises(OptionError, match=r"--radius is 12; it must be in 1\.\.9 px"):
        Blur(radius=12)


def test_described_says_where_each_value_came_from():
    rows = options.described(Blur(radius="4", edge="wrap"), {"radius": "command line", "edge": "XCNN_EDGE"})

    assert [(row.name, row.value, row.source) for row in rows] == [
        ("radius", 4, "command line"),
        ("strength", 0.5, "default"),
        ("edge", "wrap", "XCNN_EDGE"),
        ("sharp_border", False, "default"),
        ("layers", (), "default"),
        ("words", (), "default"),
        ("out", None, "default"),
    ]
    assert rows[1].help == "How much."


def test_numpy_numbers_and_paths_are_what_they_look_like():
    assert checked_as(tuple[str, ...], np.int64(5)) == ("5",)
    assert checked_as(tuple[str, ...], Path("a")) == ("a",)
    assert checked_as(int, np.int64(5)) == 5


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (tuple[str, ...], None),
        (tuple[str, ...], b"ab"),
        (tuple[str, ...], {"a": 1}),
        (int, np.float32(2.7)),
        (float, 10**400),
        (str, None),
        (str, ["a", "b"]),
    ],
)
def test_a_value_of_a_wrong_kind_is_an_option_error(kind, value):
    with pytest.raises(OptionError, match="--size is"):
        checked_as(kind, value)


def checked_as(kind, value):
    return options.checked(options.Declared("size", kind, optional=False, default=(), option=Option("Help.")), value)
