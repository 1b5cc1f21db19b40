"""Pictures for TensorBoard, written without it being installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

from xcnn.io import artifacts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from xcnn.values import Pixels

PLUGIN = "images"
"""Who in TensorBoard shows them."""


class Board:
    """Event files of TensorBoard.

    Parameters
    ----------
    folder : Path
        Where it looks for them.
    """

    def __init__(self, folder: Path) -> None:
        self._writer = tf.summary.create_file_writer(str(folder))

    def write(self, epoch: int, pictures: Iterable[tuple[str, Pixels]]) -> None:
        """Write pictures of one epoch, each under a name that it has after every epoch."""
        with self._writer.as_default(step=epoch):
            for name, pixels in pictures:
                height, width = pixels.shape[:2]
                # An image summary: its size in words and its PNG.
                told = [str(width).encode(), str(height).encode(), artifacts.encoded(pixels, ".png")]
                data = tf.compat.v1.SummaryMetadata.PluginData(plugin_name=PLUGIN)
                tf.summary.write(name, tf.constant(told), metadata=tf.compat.v1.SummaryMetadata(plugin_data=data))
        self._writer.flush()
