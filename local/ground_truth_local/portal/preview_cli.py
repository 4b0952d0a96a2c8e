"""``ground-truth-local preview``: show or photograph the worker's page of an app's labeling job."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from .browser import BrowserMissing
from .designs import Design, DesignError, load, synthesize
from .frame import FrameError
from .watching import Watch


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = commands.add_parser("preview", help="show the worker's page of an app's job, without a deploy")
    parser.add_argument(
        "app", nargs="?", default="",
        help="app.py or the app's command, a cdk.out folder, or a template's .html (default: cdk.json's app)",
    )  # fmt: skip
    parser.add_argument("--image", type=Path, help="the picture to show (default: the first of the job's)")
    parser.add_argument("--screenshot", type=Path, metavar="OUT.png", help="write a PNG of the page and end")
    parser.add_argument("--full-instructions", action="store_true", help="open them on the screenshot")
    parser.add_argument(
        "--size", default="1280x800", metavar="WxH", help="of the screenshot (default: 1280x800)"
    )
    parser.add_argument(
        "--job", default="", help="part of the job's logical id, where the app has more than one"
    )
    parser.add_argument("--labels", default="", help="comma-separated labels, for an .html file")
    parser.add_argument(
        "--watch", action="store_true", help="show each change of app, template or picture at once"
    )
    parser.add_argument("--port", type=int, default=0, help="port (default: a free one)")
    parser.add_argument(
        "-c", "--context", action="append", default=[], metavar="KEY=VALUE", help="context of the app"
    )


def run(console: Console, arguments: argparse.Namespace, wait: Callable[[], object]) -> int:
    """Run the sub-command, until ``wait`` returns or the screenshot is there; return the exit code."""
    # A server and a template engine, which the other sub-commands need not load.
    from .preview import screenshot, serving

    try:
        design = _design(arguments)
        picture = arguments.image or design.picture
        if picture is None:
            raise DesignError("The job's pictures are not in the app: name one with --image.")
        if not picture.is_file():
            raise DesignError(f"There is no file {picture}.")
        watch = _watch(arguments, picture) if arguments.watch else None
        with serving(design, picture, port=arguments.port, watch=watch) as address:
            if arguments.screenshot:
                width, height = _size(arguments.size)
                full = arguments.full_instructions
                screenshot(address, arguments.screenshot, width=width, height=height, full=full)
                console.print(f"{arguments.screenshot} shows {design.title!r} with {picture.name}.")
            else:
                console.print(f"[bold green]{design.title}[/], Ctrl-C ends it:")
                print(f"  {address}", flush=True)
                wait()
    except (BrowserMissing, DesignError, FrameError) as error:
        Console(stderr=True, highlight=False).print(f"[bold red]Error:[/] {error}", soft_wrap=True)
        return 1
    return 0


def _design(arguments: argparse.Namespace) -> Design:
    source = Path(arguments.app) if arguments.app else None
    if source is not None and source.suffix.lower() in {".html", ".htm", ".liquid"}:
        return _template_file(source, arguments.labels)
    if source is not None and (source / "manifest.json").is_file():
        return load(source, arguments.job)
    context = dict(item.partition("=")[::2] for item in arguments.context)
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        synthesize(arguments.app, Path(folder), context=context, cwd=Path.cwd())
        design = load(Path(folder), arguments.job)
        if design.picture is None or arguments.image:
            return design
        # The assembly goes away, the picture stays.
        kept = Path(tempfile.mkdtemp(prefix="preview-picture-"), design.picture.name)
        kept.write_bytes(design.picture.read_bytes())
        return replace(design, picture=kept)


def _watch(arguments: argparse.Namespace, picture: Path) -> Watch:
    # Else each change would copy the job's first picture once more.
    arguments.image = picture
    source = Path(arguments.app) if arguments.app else None
    whole = source is None or not source.exists() or source.suffix.lower() == ".py"
    return Watch([Path.cwd() if source is None or whole else source, picture], lambda: _design(arguments))


def _template_file(path: Path, labels: str) -> Design:
    if not path.is_file():
        raise DesignError(f"There is no file {path}.")
    names = [label.strip() for label in labels.split(",") if label.strip()]
    if not names:
        raise DesignError("A template alone has no labels: give them with --labels road,building.")
    text = path.read_text(encoding="utf-8-sig")
    return Design(name=path.stem, title=path.name, template=text, labels=names, workteam="", picture=None)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (
        width.isdigit() and height.isdigit() and 320 <= int(width) <= 7680 and 240 <= int(height) <= 4320
    ):
        raise DesignError(f"--size must be like 1280x800, got {text!r}.")
    return int(width), int(height)
