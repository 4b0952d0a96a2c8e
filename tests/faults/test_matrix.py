from __future__ import annotations

import pytest

from tests.deep import deep
from tests.faults.__main__ import run_row
from tests.faults.faults import Kind
from tests.faults.matrix import cells, run
from tests.faults.scenarios import SCENARIOS

#: `make test` runs each twelfth cell; `make deep` and `python -m tests.faults` run all.
SHARE = deep(12, 1)


@pytest.mark.parametrize("index", range(len(SCENARIOS)), ids=[scenario.name for scenario in SCENARIOS])
def test_no_fault_leaves_a_job_without_an_owner(index) -> None:
    row = run_row(index, share=SHARE)
    assert not row.bad, f"{len(row.bad)} of {row.cells}\n" + "\n".join(row.bad[:5])
    assert row.cells > 50 / SHARE


@pytest.mark.parametrize(
    ("name", "part", "broken"),
    [
        ("update in the middle of the work", "keeps_labels", lambda *_: False),
        (
            "update in the middle of the work, the new job is worked on, another resource fails",
            "Owned.with_followers",
            lambda _, job: [job],
        ),
    ],
)
def test_the_matrix_notices_labels_that_are_bought_again(
    name: str, part: str, broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    [scenario] = [each for each in SCENARIOS if each.name == name]
    monkeypatch.setattr(f"labeling_job.lifecycle.{part}", broken)
    with pytest.raises(AssertionError, match="was painted 2 times"):
        next(cells(scenario))


def test_the_matrix_notices_what_the_provider_framework_would_lose() -> None:
    # Killed right after CreateLabelingJob: the framework answers, and swallows the Delete that follows.
    lost = [
        cell
        for cell in cells(SCENARIOS[0])
        if cell.kind is Kind.KILLED_AFTER and cell.point.action == "sagemaker:CreateLabelingJob"
    ]
    assert lost and all(run(cell, provider_framework=True).problems for cell in lost)
    assert not any(run(cell).problems for cell in lost)
