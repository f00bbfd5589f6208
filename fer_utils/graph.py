"""The study as a graph: each step is declared here once, and each of its jobs follows from a study.

The Snakefile loops over `jobs`, `fer step` looks functions up in STEPS, `fer status` counts jobs, and a notebook that
is opened alone asks STAGES for its inputs. Functions are named by text and imported only when a job runs.
"""

import gc
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from face_sets.code_digests import code_digest, files_digest, notebook_file_digest
from face_sets.folders import MANIFESTS_FOLDER, PROJECT_FOLDER
from fer_utils.paths import COMPRESSED, DATA_VARIABLE, SWEPT, TRAINED, TRAINED_AGAIN, Paths
from fer_utils.study import ARCHITECTURES, BASE_TECHNIQUES, SECTIONS, Architecture, Study

Cell = tuple[str, ...]
"""What one job of a step is for: nothing, a network, a network and a technique or setting, or a notebook."""

BOOK: Final = PROJECT_FOLDER / "_build" / "html" / "index.html"
PAGES: Final = (
    "CITATION.cff", "_config.yml", "_toc.yml", "data_manifests", "package-lock.json", "results/reference",
)  # fmt: skip


def _by_network(*numbers: int) -> dict[str, int]:
    return dict(zip(ARCHITECTURES, numbers, strict=True))


TRAINING_SECONDS: Final = _by_network(37, 78, 124, 80, 203)
PLAIN_SECONDS: Final = _by_network(32, 43, 79, 57, 145)  # of compression: by none, pruning and clustering
AWARE_SECONDS: Final = _by_network(23, 28, 46, 32, 123)
"""What a job takes (wall clock, quick profile, measured): the longest chain begins first, and `fer run` foresees the end."""

TRAINING_MB: Final = _by_network(950, 1050, 1400, 1150, 1500)
COMPRESSING_MB: Final = _by_network(1250, 1450, 2000, 1750, 2200)
AWARE_MB: Final = _by_network(1250, 1450, 2200, 1800, 2750)  # of quantization-aware training
"""Peak memory of a job (shared libraries by half, quick profile, measured); the workflow's profile limits the sum."""

LARGE_MB: Final = _by_network(2000, 3400, 4100, 3100, 4000)
LARGE_AWARE_MB: Final = _by_network(3200, 5500, 6600, 4300, 6400)
"""The same at 224 pixels and batches of 32, measured; of three networks quantization-aware training was not: by the
largest ratio of the others, 1.6."""

LITTLE_MB: Final = 1100
"""Of a job that trains nothing: its interpreter, TensorFlow and the tables (1,014 at most, measured)."""

_PIXELS: Final = {"quick": 64**2 * 16, "large": 224**2 * 32}
"""Pixels of a batch at both measurements: activations, which grow with them, are what a training's memory grows by."""


def _scaled(quick: int, large: int, study: Study) -> int:
    """Memory at the study's image and batch size, on the line through both measurements."""
    pixels = study.image_size**2 * study.batch_size
    share = (pixels - _PIXELS["quick"]) / (_PIXELS["large"] - _PIXELS["quick"])
    return max(quick, round(quick + share * (large - quick)))


def _training_mb(study: Study, network: str) -> int:
    return _scaled(TRAINING_MB[network], LARGE_MB[network], study)


def _compressing_mb(study: Study, network: str, group: str) -> int:
    aware = group.endswith("quantization_aware")
    quick, large = (AWARE_MB, LARGE_AWARE_MB) if aware else (COMPRESSING_MB, LARGE_MB)
    return _scaled(quick[network], large[network], study)


def _compressing_seconds(network: str, group: str) -> int:
    return (AWARE_SECONDS if group.endswith("quantization_aware") else PLAIN_SECONDS)[network]


class GraphError(ValueError):
    """A step, or a job of it, that a study does not have; the message says which it has."""


