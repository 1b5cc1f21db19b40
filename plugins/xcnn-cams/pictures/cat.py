# ruff: noqa: INP001 (a script, no package)
"""Make cat.jpg, the picture of the README: all methods at the last layer and at an earlier one.

python pictures/cat.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import xcnn
import xcnn_cams

HERE = Path(__file__).parent
CAT = HERE.parents[2] / "samples" / "cat.jpg"
LAYERS = ("top_act", "block6a_expand_activation")
KINDS = (
    xcnn_cams.GradCAMPlusPlus,
    xcnn_cams.LayerCAM,
    xcnn_cams.HiResCAM,
    xcnn_cams.XGradCAM,
    xcnn_cams.EigenCAM,
    xcnn_cams.ScoreCAM,
    xcnn_cams.AblationCAM,
)
COLUMNS, TILE, LINE = 4, (304, 202), 26


def main() -> None:
    """Explain the cat and put the overlays side by side."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        xcnn.explain("efficientnet-lite0", str(CAT), [kind(layer=LAYERS) for kind in KINDS]).save(out)
        tiles = []
        for layer in LAYERS:
            tiles.append((f"Egyptian cat, {layer}", CAT))
            tiles += [(kind.title, next(out.glob(f"*.{kind.name}.{layer}*.overlay.png"))) for kind in KINDS]
        found = sheet([(title, Image.open(path).convert("RGB")) for title, path in tiles])
    found.save(HERE / "cat.jpg", quality=88)


def sheet(tiles: list[tuple[str, Image.Image]]) -> Image.Image:
    """Put pictures in rows, each under its title."""
    rows = -(-len(tiles) // COLUMNS)
    found = Image.new("RGB", (COLUMNS * (TILE[0] + 8) - 8, rows * (TILE[1] + LINE + 8) - 8), "white")
    draw, font = ImageDraw.Draw(found), ImageFont.load_default(15)
    for place, (title, picture) in enumerate(tiles):
        x, y = place % COLUMNS * (TILE[0] + 8), place // COLUMNS * (TILE[1] + LINE + 8)
        draw.text((x + 2, y + 4), title, fill="#222222", font=font)
        found.paste(picture.resize(TILE, Image.Resampling.LANCZOS), (x, y + LINE))
    return found


if __name__ == "__main__":
    main()
