from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_local.door import Door, DoorError
from ground_truth_local.orders import Orders
from ground_truth_local.testing import assert_same_mask, normalized
from ground_truth_local.workers import paint

PICTURE = Image.fromarray(np.random.default_rng(1).integers(0, 255, (160, 240, 3), dtype=np.uint8))


@pytest.mark.parametrize("accuracy", [1.0, 0.9, 0.5])
def test_workers_err_in_as_many_pixels_as_they_are_told(accuracy: float) -> None:
    right = paint(PICTURE, ["road", "sky", "car"], seed=3, worker="ada")
    mask = paint(PICTURE, ["road", "sky", "car"], seed=3, worker="ada", accuracy=accuracy)
    assert abs((mask == right).mean() - accuracy) < 0.05
    assert mask.max() <= 3 and mask.dtype == right.dtype


@pytest.mark.parametrize("wrong", [{"accuracy": 1.5}, {"throttle_every": -1}, {"unknown": 1}])
def test_orders_that_make_no_sense_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"accuracy is a share|0 or more|no orders"):
        Orders.from_body(wrong)


def test_orders_survive_the_door() -> None:
    orders = Orders(work=False, seed=4, accuracy=0.5, declines=("*.jpg",), black_holes=("iam",))
    assert Orders.from_body(orders.to_body()) == orders


def test_nobody_but_the_administrator_gives_orders(embedded_aws) -> None:
    credentials = embedded_aws.session("analyst").get_credentials()
    door = Door(embedded_aws.endpoint_url, (credentials.access_key, credentials.secret_key), "us-east-1")
    with pytest.raises(DoorError, match="AccessDenied"):
        door.ask("EmbeddedOrder", {"work": False})


def test_masks_that_differ_are_told_and_drawn(tmp_path: Path) -> None:
    one = np.zeros((10, 10), dtype=np.uint8)
    other = one.copy()
    other[:5, :2] = 1
    assert_same_mask(one, other, tolerance=0.1)
    drawn = tmp_path / "difference.png"
    with pytest.raises(AssertionError, match=r"10\.00% of the pixels differ") as told:
        assert_same_mask(one, other, labels=["road"], picture=drawn)
    assert "background: intersection over union 0.900" in str(told.value)
    assert "road: intersection over union 0.000" in str(told.value)
    with Image.open(drawn) as image:
        pixels = np.asarray(image)
    assert pixels.shape == (10, 30, 3) and (pixels[:, 20:, 0] == 255).sum() == 10
    with pytest.raises(AssertionError, match="other sizes"):
        assert_same_mask(one, other[1:])


def test_a_snapshot_holds_no_hashes_of_assets() -> None:
    key = "a" * 64
    template = {
        "Resources": {
            "B": {"Type": "T", "Properties": {"Code": {"S3Key": f"{key}.zip"}, "At": "2026-11-26T12:00:00Z"}},
            "A": {"Type": "T"},
            "CDKMetadata": {"Type": "AWS::CDK::Metadata"},
        },
        "Parameters": {"BootstrapVersion": {"Type": "String"}},
        "Rules": {"CheckBootstrapVersion": {}},
    }
    found = normalized(template)
    assert found == {
        "Resources": {
            "A": {"Type": "T"},
            "B": {"Type": "T", "Properties": {"Code": {"S3Key": "<hash>.zip"}, "At": "<time>"}},
        }
    }
    assert list(found["Resources"]) == ["A", "B"]
