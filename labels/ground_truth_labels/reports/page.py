"""The page's HTML."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ..quality import WorkerQuality
from ..workers import AgreementResult
from .gather import Comparison, Gathered
from .style import STYLE

_SHOWN_PROBLEMS = 60
_SEVERITIES = {"error": "Errors", "warning": "Warnings", "info": "Notes"}


def page(found: Gathered, *, title: str) -> str:
    """The whole document. Everything that came from files is escaped; nothing is fetched."""
    parts = [
        _header(found, title),
        _verdict(found),
        _classes(found),
        _examples(found),
        _agreement(found.agreement, found) if found.agreement else _no_agreement(),
        _comparisons(found.comparisons),
        _confidence(found),
        _problems(found),
        _waiting(found),
        f"<footer>Made by ground-truth-labels from <code>{escape(found.check.location)}</code></footer>",
    ]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} - labels</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _header(found: Gathered, title: str) -> str:
    days = sorted({d[:10] for d in found.dates or ()})
    about = [
        f"attribute <code>{escape(found.check.attribute or '-')}</code>",
        f"class ids from {escape(_short(found.labels.origin))}",
        " to ".join(map(escape, days)),
    ]
    if len(found.jobs) > 1:
        about.append(f"jobs {escape(', '.join(found.jobs))}")
    line = " · ".join(a for a in about if a)
    heading = f'<p class="kicker">Label report</p><h1>{escape(title)}</h1>'
    return f'<header>{heading}<p class="sub">{line}</p></header>'


def _verdict(found: Gathered) -> str:
    states, result = found.check.states, found.check
    agreement = found.agreement
    labeled = states.get("labeled", 0)
    open_ = found.check.lines - labeled
    cards = [
        _card(f"{labeled:,}", f"of {result.lines:,} images labeled", "bad" if not labeled else ""),
        _card(f"{open_:,}", "unlabeled, failed or unusable", "warn" if open_ else "good"),
        _card(f"{len(found.labels):,}", "classes", ""),
    ]
    if agreement and agreement.images:
        shares = [v for image in agreement.images for v in image.workers.values()]
        cards.append(_card(f"{sum(shares) / len(shares):.1%}", "workers' pixels as consolidated", ""))
    errors, warnings = len(result.errors), len(result.warnings)
    cards.append(_card(f"{errors:,}", "errors", "bad" if errors else "good"))
    cards.append(_card(f"{warnings:,}", "warnings", "warn" if warnings else "good"))
    look = "".join(f"<li>{escape(text)}</li>" for text in (agreement.look_at if agreement else ()))
    note = f'<div class="look"><strong>Look at</strong><ul>{look}</ul></div>' if look else ""
    return f'<section class="cards">{"".join(cards)}</section>{note}'


def _card(number: str, text: str, tone: str) -> str:
    return f'<div class="card {tone}"><b>{number}</b><span>{escape(text)}</span></div>'


def _classes(found: Gathered) -> str:
    result = found.check
    names = sorted(result.pixels, key=lambda n: (n == "BACKGROUND", -result.pixels[n]))
    widest = max([*(v for n, v in result.pixels.items() if n != "BACKGROUND"), 1e-9])
    iou = found.agreement.iou if found.agreement else {}
    rows = []
    for name in names:
        share = result.pixels[name]
        width = min(100.0, 100 * share / widest)
        background = name == "BACKGROUND"
        color = "#c8ccd1" if background else found.labels.colors[result.classes[name]]
        bar = "" if background else f'<i style="width:{width:.1f}%;background:{color}"></i>'
        rows.append(
            f'<tr><td><s style="background:{color}"></s>{escape(name)}</td>'
            f'<td class="n">{result.classes[name]}</td><td class="bar">{bar}</td>'
            f'<td class="n">{share:.1%}</td><td class="n">{result.images[name]:,}</td>'
            f'<td class="n">{_number(iou.get(name))}</td></tr>'
        )
    columns = [("Class", ""), ("Id", "n"), ("", ""), ("Pixels", "n"), ("Images", "n"), ("Worker IoU", "n")]
    head = _head(*columns)
    return _section("Classes", f'<table class="classes">{head}{"".join(rows)}</table>')


def _examples(found: Gathered) -> str:
    blocks = []
    for name, examples in found.examples.items():
        color = found.labels.colors[found.labels.ids[name]]
        figures = "".join(
            _figure(e.picture, f"line {e.item.line} · {_file(e.item.source_ref)} · {e.share:.0%}")
            for e in examples
        )
        body = figures or '<p class="none">No pixel of this class in any image.</p>'
        heading = f'<h3><s style="background:{color}"></s>{escape(name)}</h3>'
        span = min(3, max(1, len(examples)))
        row = f'<div class="row" style="grid-template-columns:repeat({span},minmax(0,1fr))">{body}</div>'
        blocks.append(f'<div style="grid-column:span {span}">{heading}{row}</div>')
    return _section(
        "Examples", f'<div class="gallery">{"".join(blocks)}</div>', "Images in which the class covers most."
    )


def _agreement(result: AgreementResult, found: Gathered) -> str:
    quality = {w.worker: w for w in found.quality.workers} if found.quality else {}
    rows = "".join(
        f'<tr><td>{escape(w.worker)}</td><td class="n">{w.images:,}</td>'
        f'<td class="n">{w.pixel_agreement:.1%}</td>'
        f'<td class="n"><em class="{_tone(w.mean_iou)}">{_number(w.mean_iou)}</em></td>'
        f'<td class="n">{_seconds(quality[w.worker])}</td><td class="n">{_rate(quality[w.worker])}</td></tr>'
        for w in result.workers
    )
    head = _head(
        ("Worker", ""), ("Images", "n"), ("Pixels", "n"), ("Mean IoU", "n"), ("Time", "n"), ("Images/h", "n")
    )
    workers = f"<table>{head}{rows}</table>{_by_class(result)}"
    confusion = _confusion(result)
    text = "Each worker's mask against the consolidated label. Least agreement first."
    return _section("Agreement", f'<div class="two"><div>{workers}</div><div>{confusion}</div></div>', text)


def _seconds(worker: WorkerQuality) -> str:
    return "-" if worker.seconds is None else f"{worker.seconds:,.0f} s"


def _rate(worker: WorkerQuality) -> str:
    return "-" if worker.images_an_hour is None else f"{worker.images_an_hour:,.0f}"


def _by_class(result: AgreementResult) -> str:
    """Each worker's agreement on the classes that are hardest for all, worst first."""
    names = [name for name in result.iou if name != "BACKGROUND"][:8]
    if len(result.workers) < 2 or not names:
        return ""
    head = _head(("IoU", ""), *((escape(_clip(name, 12)), "n") for name in names))
    rows = "".join(
        f"<tr><td>{escape(w.worker)}</td>"
        + "".join(f'<td class="n">{_number(w.iou.get(name))}</td>' for name in names)
        + "</tr>"
        for w in result.workers
    )
    return f"<table>{head}{rows}</table>"


