"""How fast masks become class ids, next to what they are measured against, in one run.

    python benchmarks/labels_bench.py [--items 20000]

Every ratio is a ratio of medians of two measurements that alternate, in processor time of one thread, so
that a busy machine changes both alike.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from ground_truth_labels.colormap import ColorTable
from ground_truth_labels.decode import decode_mask

HEIGHT, WIDTH = 1080, 1920
CLASS_COUNTS = (2, 20, 150)
#: Mode → how many times as long as bare Pillow the decoding may take, for each number of classes.
GOAL_BARE = {"RGBA": 1.15, "P": 1.5, "P*": 1.5}
GOAL_LOOP = 100.0
FILES = 6


def street_like(classes: int, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Regions with curved borders and a few specks, as people draw them: positions 0..classes-1."""
    count = max(3 * classes, 24)
    points, owner = rng.random((count, 2)) * size, rng.integers(0, classes, count)
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    wave = 12 * np.sin(columns / 37) + 9 * np.cos(rows / 23)
    nearest = np.full(size, np.inf, np.float32)
    mask = np.zeros(size, np.int64)
    for (y, x), name in zip(points, owner, strict=True):
        distance = np.hypot(rows + wave - y, columns - wave - x)
        closer = distance < nearest
        nearest[closer], mask[closer] = distance[closer], name
    return mask


def encode(mask: np.ndarray, rgb: np.ndarray, mode: str) -> bytes:
    if mode == "P":
        image = Image.fromarray(mask.astype(np.uint8))
        image.putpalette(rgb.tobytes())
    else:
        image = Image.fromarray(rgb[mask])
        if mode == "RGBA":
            image.putalpha(Image.fromarray(np.where(mask == 0, 0, 255).astype(np.uint8)))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def permuted(mask: np.ndarray, rgb: np.ndarray, rng: np.random.Generator) -> bytes:
    """A palette PNG whose indices are in another order than the ids: mode "P*"."""
    order = rng.permutation(len(rgb))
    return encode(np.argsort(order)[mask], rgb[order], "P")


def bare(data: bytes) -> None:
    Image.open(io.BytesIO(data)).load()


def loop(data: bytes, rgb: np.ndarray) -> np.ndarray:
    """What public converters do: compare the whole image with each class's colour."""
    array = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    out = np.zeros(array.shape[:2], np.uint8)
    # As a tuple of ints, the way ImageColor gives it and converters compare it.
    for position, color in enumerate(map(tuple, rgb.tolist())):
        out[np.all(array == color, axis=-1)] = position
    return out


