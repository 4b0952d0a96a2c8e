from __future__ import annotations

import pytest

from labeling_campaign import gatherer
from tests.deep import deep
from tests.faults.campaigns.__main__ import run_row
from tests.faults.campaigns.matrix import SCENARIOS, cells, run
from tests.faults.faults import Kind

#: `make test` runs each thirtieth cell; `make deep` and `python -m tests.faults.campaigns` run all.
SHARE = deep(30, 1)


@pytest.mark.parametrize("index", range(len(SCENARIOS)), ids=[scenario.name for scenario in SCENARIOS])
def test_no_fault_loses_a_label_buys_one_twice_or_makes_a_run_wait_for_ever(index) -> None:
    row = run_row(index, first=index, share=SHARE)
    assert not row.bad, f"{len(row.bad)} of {row.cells}\n" + "\n".join(row.bad[:5])
    assert row.cells >= 150 // SHARE


def test_the_matrix_notices_a_gatherer_that_leaves_jobs_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def described(campaign, plan):
        jobs = {job.name: campaign.jobs.describe(job.name) for job in plan.jobs}
        return {name: job for name, job in jobs.items() if job is not None}

    stops = [
        cell
        for cell in cells(SCENARIOS[0])
        if cell.kind is Kind.CANCELLED and cell.point.action == "sfn:DescribeExecution"
    ]
    assert stops and not any(run(cell).problems for cell in stops)
    monkeypatch.setattr(gatherer, "end_jobs", described)
    assert any("bought twice" in problem for cell in stops for problem in run(cell).problems)