@dataclass(frozen=True)
class Step:
    """One kind of job: `function(*cell, study, paths)` is called by its dotted name, once for each of `cells(study)`.

    `reads` and `writes` take `(paths, *cell)`. What else makes a job run again: the code that the function's module
    reaches, the `sections` of the study, and what `watches(study, paths, *cell)` returns (a JSON value).
    """

    name: str
    function: str
    reads: Callable[..., Iterable[Path]]
    writes: Callable[..., Iterable[Path]]
    sections: tuple[str, ...]
    cells: Callable[[Study], Iterable[Cell]] = lambda _: [()]
    watches: Callable[..., Any] = lambda *_: None
    memory_mb: Callable[..., int] = lambda *_: LITTLE_MB
    seconds: Callable[..., int] = lambda *_: 6
    threads: Callable[[Study], int] = lambda _: 1
    all_cores: bool = False

    @property
    def module(self) -> str:
        """The module of the step's function."""
        return self.function.rpartition(".")[0]


@dataclass(frozen=True)
class Job:
    """One job of a study, as the workflow runs it."""

    step: Step
    cell: Cell
    inputs: list[str]
    outputs: list[str]
    watched: dict[str, Any]
    memory_mb: int
    threads: int

    @property
    def name(self) -> str:
        """The job's name: its step, then its cell."""
        return "-".join((self.step.name, *self.cell))

    @property
    def seconds(self) -> int:
        """How long the job takes on its cores, as declared: relative to other jobs it holds on any machine."""
        return self.step.seconds(*self.cell)


def jobs(study: Study, paths: Paths) -> Iterator[Job]:
    """Yield all jobs of a study with what each reads, writes and depends on; paths are relative to the working folder."""
    for step in STEPS.values():
        code = code_digest(step.module)
        for cell in step.cells(study):
            yield _job(step, cell, code, study, paths)


def find_job(name: str, cell: Cell, study: Study, paths: Paths) -> Job:
    """Return one job of a study. Raises GraphError if the study has none such."""
    if name not in STEPS:
        raise GraphError(f"unknown step {name!r}: choose from {', '.join(STEPS)}")
    if cell not in (cells := list(STEPS[name].cells(study))):
        known = ", ".join(" ".join(each) or "nothing" for each in cells) or "nothing in this study"
        raise GraphError(f"step {name} runs for {known}; given {' '.join(cell) or 'nothing'}")
    return _job(STEPS[name], cell, code_digest(STEPS[name].module), study, paths)


def _job(step: Step, cell: Cell, code: str, study: Study, paths: Paths) -> Job:
    inputs, outputs = (
        [os.path.relpath(path) for path in place(paths, *cell)] for place in (step.reads, step.writes)
    )
    watched = {
        "code": code, "settings": study.settings("scope", *step.sections),
        "watched": step.watches(study, paths, *cell),
    }  # fmt: skip
    return Job(step, cell, inputs, outputs, watched, step.memory_mb(study, *cell), step.threads(study))


def longest_chains(declared: Sequence[Job]) -> dict[str, int]:
    """Return by a job's name the seconds of the longest chain that begins with it: what takes longest begins first."""
    chains: dict[str, int] = {}
    ahead: dict[str, int] = {}  # by file: the longest chain that reads it, which is declared after it
    for job in reversed(declared):
        chains[job.name] = job.seconds + max(ahead.get(path, 0) for path in job.outputs)
        ahead.update({path: max(ahead.get(path, 0), chains[job.name]) for path in job.inputs})
    return chains


def jobs_for(declared: Sequence[Job], *targets: str) -> list[Job]:
    """Return the jobs that make files, their own and all that they wait for, in the order declared."""
    makers = {path: job for job in declared for path in job.outputs}
    needed, wanted = dict[str, Job](), [*targets]
    while wanted:
        job = makers.get(wanted.pop())  # none for what was measured on another device
        if job and job.name not in needed:
            needed[job.name] = job
            wanted += job.inputs
    return [job for job in declared if job.name in needed]


def run_job(job: Job, study: Study, paths: Paths) -> None:
    """Do one job of a study."""
    _call(job.step.function, *job.cell, study, paths)


def notebook_source(stage: str) -> Path:
    """Return the path of a stage's notebook source. Raises GraphError for an unknown stage."""
    if stage not in STAGES:
        raise GraphError(f"unknown stage {stage!r}: choose from {', '.join(STAGES)}")
    return PROJECT_FOLDER / "notebooks" / f"{stage}.ipynb"


def _call(function: str, *arguments: Any) -> Any:
    module, _, name = function.rpartition(".")
    gc.disable()  # collecting garbage took a fifth of the time of imports, among objects that stay
    called = getattr(import_module(module), name)
    gc.enable()
    return called(*arguments)


