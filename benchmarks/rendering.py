"""Images per CPU second of the synthetic renderer at 112 and 224 pixels.

`python benchmarks/rendering.py` times this project's renderer. `--against FILE` times another module in
the same run, turn and turn about, so that a busy machine slows both alike; FILE must define
`draw(index, size)`, which draws its index-th picture.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from synthetic_faces.design import Design, plan_faces
from synthetic_faces.portrait import render_face

SIZES = (112, 224)
ROUNDS = 4
PICTURES = 35  # a round; every expression and domain, five subjects

Draw = Callable[[int, int], Any]


def our_renderer() -> Draw:
    """Return a function that draws rows spread over the quick plan."""
    plan = plan_faces(Design()).sample(frac=1, random_state=0).to_dict("records")
    return lambda index, size: render_face(plan[index % len(plan)], size)


def other_renderer(path: Path) -> Draw:
    """Return the `draw` of a module file."""
    spec = importlib.util.spec_from_file_location("other_renderer", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file: give a module that defines draw(index, size)")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.draw


def cpu_seconds(draw: Draw, size: int, start: int) -> float:
    """Return the CPU seconds that a round of pictures takes."""
    before = time.process_time()
    for index in range(start, start + PICTURES):
        draw(index, size)
    return time.process_time() - before


def main() -> None:
    """Time the renderers and print a line a size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, help="module file of another renderer")
    against = parser.parse_args().against
    cv2.setNumThreads(1)
    renderers = {"this project": our_renderer()}
    if against:
        renderers["the other"] = other_renderer(against)
    for size in SIZES:
        spent = dict.fromkeys(renderers, 0.0)
        for draw in renderers.values():
            cpu_seconds(draw, size, 0)  # warm-up
        for turn in range(ROUNDS):
            for name, draw in renderers.items():
                spent[name] += cpu_seconds(draw, size, (turn + 1) * PICTURES)
        rates = {name: ROUNDS * PICTURES / seconds for name, seconds in spent.items()}
        line = ", ".join(f"{name} {rate:.1f}" for name, rate in rates.items())
        ratio = f", ratio {rates['this project'] / rates['the other']:.2f}" if against else ""
        print(f"{size} pixels, images per CPU second: {line}{ratio}")


if __name__ == "__main__":
    main()
