"""Our latency of a file beside that of `litert-benchmark`, the vendor's tool, on the same file and the same core.

`python benchmarks/host_latency.py` times MobileNetV3-Large and -Small, untrained, 224 pixels, one thread;
`--model` takes another file. Both take turns, `--rounds` times, since other work on the machine comes and goes. The
ratio that must not exceed 1.1 is that of the least: of single inferences, and of the rounds' medians.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import typer

from arm_latency.host import latencies_ms
from arm_latency.interpreters import open_at

WARM_UPS, RUNS = 10, 50
LIMIT = 1.1
NETWORKS = ("MobileNetV3Large", "MobileNetV3Small")


def exported(name: str, folder: Path) -> Path:
    """Export an untrained Keras network with our head to TFLite."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf
    import tf_keras as keras

    base = getattr(keras.applications, name)(
        weights=None, include_top=False, input_shape=(224, 224, 3), pooling="avg"
    )
    network = keras.Model(base.input, keras.layers.Dense(7, activation="softmax")(base.output))
    path = folder / f"{name}.tflite"
    path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
    return path


def theirs(path: Path) -> tuple[float, float]:
    """Return the tool's least and median milliseconds; it prints two decimals."""
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        tool = Path(sys.executable).with_name("litert-benchmark")
        options = [
            f"--model={path}", f"--num_runs={RUNS}", f"--warmup_runs={WARM_UPS}", "--num_threads=1",
            f"--result_json={result.name}",
        ]  # fmt: skip
        subprocess.run([tool, *options], check=True, capture_output=True)
        latency = json.loads(Path(result.name).read_text())["latency"]
    return latency["min_ms"], latency["median_ms"]


def ours(path: Path) -> tuple[float, float]:
    """Return our least and median milliseconds."""
    side = own_side(path)
    times = latencies_ms(open_at(path, side), warm_ups=WARM_UPS, runs=RUNS)
    return float(np.min(times)), float(np.median(times))


def own_side(path: Path) -> int:
    """Return the side of a file's own input: the tool cannot resize."""
    from ai_edge_litert.interpreter import Interpreter

    return int(Interpreter(model_path=str(path)).get_input_details()[0]["shape"][1])


def compare(path: Path, rounds: int) -> bool:
    """Print both; return whether ours is within the limit."""
    pairs = [(ours(path), theirs(path)) for _ in range(rounds)]
    our_times, their_times = (np.min([pair[side] for pair in pairs], axis=0) for side in (0, 1))
    ratios = our_times / their_times
    print(
        f"{path.stem:20} least {our_times[0]:.2f} ms, tool {their_times[0]:.2f} ms, ratio {ratios[0]:.3f}; "
        f"least median {our_times[1]:.2f} ms, tool {their_times[1]:.2f} ms, ratio {ratios[1]:.3f}",
        flush=True,
    )
    return bool((ratios <= LIMIT).all())


def main(model: Path | None = None, rounds: int = 7) -> None:
    """Compare, and end with 1 if ours is slower than the limit."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the tool inherits it
    with tempfile.TemporaryDirectory() as folder:
        paths = [model] if model else [exported(name, Path(folder)) for name in NETWORKS]
        within = [compare(path, rounds) for path in paths]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    typer.run(main)