def _confusion(result: AgreementResult) -> str:
    used = [
        i
        for i, _ in enumerate(result.classes)
        if any(result.confusion[i]) or any(r[i] for r in result.confusion)
    ]
    used = sorted(used, key=lambda i: -sum(result.confusion[i]))[:12]
    head = "".join(f"<th><span>{escape(_clip(result.classes[i]))}</span></th>" for i in used)
    rows = []
    for i in used:
        total = sum(result.confusion[i]) or 1
        cells = []
        for k in used:
            share = result.confusion[i][k] / total
            tint = f"rgba(26,127,55,{share:.2f})" if i == k else f"rgba(207,34,46,{min(1, 3 * share):.2f})"
            strong = ' class="inv"' if (share > 0.6 if i == k else share > 0.25) else ""
            text = f"{share:.0%}" if share >= 0.005 else "\u00b7"
            cells.append(f'<td{strong} style="background:{tint}">{text}</td>')
        rows.append(f"<tr><th>{escape(_clip(result.classes[i]))}</th>{''.join(cells)}</tr>")
    caption = "<caption>Row: consolidated class. Column: what workers drew. Share of the row.</caption>"
    return f'<table class="confusion">{caption}<tr><th></th>{head}</tr>{"".join(rows)}</table>'


def _no_agreement() -> str:
    return _section("Agreement", '<p class="none">No worker responses were found beside the manifest.</p>')


