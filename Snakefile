"""The study as a graph: the expensive steps by network, the six stage notebooks, the book.

Rules hold no logic: each calls `fer step` or `fer stage`, which do the work. What a rule's result depends on
besides its input tables stands in its `params`: the part of the study that decides it, and a digest of the
code that it can reach (face_sets.code_digest). Snakemake runs a rule again when either changes.
"""

import json
import sys

from pathlib import Path
from urllib.parse import unquote

from face_sets.code_digest import code_digest, files_digest, notebook_file_digest
from fer_utils.reporting.litert_js import litert_js_files
from fer_utils.stages import STAGES, notebook_source
from fer_utils.steps.compress import COMPRESSED
from fer_utils.steps.faces import ingested_digest
from fer_utils.steps.external_faces import photographs_digest
from fer_utils.paths import Paths
from fer_utils.study import load_study

overrides = json.loads(unquote(config.get("overrides", "{}")))
study = load_study(config.get("profile", "quick"), **overrides)
paths = Paths.of(study)
options = f"--profile {study.profile} --overrides '{json.dumps(overrides)}'"
fer = f"FER_IN_WORKFLOW=1 {sys.executable} -m fer_utils.cli"
# TensorFlow talks much on standard error: it goes to a log, and shows only when a job fails
telling = "{options} 2> {log} || {{ grep -v '^[IW]0000' {log} | tail -n 8 >&2; exit 1; }}"

PAGES = [p for p in Path("book").iterdir() if p.name != "stages"] + [Path(p) for p in ("_config.yml", "_toc.yml", "data_manifests", "package-lock.json", "fer_utils/reporting/templates")]


# The longest chain of jobs begins first, or one core waits for it at the end (seconds of the quick profile, measured)
COSTLY_FIRST = {
    "nasnet_mobile": 900, "efficientnet_b0": 550, "mobilenet_v3_large": 310, "mobilenet_v2": 270, "mobilenet_v3_small": 180,
}
# MB that a job takes at its peak (proportional set size, quick profile, measured); the workflow's profile limits the sum
TRAINING_MB = {
    "nasnet_mobile": 1750, "efficientnet_b0": 1300, "mobilenet_v3_large": 1100, "mobilenet_v2": 1000, "mobilenet_v3_small": 900,
}
COMPRESSING_MB = {
    "nasnet_mobile": 4250, "efficientnet_b0": 2450, "mobilenet_v3_large": 2200, "mobilenet_v2": 1650, "mobilenet_v3_small": 1750,
}


def step_params(step, *sections):
    return {"code": code_digest(f"fer_utils.steps.{step}"), "settings": study.settings("scope", *sections)}


wildcard_constraints:
    architecture="|".join(study.architectures),
    stage="|".join(STAGES),


rule all:
    input:
        [paths.notebook(stage) for stage in STAGES],
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
    log:
        paths.log("faces"),
    benchmark:
        paths.duration("faces")
    shell:
        "{fer} step faces " + telling


for architecture in study.architectures:

    rule:
        name:
            f"train_{architecture}"
        input:
            paths.faces,
        output:
            [paths.trained(table, architecture) for table in ("runs", "predictions", "curves", "features")],
        params:
            made_from=step_params("train", "training"),
            architecture=architecture,
        priority: COSTLY_FIRST[architecture]
        resources:
            mem_mb=TRAINING_MB[architecture],
        log:
            paths.log(f"train-{architecture}"),
        benchmark:
            paths.duration(f"train-{architecture}")
        shell:
            "{fer} step train {params.architecture} " + telling

    rule:
        name:
            f"compress_{architecture}"
        input:
            paths.faces,
            paths.trained("runs", architecture),
        output:
            [paths.compressed(table, architecture) for table in COMPRESSED],
        params:
            made_from=step_params("compress", "training", "compression"),
            architecture=architecture,
        priority: COSTLY_FIRST[architecture]
        resources:
            mem_mb=COMPRESSING_MB[architecture],
        log:
            paths.log(f"compress-{architecture}"),
        benchmark:
            paths.duration(f"compress-{architecture}")
        shell:
            "{fer} step compress {params.architecture} " + telling


    if study.sweeps:

        rule:
            name:
                f"sweep_{architecture}"
            input:
                paths.faces,
                paths.trained("runs", architecture),
            output:
                [paths.swept(table, architecture) for table in ("runs", "predictions", "curves")],
            params:
                made_from=step_params("sweep", "training", "compression", "sweep"),
                architecture=architecture,
            resources:
                mem_mb=COMPRESSING_MB[architecture],
            log:
                paths.log(f"sweep-{architecture}"),
            benchmark:
                paths.duration(f"sweep-{architecture}")
            shell:
                "{fer} step sweep {params.architecture} " + telling


rule photographs:
    output:
        paths.external_faces,
        paths.external_dropped,
    params:
        made_from=step_params("photographs", "faces"),
        manifest=files_digest(Path("data_manifests/london.json")),
        photographs=photographs_digest(),
    threads: workflow.cores
    log:
        paths.log("photographs"),
    benchmark:
        paths.duration("photographs")
    shell:
        "{fer} step photographs " + telling


rule external:
    input:
        paths.external_faces,
        paths.trained("runs", "{architecture}"),
        paths.compressed("runs", "{architecture}"),
    output:
        paths.external_predictions("{architecture}"),
    params:
        made_from=step_params("external", "training"),
    log:
        paths.log("external-{architecture}"),
    benchmark:
        paths.duration("external-{architecture}")
    shell:
        "{fer} step external {wildcards.architecture} " + telling


rule recalibrate:
    input:
        paths.faces,
        paths.all_trained("predictions"),
        paths.all_trained("features"),
    output:
        paths.few_shot,
    params:
        made_from=step_params("few_shot", "training"),
    log:
        paths.log("few_shot"),
    benchmark:
        paths.duration("few_shot")
    shell:
        "{fer} step recalibrate " + telling


rule measure:  # alone on the machine: other work would be timed too
    input:
        [paths.compressed("runs", architecture) for architecture in study.architectures],
    output:
        paths.measurements,
        paths.operators,
    params:
        made_from=step_params("measure", "profiling"),
    threads: workflow.cores
    log:
        paths.log("measure"),
    benchmark:
        paths.duration("measure")
    shell:
        "{fer} step measure " + telling


rule stage:
    input:
        lambda wildcards: STAGES[wildcards.stage].inputs(paths),
    output:
        paths.notebook("{stage}"),
    params:
        notebook=lambda wildcards: notebook_file_digest(notebook_source(wildcards.stage)),
        settings=study.settings("scope", "faces", "training", "compression", "sweep", "profiling", "analysis"),
    log:
        paths.log("stage-{stage}"),
    benchmark:
        paths.duration("stage-{stage}")
    shell:
        "{fer} stage {wildcards.stage} " + telling


rule book:
    input:
        [paths.notebook(stage) for stage in STAGES],
    output:
        "_build/html/index.html",
    params:
        pages=files_digest(*PAGES),
        litert_js=sorted(litert_js_files()),  # a page shows models only where it is installed
        code=code_digest("fer_utils.steps.book"),
        study=study.name,
        calibration=files_digest(*filter(Path.is_file, [paths.validation])),
    threads: workflow.cores
    log:
        paths.log("book"),
    benchmark:
        paths.duration("book")
    shell:
        "{fer} step book " + telling