def alternating(rounds: int, *functions: Callable[[], object]) -> list[float]:
    """Median seconds of processor time of each function, called in turn."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for taken, function in zip(times, functions, strict=True):
            begin = time.thread_time()
            function()
            taken.append(time.thread_time() - begin)
    return [statistics.median(t) for t in times]


def bench_decode() -> list[str]:
    """What missed its goal."""
    print(f"decode, {HEIGHT * WIDTH / 1e6:.1f} MP masks, one thread")
    print(f"{'':6}{'classes':>8}{'masks/s':>9}{'÷ bare Pillow':>15}{'loop ÷ this':>13}{'loop ÷ bare':>13}")
    missed = []
    for mode in ("RGBA", "RGB", "P", "P*"):
        for classes in CLASS_COUNTS:
            rng = np.random.default_rng(classes)
            packed = rng.choice(2**24, classes, replace=False)
            rgb = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1).astype(np.uint8)
            mask = street_like(classes, rng, (HEIGHT, WIDTH))
            data = permuted(mask, rgb, rng) if mode == "P*" else encode(mask, rgb, mode)
            table = ColorTable(tuple((int(c), i) for i, c in enumerate(packed)), 0)
            assert np.array_equal(decode_mask(data, table), mask)
            plain, ours = alternating(25, partial(bare, data), partial(decode_mask, data, table))
            slow = alternating(1 if classes > 20 else 3, partial(loop, data, rgb))[0]
            print(
                f"{mode:6}{classes:>8}{1 / ours:>9.1f}{ours / plain:>15.2f}{slow / ours:>13.0f}"
                f"{slow / plain:>13.0f}"
            )
            if mode in GOAL_BARE:
                missed += [f"{mode} of {classes} classes"] * (ours / plain > GOAL_BARE[mode])
            if mode == "P" and classes == 20:
                # The loop is measured where Ground Truth leaves its masks: in palette PNGs.
                missed += ["loop"] * (slow / ours < GOAL_LOOP)
    return missed


def write_job(folder: Path, items: int, size: tuple[int, int], *, images: bool = False) -> Path:
    """A manifest of `items` lines over a few mask files, and one photograph if there are to be images."""
    if images:
        picture = np.random.default_rng(0).integers(0, 256, (*(n // 40 for n in size), 3), dtype=np.uint8)
        Image.fromarray(picture).resize(size[::-1]).save(folder / "photo.jpg")
    names = [f"class {i}" for i in range(20)]
    rgb = np.random.default_rng(1).integers(0, 255, (21, 3), dtype=np.uint8)
    colors = {
        str(i): {"class-name": n, "hex-color": "#" + rgb[i].tobytes().hex(), "confidence": 0.9}
        for i, n in enumerate(["BACKGROUND", *names])
    }
    for k in range(FILES):
        mask = street_like(21, np.random.default_rng(k), size)
        (folder / f"{k}.png").write_bytes(encode(mask, rgb, "RGBA"))
    metadata = {
        "internal-color-map": colors,
        "type": "groundtruth/semantic-segmentation",
        "human-annotated": "yes",
        "job-name": "labeling-job/bench",
    }
    path = folder / "output.manifest"
    with path.open("w") as stream:
        for i in range(items):
            line = {
                "source-ref": "photo.jpg" if images else f"s3://bench/{i}.jpg",
                "m-ref": f"{i % FILES}.png",
                "m-ref-metadata": metadata,
            }
            stream.write(json.dumps(line) + "\n")
    return path


def peak_megabytes() -> float:
    """Of this process alone: `ru_maxrss` starts from what the parent held when it forked."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(v for v in status.read_text().splitlines() if v.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(manifest: str, target: str) -> None:
    from ground_truth_labels import export, read_manifest

    begin, cpu = time.perf_counter(), time.process_time()
    export(read_manifest(manifest), target, format="coco", images=False)
    wall = time.perf_counter() - begin
    print(json.dumps({"peak": peak_megabytes(), "wall": wall, "cpu": time.process_time() - cpu}))


def run_child(items: int, size: tuple[int, int]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_job(Path(folder), items, size)
        command = [sys.executable, __file__, "--child", str(manifest), f"{folder}/out"]
        result: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return result


def bench_export(items: int) -> None:
    few, many = (run_child(n, (96, 128)) for n in (items // 10, items))
    print(
        f"\nCOCO export, 96 x 128 masks: peak memory {few['peak']:.0f} MB for {items // 10:,} items, ", end=""
    )
    print(f"{many['peak']:.0f} MB for {items:,} ({many['peak'] / few['peak']:.2f}x); ", end="")
    print(f"{items / many['wall']:,.0f} items/s")
    large = run_child(120, (HEIGHT, WIDTH))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"COCO export, 2.1 MP masks: {120 / large['wall']:.1f} masks/s, ", end="")
    print(f"{large['cpu'] / large['wall']:.2f} of {cores} cores used")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return 0
    missed = bench_decode()
    bench_export(options.items)
    bare_goals = ", ".join(f"{goal}x (mode {mode})" for mode, goal in GOAL_BARE.items())
    goals = f"<= {bare_goals} of bare, >= {GOAL_LOOP:.0f}x the loop at 20 classes (P)"
    print(f"\ngoals ({goals}): {'MISSED: ' + ', '.join(missed) if missed else 'reached'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
