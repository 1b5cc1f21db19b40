"""The palettes of a page, and the filters that colour gray levels with them.

A map is shipped once, as gray levels. A filter of the page turns them into colours and opacity, with a script or
without one; the script only rewrites the tables of the filters. See ``scripts/colour.js``, which says the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PALETTES = {
    "viridis": (
        "440154460b5e481769482173472c7a453581423f853f48893b518b375a8c33628d306a8e2c718e29798e26818e23888e21908d"
        "1f978b1f9f8821a68527ad8131b57b3dbc744cc26c5cc8636ece5881d34d95d840aadc32c0df25d5e21aeae51afde725"
    ),
    "turbo": (
        "30123b38276d3f3e9c4454c34669e0467df44391fe38a5fb2ab9ee1ecbda18dbc51de7b22ff19b4af88069fd6688ff4ea1fd3d"
        "b7f735cbed34dde037ecd13af7c13afdae35fe992cfb8122f56918ec530fe14109d23105c12302ac1701950d017a0403"
    ),
    "jet": (
        "00008000009f0000c40000e80000ff001cff003cff005cff007cff009cff00bcff00dcfe13fce42cffca46ffb160ff977aff7d"
        "94ff63adff49c7ff30e1ff16fbf100ffd300ffb600ff9800ff7a00ff5d00ff3f00ff2200ed0400c80000a40000800000"
    ),
    "gray": (
        "0000000707070f0f0f1717171f1f1f2727272f2f2f3737373f3f3f4747474f4f4f5757575f5f5f6767676f6f6f7777777f7f7f"
        "8787878f8f8f9797979f9f9fa7a7a7afafafb7b7b7bfbfbfc7c7c7cfcfcfd7d7d7dfdfdfe7e7e7efefeff7f7f7ffffff"
    ),
    "diverging": (
        "0530610d3f7615508d1e61a52870b1337eb83e8cbf4f9bc768abd081bad898c8e0acd2e5c0dcebd2e6f0deebf2eaf1f5f6f7f7"
        "f9efe9fbe6dafdddcbfbceb7f8bda1f5ac8bef9979e58368dc6e57d25849c6413ebb2a34ae172a960f277f082367001f"
    ),
}
"""What a reader can choose: viridis, turbo, jet, gray and RdBu_r of matplotlib, 33 colours each."""

STRONG = 0.6
"""The share of a signed scale whose colour weaker values take over a picture; as in the pictures of the folder."""
PALE = 200
"""A palette is pale in its middle when no channel is darker than this."""
STEPS = 64
Colour = tuple[float, ...]


@dataclass(frozen=True)
class Tint:
    """A filter: which maps it colours, and its tables, 0..1, as the page writes them."""

    sign: str
    over: bool
    cut: int
    """Levels away from zero below which the bare picture is shown."""
    red: str
    green: str
    blue: str
    alpha: str
    """Empty when the map hides its picture everywhere alike."""

    @property
    def id(self) -> str:
        """What the maps call it."""
        return name_of(self.sign, self.cut, over=self.over)


def name_of(sign: str, cut: int, *, over: bool) -> str:
    """The id of a filter."""
    return f"tint-{'signed' if sign == 'signed' else 'positive'}{'-over' if over else ''}{f'-{cut}' if cut else ''}"


def cut_of(panel: Mapping[str, Any]) -> int:
    """The levels that the threshold of a map takes; maps of one scale have largest values of their own."""
    largest = max(abs(panel["minimum"]), abs(panel["maximum"]))
    end = panel["scale"][1]
    most = 127 if panel["sign"] == "signed" else 255
    return max(round(most * min(panel["threshold"] * largest / end, 1.0)), 1) if panel["threshold"] and end else 0


def checked(palette: Mapping[str, Any]) -> None:
    """Refuse a palette that could be more than colours: it goes where nothing is escaped.

    Raises
    ------
    OutputError
        If a stop is no ``#rrggbb``.
    """
    for stop in palette["stops"] + palette["signed_stops"]:
        if not re.fullmatch("#[0-9a-fA-F]{6}", stop):
            raise OutputError(f"the palette has the colour {stop!r}; it must be written #rrggbb")


def tints(palette: Mapping[str, Any], panels: Iterable[Mapping[str, Any]]) -> list[Tint]:
    """The filters that the maps of a page need, each once."""
    asked = {
        (panel["sign"] == "signed", not panel["fine"], cut_of(panel)) for panel in panels if panel["kind"] == "map"
    }
    return [_tint(palette, signed=signed, over=over, cut=cut) for signed, over, cut in sorted(asked)]


def _tint(palette: Mapping[str, Any], *, signed: bool, over: bool, cut: int) -> Tint:
    stops = [_colour(stop) for stop in palette["signed_stops" if signed else "stops"]]
    veils = signed and over and min(_at(stops, 0.5)) * 255 >= PALE
    shares = [step / STEPS for step in range(STEPS + 1)]
    if veils:
        shares = [0.5 + (0.5 if at >= 0.5 else -0.5) * max(abs(2 * at - 1), STRONG) for at in shares]  # noqa: PLR2004
    channels = list(zip(*(_at(stops, share) for share in shares), strict=True))
    red, green, blue = (" ".join(f"{value:.3g}" for value in channel) for channel in channels)
    return Tint("signed" if signed else "positive", over, cut, red, green, blue, _alpha(signed, veils, cut))


def _alpha(signed: bool, veils: bool, cut: int) -> str:  # noqa: FBT001 (two facts about one map)
    if not cut:
        return "1 0 1" if veils else ""
    zero = 127 if signed else 0
    sizes = [abs(level - zero) for level in range(256)]
    return " ".join("0" if size < cut else f"{min(size / 127, 1):.2g}" if veils else "1" for size in sizes)


def _colour(stop: str) -> Colour:
    return tuple(int(stop[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _at(stops: list[Colour], share: float) -> Colour:
    place = share * (len(stops) - 1)
    low = min(int(place), max(len(stops) - 2, 0))
    high = min(low + 1, len(stops) - 1)
    return tuple(a + (place - low) * (b - a) for a, b in zip(stops[low], stops[high], strict=True))
