"""Picture files whose pixels are known."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image as Pillow

RED, GREEN, BLUE, GRAY = (220, 30, 40), (20, 200, 60), (30, 50, 210), (128, 128, 128)


def quadrants(side=16):
    """Four flat squares: nothing that JPEG's blocks or GIF's palette could spoil."""
    picture = np.zeros((2 * side, 2 * side, 3), np.uint8)
    picture[:side, :side], picture[:side, side:] = RED, GREEN
    picture[side:, :side], picture[side:, side:] = BLUE, GRAY
    return picture


def saved(path, pixels, *, kind="PNG", mode=None, **how):
    picture = Pillow.fromarray(pixels)
    (picture.convert(mode) if mode else picture).save(path, kind, **how)
    return str(path)


def png(width, height, rows=b""):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + packed


def gray_of(image):
    """The one channel of a picture whose three are equal."""
    assert (image.pixels[..., 0] == image.pixels[..., 1]).all()
    assert (image.pixels[..., 0] == image.pixels[..., 2]).all()
    return image.pixels[..., 0].tolist()


def stored_for(upright, orientation):
    """What a camera stores: the EXIF specification, one pixel at a time.

    It says which side of the scene the first row and the first column of the file are.
    """
    height, width = upright.shape[:2]
    turned = orientation > 4
    stored = np.zeros((width, height, 3) if turned else (height, width, 3), np.uint8)
    for row in range(stored.shape[0]):
        for column in range(stored.shape[1]):
            y, x = {
                1: (row, column),  # first row top, first column left
                2: (row, width - 1 - column),  # top, right
                3: (height - 1 - row, width - 1 - column),  # bottom, right
                4: (height - 1 - row, column),  # bottom, left
                5: (column, row),  # left, top
                6: (column, width - 1 - row),  # right, top
                7: (height - 1 - column, width - 1 - row),  # right, bottom
                8: (height - 1 - column, row),  # left, bottom
            }[orientation]
            stored[row, column] = upright[y, x]
    return stored
