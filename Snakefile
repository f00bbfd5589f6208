"""The study as a graph: the expensive steps by network, the six stage notebooks, the book.

Rules hold no logic: each calls `fer step` or `fer stage`, which do the work. What a rule's result depends on
besides its input tables stands in its `params`: the part of the study that decides it, and a digest of the
code that it can reach (fer_utils.fingerprints). Snakemake runs a rule again when either changes.
"""

import json
import sys

from pathlib import Path

from fer_utils.fingerprints import code_digest, files_digest, notebook_file_digest
from fer_utils.stages import STAGES, notebook_source
from fer_utils.steps.faces import ingested_digest
from fer_utils.steps.photographs import photographs_digest
from fer_utils.study import Paths, load_study

overrides = config.get("overrides", {})
study = load_study(config.get("profile", "quick"), **overrides)
paths = Paths.of(study)
options = f"--profile {study.profile} --overrides '{json.dumps(overrides)}'"
fer = f"FER_IN_WORKFLOW=1 {sys.executable} -m fer_utils.cli"

PAGES = [p for p in Path("book").iterdir() if p.name != "stages"] + [Path(p) for p in ("_config.yml", "_toc.yml", "data_manifests")]


def step_params(step, *sections):
    return {"code": code_digest(f"fer_utils.steps.{step}"), "settings": study.settings("scope", *sections)}


wildcard_constraints:
    architecture="|".join(study.architectures),
    stage="|".join(STAGES),


rule all:
    input:
        "_build/html/index.html",


rule faces:
    output:
        paths.faces,
        paths.dropped,
    params:
        made_from=step_params("faces", "faces"),
        manifest=files_digest(Path("data_manifests/synthetic.json")),
        ingested=ingested_digest(study, paths),
    threads: workflow.cores
    benchmark:
        paths.duration("faces")
    shell:
        "{fer} step faces {options}"


rule train:
    input:
        paths.faces,
    output:
        [paths.trained(table, "{architecture}") for table in ("runs", "predictions", "curves")],
    params:
        made_from=step_params("train", "training"),
    priority: 50
    benchmark:
        paths.duration("train-{architecture}")
    shell:
        "{fer} step train {wildcards.architecture} {options}"


rule compress:
    input:
        paths.faces,
        paths.trained("runs", "{architecture}"),
    output:
        [paths.compressed(table, "{architecture}") for table in ("runs", "predictions", "curves")],
    params:
        made_from=step_params("compress", "training", "compression"),
    benchmark:
        paths.duration("compress-{architecture}")
    shell:
        "{fer} step compress {wildcards.architecture} {options}"


rule photographs:
    output:
        paths.reality_faces,
        paths.reality_dropped,
    params:
        made_from=step_params("photographs", "faces"),
        manifest=files_digest(Path("data_manifests/london.json")),
        photographs=photographs_digest(),
    threads: workflow.cores
    benchmark:
        paths.duration("photographs")
    shell:
        "{fer} step photographs {options}"


rule reality:
    input:
        paths.reality_faces,
        paths.trained("runs", "{architecture}"),
        paths.compressed("runs", "{architecture}"),
    output:
        paths.reality_predictions("{architecture}"),
    params:
        made_from=step_params("reality", "training"),
    benchmark:
        paths.duration("reality-{architecture}")
    shell:
        "{fer} step reality {wildcards.architecture} {options}"


rule measure:  # alone on the machine: other work would be timed too
    input:
        [paths.compressed("runs", architecture) for architecture in study.architectures],
    output:
        paths.measurements,
    params:
        made_from=step_params("measure", "profiling"),
    threads: workflow.cores
    benchmark:
        paths.duration("measure")
    shell:
        "{fer} step measure {options}"


rule stage:
    input:
        lambda wildcards: STAGES[wildcards.stage].inputs(paths),
    output:
        paths.notebook("{stage}"),
    params:
        notebook=lambda wildcards: notebook_file_digest(notebook_source(wildcards.stage)),
        settings=study.settings("scope", "faces", "training", "compression", "profiling", "analysis"),
    benchmark:
        paths.duration("stage-{stage}")
    shell:
        "{fer} stage {wildcards.stage} {options}"


rule book:
    input:
        [paths.notebook(stage) for stage in STAGES],
    output:
        "_build/html/index.html",
    params:
        pages=files_digest(*PAGES),
        code=code_digest("fer_utils.steps.book", "fer_utils.reporting.figure_lines"),
        study=study.name,
    threads: workflow.cores
    benchmark:
        paths.duration("book")
    shell:
        "{fer} step book {options}"
