"""Named series as lines over their steps, each named at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xcnn.render.sheet import DPI, INK, drawable, font, within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from xcnn.plugin import Curve
    from xcnn.values import Floats, Pixels

WIDTH, HEIGHT = 7.5, 4.2
"""Inches."""
NAMED = 8
"""As many series as lines can be told apart and named; of more, the highest and the lowest are."""
EXTREMES = 3
# Paul Tol's "bright" scheme and two darker ones, https://personal.sron.nl/~pault.
COLOURS = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#CC7A00", "#008CA8", "#332288", "#777777")
MANY = "#4477AA"
FAINT, RULE = "#5a6270", "#dfe3e8"
ROOM = 0.24
"""The share of the width that is left for names."""
APART = 0.052
"""The least distance of two names, as a share of the height."""


def curve(panel: Curve, *, title: str, subtitle: str) -> Pixels:
    """Draw the series of a panel.

    Parameters
    ----------
    panel : Curve
        The series; where a value is not finite, the line has a gap.
    title, subtitle : str
        What stands above.

    Returns
    -------
    (h, w, 3) uint8 ndarray
    """
    drawn = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(drawn)
    axes = drawn.add_axes((0.095, 0.13, 0.885 - ROOM, 0.69))
    drawn.text(0.03, 0.945, _fitted(title, 12, bold=True), fontproperties=font(12, bold=True), color=INK, va="center")
    drawn.text(0.03, 0.885, _fitted(subtitle, 9), fontproperties=font(9), color=FAINT, va="center")
    series = {name: np.where(np.isfinite(values), values, np.nan) for name, values in panel.series.items()}
    few = len(series) <= NAMED
    for at, values in enumerate(series.values()):
        colour, weight, strength = (COLOURS[at], 1.8, 1.0) if few else (MANY, 0.7, 0.45)
        # A point where there is no line to see.
        marker = "o" if np.isfinite(values).sum() == 1 else ""
        steps = np.arange(len(values))
        axes.plot(steps, values, color=colour, linewidth=weight, alpha=strength, marker=marker, markersize=4)
    _frame(axes, panel, series)
    _names(axes, series, _chosen(series), few=few)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def began(series: Mapping[str, Floats]) -> int:
    """The first step at which anything is known; 0 where nothing is."""
    return min(
        (int(np.isfinite(values).argmax()) for values in series.values() if np.isfinite(values).any()), default=0
    )


def _fitted(words: str, size: float, *, bold: bool = False) -> str:
    return _literal(within(words, 0.94 * WIDTH, size, bold=bold))


def _literal(words: str) -> str:
    """Words without a meaning for matplotlib: a dollar sign would begin a formula."""
    return drawable(words).replace("$", r"\$")


def _frame(axes: Axes, panel: Curve, series: dict[str, Floats]) -> None:
    axes.set_xlabel(_literal(within(panel.x, 4, 9)), fontproperties=font(9), color=FAINT)
    axes.set_ylabel(_literal(within(panel.y, 2.6, 9)), fontproperties=font(9), color=FAINT)
    first = began(series)
    axes.set_xlim(first, max([first + 1, *(len(values) - 1 for values in series.values())]))
    axes.margins(y=0.06)
    axes.grid(visible=True, color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#9aa3af")
    axes.tick_params(length=0, labelcolor=FAINT, labelsize=8.5)
    axes.ticklabel_format(axis="y", useOffset=False)  # an offset above the axis reads as a factor
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _chosen(series: dict[str, Floats]) -> list[tuple[str, float, int]]:
    """The series that are named, with their last finite value and their number, from the top down."""
    ends = [
        (name, float(values[np.isfinite(values)][-1]), at)
        for at, (name, values) in enumerate(series.items())
        if np.isfinite(values).any()
    ]
    ends.sort(key=lambda end: -end[1])
    return ends if len(ends) <= NAMED else [*ends[:EXTREMES], *ends[-EXTREMES:]]


def _names(axes: Axes, series: dict[str, Floats], chosen: Sequence[tuple[str, float, int]], *, few: bool) -> None:
    """Write each name at the end of its line, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    spots = _apart([(end - low) / (high - low) for _, end, _ in chosen])
    first, last = axes.get_xlim()
    for (name, end, at), spot in zip(chosen, spots, strict=True):
        colour = COLOURS[at] if few else FAINT
        where = (len(series[name]) - 1 - first) / (last - first)
        axes.annotate(
            _literal(within(name, ROOM * WIDTH - 0.35, 8.5)),
            xy=(where, (end - low) / (high - low)), xytext=(1.035, spot), xycoords="axes fraction",
            textcoords="axes fraction", fontproperties=font(8.5), color=colour, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 1},
        )  # fmt: skip
    if not few:
        words = f"{len(series)} series; the highest and lowest are named"
        axes.text(1.0, 1.02, words, transform=axes.transAxes, fontproperties=font(8), color=FAINT, ha="right")


def _apart(wanted: Sequence[float]) -> list[float]:
    """Move places that descend so far apart that names don't overlap, as little as that takes.

    Examples
    --------
    >>> [round(spot, 3) for spot in _apart([0.5, 0.5])]
    [0.526, 0.474]
    """
    groups: list[tuple[float, int]] = []
    for place in wanted:
        groups.append((place, 1))
        # Two groups that touch become one around their common middle.
        while len(groups) > 1:
            (above, many), (below, few) = groups[-2:]
            if above - below >= APART * (many + few) / 2:
                break
            groups[-2:] = [((above * many + below * few) / (many + few), many + few)]
    return [middle + APART * ((count - 1) / 2 - number) for middle, count in groups for number in range(count)]
