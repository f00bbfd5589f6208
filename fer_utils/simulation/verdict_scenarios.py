"""The scoreboard as a control experiment: verdicts on claims of superiority where nothing is true of any.

The claims are the project's own (`claims.yml`), the engine is the scoreboard's; only the tables are made up. They
are as complete as the licensed ones would be, or the verdict would be "partly testable" whatever they hold.
"""

from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from face_sets.expressions import PROBABILITY_COLUMNS
from fer_utils.analysis.claims import Claim, load_claims
from fer_utils.analysis.evidence import LICENSED_SETS, UNPUBLISHED_SETS, Tables
from fer_utils.analysis.verdicts import REPRODUCED, TRAINING_SETS_CLAIM, scoreboard
from fer_utils.simulation.experiments import Draw, Kind, Scenario
from fer_utils.simulation.worlds import as_cafe
from fer_utils.study import ARCHITECTURES

_NETWORKS: Final = {
    "score_difference": tuple(("mobilenet_v3_large", cohort) for cohort in ("children", "adults", "all")),
    "group_difference": (("mobilenet_v3_large", "all"),),
    "lead_over_others": tuple((architecture, "all") for architecture in ARCHITECTURES),
}
"""The networks that each kind of claim of superiority speaks of: architecture and what it was trained on."""

_TRUTH: Final = {
    "score_difference": "three copies of a network equally good",
    "group_difference": "no group read worse",
    "lead_over_others": "five networks equally good",
}


def verdict_scenarios(size: str) -> tuple[Scenario, ...]:
    """Return a scenario for each kind of claim of superiority, in which none of that kind is true."""
    return tuple(
        Scenario(
            f"verdict-{kind}", truth, size, as_cafe(leads=(0.0,) * len(_NETWORKS[kind])),
            tuple((f"claim {claim.id} called reproduced", Kind.ALARM_OF_ONE_SIDE) for claim in _claims(kind)),
            partial(_verdicts, kind), in_full_only=True,
        )
        for kind, truth in _TRUTH.items()
    )  # fmt: skip


def _claims(kind: str) -> list[Claim]:
    claims = [claim for claim in load_claims() if claim.rule and claim.rule.kind == "above zero"]
    return [claim for claim in claims if claim.quantity and claim.quantity.kind == kind]


def _verdicts(kind: str, drawn: Draw) -> tuple[bool, ...]:
    count = [claim for claim in load_claims() if claim.id == TRAINING_SETS_CLAIM]  # how many sets are enough
    board = scoreboard([*_claims(kind), *count], _tables(drawn, _NETWORKS[kind]))
    return tuple(board["verdict"].iloc[: len(_claims(kind))] == REPRODUCED)


def _tables(drawn: Draw, networks: tuple[tuple[str, str], ...]) -> Tables:
    joined = drawn.joined.assign(dataset="cafe")
    seen = joined[joined["run_id"] == "network 1"].drop(columns=["run_id", "predicted"])
    learned = [
        {"face_id": name, "dataset": name, "split": "train"}
        for name in sorted(LICENSED_SETS - UNPUBLISHED_SETS)
    ]
    answers = np.eye(len(PROBABILITY_COLUMNS), dtype=np.float32)[joined["predicted"].cat.codes]
    predictions = pd.DataFrame(answers, columns=list(PROBABILITY_COLUMNS))
    return Tables(
        faces=pd.concat([seen, pd.DataFrame(learned)], ignore_index=True),
        predictions=predictions.assign(
            run_id=joined["run_id"].to_numpy(), face_id=joined["face_id"].to_numpy()
        ),
        runs=_runs(networks),
        measurements=pd.DataFrame(),
        draws=drawn.draws,
        seed=drawn.seed,
    )


def _runs(networks: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    runs = pd.DataFrame(networks, columns=["architecture", "cohort"])
    return runs.assign(
        run_id=[f"network {place + 1}" for place in range(len(runs))],
        parent_run_id=None,
        technique="none",
        precision="float32",
        seed=0,
        initial_weights="imagenet",
        status="done",
    )
