"""The workflow: one rule for each job that `fer_utils.graph` declares, and no logic of its own.

A job runs again when its inputs are newer than its outputs, or when something that it depends on besides has changed:
`params.watched` holds the part of the study that decides it and digests of the code, data and versions that it reaches.
"""

import json
import shlex
import sys

from urllib.parse import unquote

from face_sets.processes import end_with_run
from fer_utils.graph import BOOK, jobs, longest_chains
from fer_utils.paths import Paths, settle_folders
from fer_utils.study import load_study

end_with_run()
overrides = json.loads(unquote(config.get("overrides", "{}")))
study = load_study(config.get("profile", "quick"), **overrides)
settle_folders()
paths = Paths.of(study)
options = shlex.join(["--profile", study.profile, "--overrides", json.dumps(overrides)])
declared = list(jobs(study, paths))
chains = longest_chains(declared)
seconds = {job.name: job.seconds for job in declared}
beside = int(config.get("job_step_mb", 0))
fer = f"FER_IN_WORKFLOW=1 {shlex.quote(sys.executable)} -m fer_utils.cli"


rule all:
    input:
        os.path.relpath(BOOK),


onstart:
    asked = {job.rule.name: job for job in workflow.dag.needrun_jobs() if job.rule.name in seconds}
    due = {
        name: (seconds[name], asked[name].threads, [each.rule.name for each in workflow.dag.dependencies[asked[name]]])
        for name in sorted(asked, key=chains.get, reverse=True)
    }
    print("due", json.dumps(due), flush=True)


for job in declared:

    rule:
        name:
            job.name
        input:
            job.inputs,
        output:
            job.outputs,
        params:
            watched=job.watched,
            step=" ".join((job.step.name, *job.cell)),
        threads: workflow.cores if job.step.all_cores else job.threads
        priority: chains[job.name]
        resources:
            mem_mb=lambda _, attempt, asked=job.memory_mb: asked * attempt + beside,
        log:
            paths.log(job.name),
        # TensorFlow writes much to standard error: it goes to a log, and shows only when a job fails
        shell:
            "echo begins {rule}; "
            "if {fer} step {params.step} {options} 2> {log:q}; then echo ends {rule}; else code=$?; echo fails {rule}; "
            "if [ $code -gt 128 ]; then echo \"ended by signal $((code - 128)), often for want of memory\" >&2; fi; "
            "grep -v '^[IW]0000' {log:q} | tail -n 8 >&2; exit 1; fi"