def _base_runs(paths: Paths, network: Architecture, group: str) -> list[Path]:
    """The tables beside which the weights lie that a group's combinations go on from, unless the group makes them."""
    techniques = paths.study.technique_groups[group]
    bases = {BASE_TECHNIQUES[each] for each in techniques if each in BASE_TECHNIQUES} - {*techniques}
    return [paths.compressed("runs", network, base) for base in sorted(bases)]


def _faces(paths: Paths) -> list[Path]:
    return [paths.faces, paths.dropped, paths.external_faces, paths.external_dropped]


def _copies(paths: Paths) -> list[Path]:
    return [*paths.all_trained("runs"), *paths.all_trained("predictions")]


def _models(paths: Paths) -> list[Path]:
    return [paths.faces, *_copies(paths), paths.external_faces, paths.external_predictions]


def _again(paths: Paths) -> list[Path]:
    return [path for table in TRAINED_AGAIN for path in paths.all_trained_again(table)]


def _exports(paths: Paths) -> list[Path]:
    compressed = [*paths.all_compressed("runs"), *paths.all_compressed("predictions")]
    return [paths.faces, *compressed, *paths.all_measurements(), paths.operators]


def _explained(paths: Paths) -> list[Path]:
    explaining = ("variant_runs", "variant_predictions", "layer_errors")
    return [
        *_copies(paths), paths.external_faces, paths.external_compressed_predictions,
        *(path for table in explaining for path in paths.all_compressed(table)),
        *(path for table in ("runs", "predictions") for path in paths.all_swept(table)),
    ]  # fmt: skip


STAGES: Final[Mapping[str, Callable[[Paths], list[Path]]]] = {
    "01_data": _faces,
    "02_architectures": lambda paths: [*_models(paths), *paths.all_trained("curves")],
    "03_cohorts": lambda paths: [*_models(paths), paths.few_shot, *_again(paths)],
    "04_compression": lambda paths: [*_exports(paths), *_explained(paths)],
    "05_moto_g6_profiling": lambda paths: [*_exports(paths), *filter(Path.is_file, [paths.emulations])],
    "06_ethnicity_analysis": _models,
    "07_published_numbers": lambda _: [],
    "08_validation": lambda paths: [paths.faces, *_copies(paths)],
    "09_real_faces": lambda _: [],
}
"""The notebooks, and the tables that each reads and nothing else: a stage that is run alone waits for no more."""


def _watched_of_a_notebook(stage: str) -> list[str]:
    """Its source, and what it reads that no step writes: the released model with its tables."""
    released = [PROJECT_FOLDER / "results/reference"] if stage == "09_real_faces" else []
    return [notebook_file_digest(notebook_source(stage)), files_digest(*released)]


def _watched_of_the_book(study: Study, _: Paths) -> list[Any]:
    """Its pages, what renders them (own extensions by _config.yml), whether models can be shown; the study's name."""
    pages = [path for path in (PROJECT_FOLDER / "book").iterdir() if path.name != "stages"]
    pages += [PROJECT_FOLDER / name for name in PAGES]
    extensions = re.findall(r"- (fer_utils\.[\w.]+)", (PROJECT_FOLDER / "_config.yml").read_text("utf-8"))
    shown = sorted(_call("arm_latency.litert_js.litert_js_files"))
    return [study.name, files_digest(*pages), code_digest("jupyter_book", *extensions), shown]


