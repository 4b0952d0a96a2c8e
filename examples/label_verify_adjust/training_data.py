"""Training data with the newest label of each image: `python training_data.py LABELS ADJUSTED FOLDER`.

LABELS and ADJUSTED are the output manifests that the stack's outputs name.
"""

import sys
from pathlib import Path

from ground_truth_labels import export, merge, read_manifest


def write(labels: str, adjusted: str, folder: str) -> dict[str, int]:
    """Merge what was labeled with what was adjusted, and export it; images by split."""
    # An adjusted label is newer than the one it replaces; all others stay.
    merged = merge(
        [read_manifest(labels), read_manifest(adjusted, attribute="adjusted-ref")],
        Path(folder, "labels"),
        into="streets-ref",
    )
    dataset = export(merged.manifest, Path(folder, "dataset"), format="png", split="50/50")
    return dataset.exported


if __name__ == "__main__":
    print(write(*sys.argv[1:4]))
