"""How far a campaign is, as CloudWatch takes it out of the function's log: that needs no permission.

CloudWatch's "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
import time

from labeling_job.campaign import DIMENSION, METRIC_COST, METRIC_LABELED, METRIC_RUNNING, NAMESPACE


def put(campaign: str, *, labeled: int, running: int, cost: float | None) -> None:
    """Print the figures; a campaign without prices has no cost."""
    values: dict[str, float] = {METRIC_LABELED: labeled, METRIC_RUNNING: running}
    if cost is not None:
        values[METRIC_COST] = cost
    about = {
        "Timestamp": int(time.time() * 1000),
        "CloudWatchMetrics": [
            {
                "Namespace": NAMESPACE,
                "Dimensions": [[DIMENSION]],
                "Metrics": [{"Name": name, "Unit": "None"} for name in values],
            }
        ],
    }
    print(json.dumps({"_aws": about, DIMENSION: campaign, **values}), flush=True)
