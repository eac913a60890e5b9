"""Are the ranks of truths among posterior draws uniform, for every participant model that ships?

Truths are drawn from the prior, responses from the truths, and fits made to the responses by the sampler that
`pcmodel fit` uses (Talts et al. 2018, arXiv:1804.06788). Each participant-level model is checked on one person
with two short sessions; the default hierarchical one on ten people and two sessions each, with a drug's effect
that varies over people. Uniform: no Kolmogorov-Smirnov p below 0.01 over the number of ranks tested, per model; the
95 % band of the distribution function of ranks, and how far it was left, are told too. Unfair would be to drop
replications whose chains did badly: all are counted, and how many diverged is told.

    python benchmarks/simulation_based_calibration.py [--only TASK/MODEL ...] [--store FOLDER] [--add] [--smoke]

Replications lie in the store, so that an interrupted run goes on; `--add` keeps the file's other models.
"""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from asking import parser_of, question_of
from timing import write

from pcmodel.behaviour.models.catalogue import MODELS
from pcmodel.behaviour.studies.calibrate import CheckPlan, run_check
from pcmodel.behaviour.studies.sbc import Calibration, Replication
from pcmodel.cli.pages.calibrate_page import analyse, band, departure
from pcmodel.errors import UserError
from pcmodel.record import RunIdentity
from pcmodel.record.environment import environment
from pcmodel.record.replications import StoredReplications
from pcmodel.runtime.progress import Progress

NAME = "simulation_based_calibration"
ONE_PERSON = CheckPlan(
    "", "", participants=1, trials=60, num_warmup=300, num_samples=800
)
HIERARCHICAL = CheckPlan(
    "binary",
    "hgf2",
    ("omega2 ~ drug + (drug | participant)",),
    participants=10,
    trials=60,
    num_warmup=300,
    num_samples=800,
)
# All would take minutes to compile.
SMOKED = ("binary/rescorla_wagner", "hierarchical binary/hgf2")
SMOKE = {"replications": 3, "trials": 10, "num_warmup": 20, "num_samples": 99}


def plans() -> dict[str, CheckPlan]:
    """What is checked, by name."""
    found = {
        f"{task}/{model}": replace(ONE_PERSON, task=task, model=model)
        for task, models in MODELS.items()
        for model in models
    }
    return found | {"hierarchical binary/hgf2": HIERARCHICAL}


def measure(name: str, plan: CheckPlan, store: Path | None) -> dict[str, Any]:
    """One model's calibration, every rank of it."""
    identity = RunIdentity(NAME, plan, 0)
    stored: Any = {}
    if store:
        stored = StoredReplications(store / identity.config_hash, Replication)
    began = time.perf_counter()
    progress = Progress(lines=True)
    found = run_check(plan, seed=0, progress=progress, stored=stored)
    return {
        "model": name,
        "plan": asdict(plan),
        "seconds": time.perf_counter() - began,
        "effects": effects(found),
        "band_95": band(len(found.rank)),
        "uniform": analyse(plan, found).verdicts[0].outcome == "holds",
        "divergent_replications": int(np.count_nonzero(found.num_divergent)),
        "median_ess": float(np.nanmedian(found.ess)),
        "least_ess": float(np.nanmin(found.ess)),
        "git_revision": environment()["git_revision"],
    }


def effects(found: Calibration) -> dict[str, Any]:
    """By name: p, how far the ranks stray from uniform, coverage of 90 % intervals, the ranks."""
    columns = zip(found.uniformity, found.coverage, found.rank.T, strict=True)
    return {
        name: {
            "p": p,
            "strays": float(np.abs(departure(ranks)).max()),
            "covered_90": share,
            "ranks": ranks.tolist(),
        }
        for name, (p, share, ranks) in zip(found.names, columns, strict=True)
    }


def main() -> None:
    """Check each model, write the JSON after each."""
    parser = parser_of(__doc__)
    parser.add_argument("--only", nargs="+", metavar="TASK/MODEL", help="default all")
    parser.add_argument("--store", type=Path, help="folder that keeps replications")
    parser.add_argument(
        "--add", action="store_true", help="keep the file's other cases"
    )
    options = parser.parse_args()
    path = options.output / f"{NAME}.json"
    cases = json.loads(path.read_text("utf-8"))["cases"] if options.add else []
    known = plans()
    for name in options.only or (SMOKED if options.smoke else known):
        if name not in known:
            raise SystemExit(
                f"no model is called {name!r}; expected one of {', '.join(known)}"
            )
        plan = replace(known[name], **SMOKE) if options.smoke else known[name]
        try:
            case = measure(name, plan, options.store)
        except UserError as error:
            case = {"model": name, "plan": asdict(plan), "impossible": str(error)}
        cases = [other for other in cases if other["model"] != name] + [case]
        print({key: case[key] for key in case if key not in ("plan", "effects")})
        for effect, told in case.get("effects", {}).items():
            print(f"  {effect}: p {told['p']:.3f}, covered {told['covered_90']:.1%}")
        content = {"question": question_of(__doc__), "cases": cases}
        print(write(NAME, content, options.output), flush=True)


if __name__ == "__main__":
    main()
