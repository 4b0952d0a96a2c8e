"""Whatever map and palette: a repaired mask reads as it read before, by colour and by index."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np

from ground_truth_labels import LabelList
from ground_truth_labels import repairs as module
from ground_truth_labels._indices import plan_indices
from ground_truth_labels._palette import palette_entries
from ground_truth_labels._readback import compare
from ground_truth_labels.colormap import color_table, parse_internal_color_map
from ground_truth_labels.decode import Alpha, decode_mask, open_png
from tests.labels.independent import classes_by_color, classes_by_index
from tests.labels.test_repairs import color_map, png

CASES = 5300


def _case(rng):
    """A map and a mask: with and without BACKGROUND, any key order, duplicate colours, permuted palettes."""
    count = rng.randint(1, 12)
    pool = rng.sample(range(2**24), count + 6)
    names = [f"c{i}" for i in range(count)]
    if rng.random() < 0.5:
        names[rng.randrange(count)] = "BACKGROUND"
    colors = [f"#{c:06x}" for c in pool[:count]]
    keys = rng.sample(range(rng.choice([count, 40, 256])), count)
    if rng.random() < 0.3:
        # A class of two colours, or one colour under two keys.
        again = rng.randrange(count)
        names.append(names[again])
        colors.append(rng.choice([colors[again], f"#{pool[count]:06x}"]))
        keys.append(rng.choice([k for k in range(256) if k not in keys]))
    order = rng.sample(range(len(names)), len(names))
    table = color_map(*([part[i] for i in order] for part in (names, colors, keys)))
    entries = [(c, 255) for c in colors]
    if rng.random() < 0.6:
        entries += [(f"#{pool[count + 1]:06x}", 0), (rng.choice(colors), 0)]
    if rng.random() < 0.4:
        entries.append((rng.choice(colors), rng.randrange(1, 255)))
    if rng.random() < 0.3:
        entries += [rng.choice(entries) for _ in range(3)]
    if rng.random() < 0.7:
        rng.shuffle(entries)
    height, width = rng.randint(1, 5), rng.randint(1, 6)
    indices = [[rng.randrange(len(entries)) for _ in range(width)] for _ in range(height)]
    opacity = [o for _, o in entries]
    return table, png(indices, [c for c, _ in entries], opacity if min(opacity) < 255 else None)


ALPHAS: list[Alpha] = ["visible", "opaque", "color"]


def _kinds(table, data) -> set[str]:
    """What is odd about a case."""
    entries, keys = list(table.values()), [int(key) for key in table]
    colors = [entry["hex-color"] for entry in entries]
    names = [entry["class-name"] for entry in entries]
    palette = [color for color, _ in palette_entries(open_png(data))]
    numbered = dict(zip(keys, (int(color[1:], 16) for color in colors), strict=True))
    odd = {
        "keys in another order": keys != sorted(keys),
        "keys with gaps": max(keys) >= len(keys),
        "one colour under two keys": len(set(colors)) < len(colors),
        "a class of two colours": len(set(names)) < len(set(zip(names, colors, strict=True))),
        "the map's colours at other indices": any(
            numbered.get(i, color) != color for i, color in enumerate(palette)
        ),
    }
    return {
        "BACKGROUND" if "BACKGROUND" in names else "no BACKGROUND",
        *(k for k, is_so in odd.items() if is_so),
    }


def test_read_after_repair_equals_read() -> None:
    rng = random.Random(14)
    moved = 0
    kinds: Counter[str] = Counter()
    for number in range(CASES):
        table, data = _case(rng)
        alpha = rng.choice(ALPHAS)
        colors = parse_internal_color_map(table, "case")
        labels = LabelList.from_names(e.class_name for e in colors)
        ids = color_table(colors, labels, "case")
        image = open_png(data)
        plan = plan_indices(image, colors, alpha=alpha, where=f"case {number}")
        assert plan is not None
        if not plan.wrong:
            continue
        moved += 1
        kinds.update(_kinds(table, data))
        copy = module._moved(image, plan)
        compare(image, copy, colors=colors, copied_colors=colors, alpha=alpha, where=f"case {number}")
        before = decode_mask(data, ids, alpha=alpha)
        assert np.array_equal(decode_mask(copy, ids, alpha=alpha), before), number
        wanted = classes_by_color(data, table, alpha)
        assert np.array_equal(classes_by_index(copy, table), wanted), number
        assert np.array_equal(classes_by_color(copy, table, alpha), wanted), number
        assert np.array_equal(np.vectorize(labels.ids.get)(wanted), before), number
    assert moved >= 5000
    assert min(kinds.values()) >= 300 and len(kinds) == 7, kinds
