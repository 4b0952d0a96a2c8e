"""The three task types of image semantic segmentation, and what follows from each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ._rooms import limits


@dataclass(frozen=True, kw_only=True)
class TaskType:
    """A built-in task type of the service.

    Attributes:
        name: As in the names of its PRE- and ACS- functions.
        title: The task's title, unless the app gives one.
        description: The task's description, likewise.
        template: The worker template's file in `assets/`.
        header: One line above the picture, unless the instructions have their own.
        short: What stands beside the picture, likewise; HTML.
        full_header: Title of the full instructions, likewise.
        full: What stands behind a link, likewise; HTML.
    """

    name: str
    title: str
    description: str
    template: str
    header: str
    short: str
    full_header: str
    full: str


SEGMENTATION: Final = TaskType(
    name=limits.TASK_TYPE,
    title="Semantic segmentation",
    description=(
        "For each category provided, segment out each relevant object using the color associated with that"
        " category"
    ),
    template="worker-template.html",
    header="For each label, segment out every object that belongs to it.",
    short="""\
      <p>Choose a label, then paint every object that belongs to it.</p>
      <p>Paint up to the object's edge. Leave blank what belongs to no label.</p>""",
    full_header="Segmentation instructions",
    full=(
        "      <ol><li><strong>Read</strong> the task carefully and inspect the image.</li>\n"
        "      <li><strong>Read</strong> the options and review the examples provided to understand more"
        " about the labels.</li>\n"
        "      <li><strong>Choose</strong> the appropriate label that best suits an object and paint that"
        " object using the tools provided.</li></ol>"
    ),
)
ADJUSTMENT: Final = TaskType(
    name=f"Adjustment{limits.TASK_TYPE}",
    title="Semantic segmentation: adjust labels",
    description="Correct the segmentation that is there, and segment out what was missed",
    template="adjustment-template.html",
    header="Correct the labels of the image.",
    short="""\
      <p>The image comes with labels. Correct what is wrong, and paint what is missing.</p>
      <p>If all is right, submit it as it is.</p>""",
    full_header="Adjustment instructions",
    full="""\
      <ol><li>Look at the image and at each label on it.</li>
      <li>Paint over what has the wrong label, and erase what belongs to none.</li>
      <li>Paint up to the object's edge, then submit.</li></ol>""",
)
VERIFICATION: Final = TaskType(
    name=f"Verification{limits.TASK_TYPE}",
    title="Semantic segmentation: verify labels",
    description="Look at the segmentation of the image, and choose what is true of it",
    template="verification-template.html",
    header="Look at the labels of the image, and choose what is true of them.",
    short="""\
      <p>The image comes with labels. Choose the one answer that fits.</p>
      <p>If something is wrong, say in a comment what it is.</p>""",
    full_header="Verification instructions",
    full="""\
      <ol><li>Look at the image and at each label on it.</li>
      <li>Choose the answer that fits best.</li>
      <li>Where labels are wrong or missing, write a comment that says which.</li></ol>""",
)