def _comparisons(comparisons: Iterable[Comparison]) -> str:
    blocks = []
    for c in comparisons:
        figures = "".join(_figure(uri, caption) for caption, uri in c.pictures)
        numbers = f"mean IoU {_number(c.agreement.mean_iou)}"
        if c.agreement.pairwise is not None:
            numbers += f" · two workers agree on {c.agreement.pairwise:.1%} of the pixels"
        title = f"line {c.agreement.line} · {escape(_file(c.agreement.source_ref))}"
        blocks.append(
            f'<div class="class"><h3>{title}<small>{numbers}</small></h3>'
            f'<div class="row many">{figures}</div></div>'
        )
    if not blocks:
        return ""
    return _section("Least agreement", "".join(blocks), "The workers' masks side by side.")


def _confidence(found: Gathered) -> str:
    total = sum(found.confidence)
    if not total:
        return ""
    highest, width = max(found.confidence), 100 / len(found.confidence)
    bars = "".join(
        f'<rect x="{i * width + 0.5:.2f}" y="{40 - 36 * n / highest:.2f}" width="{width - 1:.2f}" '
        f'height="{36 * n / highest:.2f}" rx=".5">'
        f"<title>{i / 20:.2f}-{(i + 1) / 20:.2f}: {n:,} images</title></rect>"
        for i, n in enumerate(found.confidence)
        if n
    )
    axis = "".join(f"<span>{v / 4:.2f}</span>" for v in range(5))
    people, machine = found.human
    text = f"{people:,} images labeled by people, {machine:,} by automated labeling; do not compare the two."
    if found.confidence[0] == total:
        text += " A confidence of 0 means a single worker on each image."
    line = '<line x1="0" y1="40" x2="100" y2="40"/>'
    svg = f'<svg viewBox="0 0 100 41" preserveAspectRatio="none">{line}{bars}</svg>'
    return _section("Confidence", f'<div class="chart">{svg}<div class="axis">{axis}</div></div>', text)


def _problems(found: Gathered) -> str:
    blocks = []
    for severity, title in _SEVERITIES.items():
        chosen = [p for p in found.check.problems if p.severity == severity]
        if not chosen:
            continue
        lines = "".join(
            f"<li><code>{escape(p.code)}</code> {escape(_strip(p.message, found.check.location))}</li>"
            for p in chosen[:_SHOWN_PROBLEMS]
        )
        more = f"<li>and {len(chosen) - _SHOWN_PROBLEMS:,} more</li>" if len(chosen) > _SHOWN_PROBLEMS else ""
        blocks.append(
            f'<h3 class="{severity}">{title} ({len(chosen):,})</h3><ul class="list">{lines}{more}</ul>'
        )
    return _section("Findings", "".join(blocks) or '<p class="none">None.</p>')


def _waiting(found: Gathered) -> str:
    rows = "".join(
        f'<tr><td class="n">{line}</td><td>{escape(ref)}</td><td>{escape(why)}</td></tr>'
        for line, ref, why in found.waiting
    )
    if not rows:
        return ""
    count = found.check.lines - found.check.states.get("labeled", 0)
    more = f"The first {len(found.waiting)} of {count:,}." if count > len(found.waiting) else ""
    table = f"<table>{_head(('Line', 'n'), ('Image', ''), ('Why', ''))}{rows}</table>"
    return _section("Not labeled", table, more)


def _section(title: str, body: str, text: str = "") -> str:
    note = f'<p class="sub">{escape(text)}</p>' if text else ""
    return f"<section><h2>{escape(title)}</h2>{note}{body}</section>"


def _head(*columns: tuple[str, str]) -> str:
    cells = "".join(f'<th class="{kind}">{text}</th>' for text, kind in columns)
    return f"<tr>{cells}</tr>"


def _figure(uri: str, caption: str) -> str:
    picture = f'<img src="{uri}" alt="{escape(caption)}">' if uri else '<div class="missing">no image</div>'
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _tone(value: float | None) -> str:
    return "" if value is None else "good" if value >= 0.85 else "warn" if value >= 0.7 else "bad"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _file(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _clip(text: str, longest: int = 16) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _short(origin: str) -> str:
    return _file(origin) if "/" in origin else origin


def _strip(message: str, location: str) -> str:
    return message.replace(f"{location}, ", "").replace(f"{location}: ", "")
