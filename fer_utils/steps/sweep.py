"""Step `sweep`: one network pruned and clustered to several strengths, for the frontier of accuracy and size."""

from functools import partial

from fer_utils.paths import Paths
from fer_utils.steps.compress import Cell, compress_cells, write_tables
from fer_utils.study import Architecture, Study


def sweep_network(architecture: Architecture, study: Study, paths: Paths) -> None:
    """Prune and cluster one network to every sparsity and cluster count that the study sweeps.

    Writes runs, predictions (test faces) and curves, with a row for every attempt, as step `compress` does.
    """
    cells = [
        Cell(f"pruning-{share:g}", "pruning", study.model_copy(update={"sparsity": share}), step="sweep")
        for share in study.sparsity_sweep
    ] + [
        Cell(f"clustering-{count}", "clustering", study.model_copy(update={"clusters": count}), step="sweep")
        for count in study.clusters_sweep
    ]
    place = partial(paths.swept, architecture=architecture)
    rows = compress_cells(architecture, study, paths, cells, place("runs").parent)
    write_tables(rows, ("runs", "predictions", "curves"), place)
