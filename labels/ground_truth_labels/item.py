"""One line of an output manifest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .colormap import ColorEntry
from .errors import LabelsError, MaskError
from .names import safe_name

if TYPE_CHECKING:
    from PIL import Image

    from .context import Context
    from .decode import MaskArray

State = Literal["labeled", "unlabeled", "failed", "invalid", "unchosen"]
"""`labeled`: a mask. `unlabeled`: the input line as it was. `failed`: a failure reason, no mask.
`invalid`: the line cannot be used; `Item.error` says why. `unchosen`: a mask that `where` leaves out."""


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What the workers of a verification job said about earlier labels.

    Attributes:
        attribute: The verification job's attribute.
        class_name: Their verdict, for example `good`.
        confidence: 0-1, or None.
        comments: What they wrote.
    """

    attribute: str
    class_name: str
    confidence: float | None
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Item:
    """One object of a labeling job.

    Attributes:
        location: The manifest.
        line: Number of the line, from 1.
        index: Number of the object, from 0: Ground Truth's own object number in its output. Of several
            manifests read as one, counted through all.
        state: See `State`.
        raw: The line as it was read.
        source_ref: Reference of the image, or "" in an invalid line.
        attribute: The label attribute that was read.
        mask_ref: Reference of the mask, or None.
        colors: The mask's colour map.
        confidence: Confidence of the image's label, 0-1; 0 with a single worker. None without a label.
        human: Whether people made the label (True) or automated labeling (False); None without a label.
        job_name: The job without `labeling-job/`, or None.
        created: The label's `creation-date`, ISO 8601, or None.
        failure: Why labeling failed, or None.
        verifications: Verdicts of verification jobs, in the order of the line.
        error: What is wrong with an invalid line.
    """

    location: str
    line: int
    index: int
    state: State
    raw: str = field(repr=False)
    source_ref: str = ""
    attribute: str | None = None
    mask_ref: str | None = None
    colors: tuple[ColorEntry, ...] = field(default=(), repr=False)
    confidence: float | None = None
    human: bool | None = None
    job_name: str | None = None
    created: str | None = None
    failure: str | None = None
    verifications: tuple[Verification, ...] = ()
    error: LabelsError | None = None
    context: Context | None = field(default=None, repr=False, compare=False)

    @property
    def where(self) -> str:
        """`<manifest>, line <n>`, as errors say it."""
        return f"{self.location}, line {self.line}"

    @property
    def name(self) -> str:
        """A legal, unique file name without extension; see `names.safe_name`."""
        return safe_name(self.index, self.source_ref)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the colour map, without the background; not all need have pixels."""
        return tuple(dict.fromkeys(e.class_name for e in self.colors if e.class_name != "BACKGROUND"))

    def mask(self) -> MaskArray:
        """The mask as class ids, shape (height, width).

        Raises:
            LabelsError: The item has no mask, or it is missing, too large, broken or has unknown colours.
        """
        return self._context().mask(self)

    def mask_bytes(self, *, head: int | None = None) -> bytes:
        """The mask's PNG file as it is, or its first `head` bytes."""
        if self.mask_ref is None:
            raise MaskError(f"{self.where}: has no mask, the object is {self.state}")
        return self._context().read(self.mask_ref, self.where, head=head, mask=True)

    def image(self) -> Image.Image:
        """The image in RGB as the workers saw it: as stored, whatever EXIF says (see `read_manifest`).

        Raises:
            LabelsError: It is missing, too large or not an image.
        """
        return self._context().image(self)

    def image_bytes(self, *, head: int | None = None) -> bytes:
        """The image's file as it is, or its first `head` bytes."""
        return self._context().read(self.source_ref, self.where, head=head)

    def _context(self) -> Context:
        if self.context is None:
            raise MaskError(f"{self.where}: was made without a manifest; read it with read_manifest()")
        return self.context
