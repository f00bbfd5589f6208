"""Many synthetic faces: a plan to a stream of pictures, on several processes."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from fer_utils.data.synthetic.portrait import draw_face

_CHUNK: Final = 64  # faces a task: large against the cost of sending it, small against memory


def draw_faces(plan: pd.DataFrame, size: int, processes: int = 1) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield the pictures of a plan in its order, (size, size, 3) uint8 RGB each.

    At most two chunks of 64 pictures a process are held at once. The number of processes changes nothing
    in the pictures. Raises ValueError as `draw_face` does.
    """
    chunks = [plan.iloc[start : start + _CHUNK].to_dict("records") for start in range(0, len(plan), _CHUNK)]
    if processes <= 1 or len(chunks) <= 1:
        for chunk in chunks:
            yield from _draw_chunk(chunk, size)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _use_one_thread) as pool:
        draw = partial(_draw_chunk, size=size)
        waiting = [pool.submit(draw, chunk) for chunk in chunks[: 2 * processes]]
        for following in [*chunks[2 * processes :], *[None] * len(waiting)]:
            pictures = waiting.pop(0).result()
            if following is not None:
                waiting.append(pool.submit(draw, following))
            yield from pictures


def _draw_chunk(rows: list[dict[Any, Any]], size: int) -> list[npt.NDArray[np.uint8]]:
    return [draw_face(row, size) for row in rows]


def _use_one_thread() -> None:
    cv2.setNumThreads(1)  # the processes are the parallelism
