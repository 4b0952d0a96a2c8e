"""Finished labels next to what else turns masks into training data, in one run.

    python -m benchmarks labels_tools [--masks 500]

Masks of 2.1 megapixels and 20 classes, as people draw them. Each way runs in a process of its own, so that
its memory is its own; Datumaro runs in `make interop`'s environment, on a tenth of the masks.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.labels_bench import HEIGHT, WIDTH, alternating, peak_megabytes, street_like, write_job

ROOT = Path(__file__).parents[1]
DATUMARO = ROOT / ".venv-interop/bin/python"
GOAL_MEGABYTES, GOAL_REPORT = 150, 2.0


def ours(manifest: str, target: str) -> None:
    from ground_truth_labels import export, read_manifest

    export(read_manifest(manifest), f"{target}/ours", format="coco", images=False)


def lut_and_pycocotools(manifest: str, target: str) -> None:
    """What a careful script does: a table over packed colours, then pycocotools for each class."""
    from PIL import Image
    from pycocotools import mask as coco

    annotations, root = [], Path(manifest).parent
    for number, line in enumerate(Path(manifest).read_text().splitlines()):
        value = json.loads(line)
        table = np.zeros(1 << 24, np.uint8)
        for key, entry in value["m-ref-metadata"]["internal-color-map"].items():
            table[int(entry["hex-color"][1:], 16)] = int(key)
        rgb = np.asarray(Image.open(root / value["m-ref"]).convert("RGB")).astype(np.uint32)
        ids = table[rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]]
        for class_id in np.unique(ids).tolist():
            if class_id:
                run = coco.encode(np.asfortranarray((ids == class_id).astype(np.uint8)))
                box, area = coco.toBbox(run).tolist(), int(coco.area(run))
                run["counts"] = run["counts"].decode()
                annotations.append(
                    {
                        "image_id": number,
                        "category_id": class_id,
                        "segmentation": run,
                        "bbox": box,
                        "area": area,
                    }
                )
    Path(target, "script.json").write_text(json.dumps({"annotations": annotations}))


def whole_report(manifest: str, target: str) -> None:
    from ground_truth_labels import read_manifest, report

    report(read_manifest(manifest), f"{target}/report.html")


def decode_all(manifest: str, target: str) -> None:
    from ground_truth_labels import read_manifest
    from ground_truth_labels.parallel import ordered_map

    for _ in ordered_map(lambda item: item.mask().shape, read_manifest(manifest)):
        pass


WAYS = {f.__name__: f for f in (ours, lut_and_pycocotools, whole_report, decode_all)}

#: Run by the Python that has Datumaro: a VOC tree in, COCO out.
_DATUMARO = """
import sys, time, logging
import datumaro
begin = time.perf_counter()
logging.disable(logging.WARNING)
datumaro.Dataset.import_from(sys.argv[1], "voc_segmentation").export(sys.argv[2], "coco_instances")
print(time.perf_counter() - begin)
"""


def child(way: str, manifest: str, target: str) -> None:
    begin = time.perf_counter()
    WAYS[way](manifest, target)
    print(json.dumps({"wall": time.perf_counter() - begin, "peak": peak_megabytes()}))


def run(way: str, manifest: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-m", "benchmarks.labels_tools", "--child", way, str(manifest), target]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def datumaro_seconds(manifest: Path, masks: int) -> float | None:
    """Seconds for `masks` of the job's masks, or None without Datumaro."""
    if not DATUMARO.exists():
        return None
    from ground_truth_labels import export, read_manifest

    with tempfile.TemporaryDirectory() as folder:
        few = manifest.with_name("few.manifest")
        few.write_text("".join(line + "\n" for line in manifest.read_text().splitlines()[:masks]))
        export(read_manifest(few), f"{folder}/voc", format="voc")
        command = [str(DATUMARO), "-c", _DATUMARO, f"{folder}/voc/VOCdevkit/VOC2012", f"{folder}/out"]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def bench_polygons() -> bool:
    import cv2

    from ground_truth_labels.exports.polygons import class_polygons

    mask = street_like(20, np.random.default_rng(20), (HEIGHT, WIDTH)).astype(np.uint8)

    def by_opencv() -> list[list[int]]:
        found = []
        for class_id in range(20):
            region = (mask == class_id).astype(np.uint8)
            rings, _ = cv2.findContours(region, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
            found += [ring.ravel().tolist() for ring in rings]
        return found

    opencv, here = alternating(15, by_opencv, lambda: class_polygons(mask, range(20)))
    print(f"polygons of 20 classes: {opencv / here:.2f} x OpenCV's speed (goal: >= 1)")
    return here <= opencv


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--masks", type=int, default=500)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return 0
    reached = bench_polygons()
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_job(Path(folder), options.masks, (HEIGHT, WIDTH), images=True)
        found = {way: run(way, manifest) for way in ("ours", "lut_and_pycocotools")}
        few = max(1, options.masks // 10)
        other = datumaro_seconds(manifest, few)
        # Alternating, so that a busy machine changes both alike.
        pairs = [(run("whole_report", manifest), run("decode_all", manifest)) for _ in range(3)]
    wall = found["ours"]["wall"]
    script = found["lut_and_pycocotools"]["wall"] / wall
    print(f"COCO of {options.masks} masks: {wall:.1f} s, {found['ours']['peak']:.0f} MB", end="")
    print(f" (goal: <= {GOAL_MEGABYTES}); table + pycocotools takes {script:.1f} x as long", end="")
    reached &= script > 1 and found["ours"]["peak"] <= GOAL_MEGABYTES
    if other is None:
        print("; Datumaro isn't here: make interop")
    else:
        ratio = other / few / (wall / options.masks)
        print(f", Datumaro {ratio:.0f} x (measured on {few})")
        reached &= ratio > 1
    ratio = statistics.median(report["wall"] / decode["wall"] for report, decode in pairs)
    print(f"report of {options.masks} masks: {ratio:.2f} x one decoding of all (goal: <= {GOAL_REPORT})")
    reached &= ratio <= GOAL_REPORT
    print(f"goals: {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
