"""The errors of this package: each message names file and line, the rule, the value and the fix."""

from __future__ import annotations


class LabelsError(ValueError):
    """What every error of this package is; catch it to catch them all."""


class ManifestError(LabelsError):
    """A manifest, category file or worker response breaks the documented format."""


class LimitError(LabelsError):
    """A file is larger than a limit that protects memory; nothing of it was decoded."""


class MissingError(LabelsError):
    """An object that something refers to does not exist or may not be read."""


class StorageError(LabelsError):
    """Something cannot be listed, written or removed: rights, a full disk, an endpoint that is none."""


class MaskError(LabelsError):
    """A mask cannot be decoded into class ids."""


class ExportError(LabelsError):
    """A target cannot take an export, or a format cannot hold the labels."""


class RepairError(ExportError):
    """A mask can be read, but no copy of it would read the same by index."""


class UnknownColorError(MaskError):
    """A mask holds colours that its `internal-color-map` does not name.

    Attributes:
        colors: `(hex colour, number of pixels)`, most pixels first.
        pixels: Number of pixels with an unknown colour.
        resampled: Whether the colours lie between known ones, as in a mask that was
            anti-aliased, resized or saved with a lossy format.
    """

    def __init__(self, message: str, *, colors: tuple[tuple[str, int], ...], resampled: bool) -> None:
        super().__init__(message)
        self.colors = colors
        self.pixels = sum(count for _, count in colors)
        self.resampled = resampled

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling of exceptions (DataLoader workers).
        return (_unknown_color_error, (self.args[0], self.colors, self.resampled))


def _unknown_color_error(message: str, colors: tuple[tuple[str, int], ...], resampled: bool) -> Exception:
    return UnknownColorError(message, colors=colors, resampled=resampled)
