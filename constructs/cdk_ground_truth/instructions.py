"""What workers read beside the picture."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from pathlib import Path

from ._rooms import ASSETS_DIR, limits
from .task_types import SEGMENTATION, TaskType
from .validation import Checker

_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@dataclass(frozen=True, kw_only=True)
class ExamplePicture:
    """A picture for the instructions.

    Args:
        path: A PNG or JPEG file of this machine. It becomes a part of the worker template, so keep it small:
            the template has 128,000 characters at most, and a picture takes 4 for every 3 bytes.
        caption: Says what is good or bad about it. Default: nothing.
    """

    path: str | Path
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """The three parts of the worker template that may change, as plain text.

    An empty line begins a paragraph, a line end breaks the line. Markup and Liquid show as typed; for
    markup of your own use `WorkerTemplate.from_file`.

    Args:
        header: One line above the picture. Default: asks for what the task type is about.
        short: Beside the picture, always visible. Default: two sentences on the task.
        full: Behind a link. Default: the task in three steps.
        full_header: Title of the full instructions. Default: "Segmentation instructions", or that of the
            task type.
        good_example: Shows a correct segmentation, below the short instructions. Default: none.
        bad_example: Shows an incorrect one. Default: none.
    """

    header: str | None = None
    short: str | None = None
    full: str | None = None
    full_header: str | None = None
    good_example: ExamplePicture | None = None
    bad_example: ExamplePicture | None = None


def render(
    check: Checker,
    instructions: Instructions,
    task_type: TaskType = SEGMENTATION,
    *,
    prior_attribute: str = "",
) -> bytes:
    """The worker template: the service's own for the task type, with its three parts filled in.

    Args:
        check: Names the construct in errors.
        instructions: What to fill in.
        task_type: Decides on the template, and on what stands where the instructions say nothing.
        prior_attribute: What the labels to adjust or to verify are called in the manifest.

    Raises:
        ValueError: a picture is missing or of another format, or the template is too large.
    """
    parts = {
        "@@HEADER@@": _escape(task_type.header if instructions.header is None else instructions.header),
        "@@FULL_HEADER@@": _escape(
            task_type.full_header if instructions.full_header is None else instructions.full_header
        ),
        "@@FULL@@": task_type.full if instructions.full is None else _paragraphs(instructions.full),
        "@@SHORT@@": _short(check, instructions, task_type),
        "@@PRIOR@@": prior_attribute,
    }
    template = (ASSETS_DIR / task_type.template).read_text(encoding="utf-8")
    # All are replaced in one pass, so that a text which holds a marker stays as it is.
    template = re.sub("|".join(parts), lambda match: parts[match[0]], template)
    if len(template) > limits.TEMPLATE_CHARACTERS_MAX:
        check.fail(
            "instructions",
            f"make a worker template of at most {limits.TEMPLATE_CHARACTERS_MAX:,} characters",
            f"{len(template):,} characters",
            "shrink the example pictures: 480 pixels wide is plenty",
        )
    return template.encode()


def _short(check: Checker, instructions: Instructions, task_type: TaskType) -> str:
    blocks = [task_type.short if instructions.short is None else _paragraphs(instructions.short)]
    for name, title, color, example in (
        ("good_example", "Good example", "rgb(0, 138, 0)", instructions.good_example),
        ("bad_example", "Bad example", "rgb(230, 0, 0)", instructions.bad_example),
    ):
        if example is not None:
            blocks.append(f'      <h2><span style="color: {color};">{title}</span></h2>')
            blocks.append(_picture(check, name, example))
    return "\n".join(blocks)


def _picture(check: Checker, name: str, example: ExamplePicture) -> str:
    path = Path(example.path)
    if not path.is_file():
        check.fail(f"instructions.{name}", "be an existing file", str(path))
    data = path.read_bytes()
    kind = next((kind for signature, kind in _SIGNATURES if data.startswith(signature)), None)
    if kind is None:
        check.fail(f"instructions.{name}", "be a PNG or JPEG file", str(path))
    source = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    image = f'      <p><img src="{source}" alt="{_escape(example.caption)}" style="max-width: 100%"></p>'
    return image + (f"\n{_paragraphs(example.caption)}" if example.caption else "")


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n".join(f"      <p>{'<br>'.join(map(_escape, block.split(chr(10))))}</p>" for block in blocks)


def _escape(text: str) -> str:
    # Braces are escaped too: the service runs Liquid over the template before a browser sees it.
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")