STEPS: Final[Mapping[str, Step]] = {
    step.name: step
    for step in (
        Step(
            "faces", "fer_utils.steps.faces.make_faces",
            reads=lambda paths: [paths.external_faces] if paths.study.face_source == "licensed" else [],
            writes=lambda paths: [paths.faces, paths.dropped],
            sections=("faces",), seconds=lambda: 32, all_cores=True,
            watches=lambda study, paths: [
                files_digest(MANIFESTS_FOLDER / "synthetic.json"),
                _call("fer_utils.steps.faces.ingested_digest", study, paths) if study.face_source == "licensed" else "none",
            ],
        ),
        Step(
            "train", "fer_utils.steps.cohorts.train_cohorts",
            reads=lambda paths, _: [paths.faces],
            writes=lambda paths, network: [paths.trained(table, network) for table in TRAINED],
            sections=("training",), seconds=lambda network: TRAINING_SECONDS[network],
            cells=lambda study: product(study.architectures), memory_mb=_training_mb, threads=attrgetter("threads"),
        ),
        Step(
            "train_again", "fer_utils.steps.cohorts.train_again",
            reads=lambda paths, *_: [paths.faces],
            writes=lambda paths, network, seed: [paths.trained_again(table, network, seed) for table in TRAINED_AGAIN],
            sections=("training",), seconds=lambda network, _: TRAINING_SECONDS[network],
            cells=lambda study: product(study.architectures, map(str, study.further_seeds)),
            memory_mb=lambda study, network, _: _training_mb(study, network), threads=attrgetter("threads"),
        ),
        Step(
            "compress", "fer_utils.steps.compress.compress_network",
            reads=lambda paths, network, group: [
                paths.faces, paths.trained("runs", network), *_base_runs(paths, network, group),
            ],
            writes=lambda paths, network, group: [
                paths.compressed(table, network, technique)
                for technique in paths.study.technique_groups[group] for table in COMPRESSED
            ],
            sections=("training", "compression"), seconds=_compressing_seconds,
            cells=lambda study: product(study.architectures, study.technique_groups), memory_mb=_compressing_mb,
            threads=attrgetter("threads"),
        ),
        Step(
            "sweep", "fer_utils.steps.compress.sweep_network",
            reads=lambda paths, network, _: [paths.faces, paths.trained("runs", network)],
            writes=lambda paths, network, setting: [paths.swept(table, network, setting) for table in SWEPT],
            sections=("training", "compression"), seconds=_compressing_seconds,
            cells=lambda study: product(study.architectures, study.swept_settings), memory_mb=_compressing_mb,
            threads=attrgetter("threads"),
        ),
        Step(
            "external_faces", "fer_utils.steps.external_faces.make_external_faces",
            reads=lambda _: [],
            writes=lambda paths: [paths.external_faces, paths.external_dropped],
            sections=("faces",), seconds=lambda: 3,
            watches=lambda *_: [
                files_digest(MANIFESTS_FOLDER / "london.json"),
                _call("fer_utils.steps.external_faces.photographs_digest") if os.environ.get(DATA_VARIABLE) else "absent",
            ],
        ),
        Step(
            "external_test", "fer_utils.steps.generalization.predict_external",
            reads=lambda paths: [paths.external_faces, *paths.all_trained("runs")],
            writes=lambda paths: [paths.external_predictions],
            sections=("training",),
        ),
        Step(
            "external_files", "fer_utils.steps.generalization.predict_external_by_files",
            reads=lambda paths: [paths.external_faces, *paths.all_compressed("runs")],
            writes=lambda paths: [paths.external_compressed_predictions],
            sections=("training",),
        ),
        Step(
            "few_shot", "fer_utils.steps.generalization.retrain_last_layers",
            reads=lambda paths: [paths.faces, *paths.all_trained("predictions"), *paths.all_trained("features")],
            writes=lambda paths: [paths.few_shot],
            sections=("training",), seconds=lambda: 10,
        ),
        Step(  # on all cores, so that it is alone on the machine: other work would be timed too
            "measure", "fer_utils.steps.measure.measure",
            reads=lambda paths: paths.all_compressed("runs"),
            writes=lambda paths: [paths.measurements, paths.operators],
            sections=("profiling",), seconds=lambda: 36, all_cores=True,
        ),
        Step(
            "notebook", "fer_utils.stages.run_notebook",
            reads=lambda paths, stage: STAGES[stage](paths),
            writes=lambda paths, stage: [paths.notebook(stage)],
            sections=tuple(SECTIONS),
            cells=lambda _: product(STAGES), seconds=lambda stage: 12 if stage == "08_validation" else 8,
            watches=lambda _study, _paths, stage: _watched_of_a_notebook(stage),
        ),
        Step(
            "book", "fer_utils.book.make_book",
            reads=lambda paths: [*map(paths.notebook, STAGES), paths.external_compressed_predictions],
            writes=lambda _: [BOOK],
            sections=(), seconds=lambda: 20,
            watches=_watched_of_the_book,
        ),
    )
}  # fmt: skip
"""All steps by name, in the order in which a study needs them."""
