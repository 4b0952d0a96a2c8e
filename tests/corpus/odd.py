"""Inputs that look wrong and are right."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.corpus import pictures
from tests.corpus.broken import ADJUSTMENT_TEMPLATE, CLASSIFIER_TEMPLATE, A, B, prior
from tests.corpus.world import INPUT, LABELS, OUTPUT, TEMPLATE, Bucket, Key, World

ODD: dict[str, Callable[[World], object]] = {}


def odd(name: str, change: Callable[[World], object]) -> None:
    assert name not in ODD
    ODD[name] = change


def key(name: str, text: str) -> None:
    odd(f"key with {name}", lambda world: world.images(text))


def image(name: str, body: bytes, at: str = "day/a.jpg") -> None:
    odd(name, lambda world: world.put(at, body))


odd("nothing odd", lambda world: None)
odd("one object", lambda w: w.images("a.jpg"))
odd("carriage return and line feed", lambda w: w.lines(A, B, end="\r\n"))
odd("no line end at the end", lambda w: w.put("in.manifest", f"{json.dumps(A)}\n{json.dumps(B)}"))
odd("more attributes", lambda w: w.lines({**A, "camera": 3, "tags": ["x", {"y": None}], "é": "ü"}, B))
odd("spaces around the JSON", lambda w: w.lines(f"  {json.dumps(A)}\t", B))
odd("escapes in the JSON", lambda w: w.lines(r'{"source-ref": "s3:\/\/corpus-input\/day\/\u0061.jpg"}'))
odd("a long line", lambda w: w.lines({**A, **{f"note{n}": "x" * 19_900 for n in range(5)}}, B))
odd("an attribute that holds line separators", lambda w: w.lines({**A, "note": "a\u2028b\u0085c"}, B))
odd("nested a hundred deep", lambda w: w.lines({**A, "x": json.loads("[" * 100 + "]" * 100)}, B))
odd("an attribute of brackets", lambda w: w.lines({**A, "x": '[{"' * 300}, B))
odd("non-ASCII text written as escapes", lambda w: w.lines(json.dumps({**A, "x": "é" * 15_000}), B))
odd("an attribute named source-id", lambda w: w.lines({**A, "source-id": "x"}, B))
key("a space", "a b/c d.jpg")
key("%20", "a%20b.jpg")
key("a plus sign", "a+b.jpg")
key("quotes", "a\"b'c.jpg")
key("a backslash", "a\\b.jpg")
key("umlauts", "straße/größe.jpg")
key("emoji", "🚗/🛣️.jpg")
key("a line break", "a\nb.jpg")
key("a line separator", "a\u2028b.jpg")
key("two slashes", "a//b.jpg")
key("no suffix", "photo-0001")
key("an upper-case suffix", "DSC_0001.JPG")
key("signs of a query", "a?b=c&d#e.jpg")
key("braces", "{{ a }}.jpg")
image("16-bit PNG", pictures.png("I;16"), "day/a.jpg")
image("1-bit PNG", pictures.png("1"))
image("PNG with a palette", pictures.png("P"))
image("PNG with alpha", pictures.png("RGBA"))
image("grey PNG with alpha", pictures.png("LA"))
image("interlaced PNG", pictures.bare_png(8, 8, interlace=1))
image("PNG of one pixel", pictures.bare_png(1, 1))
image("PNG with a large profile", pictures.png(icc_profile=bytes(range(256)) * 800))
image("PNG with something behind its end", pictures.png() + b"\0" * 900)
image("PNG a little larger than the first bytes read", pictures.bare_png(8, 8, pad=8_100))
image("large PNG", pictures.png(compress_level=0))
image("PNG turned by EXIF", pictures.png(orientation=8))
image("CMYK JPEG", pictures.jpeg("CMYK"))
image("grey JPEG", pictures.jpeg("L"))
image("progressive JPEG", pictures.jpeg(progressive=True))
image("JPEG turned by EXIF", pictures.jpeg(orientation=6))
image("JPEG with a large profile", pictures.jpeg(icc_profile=bytes(range(256)) * 2_200))
image("JPEG with many segments", pictures.with_segments(*([b"x" * 60_000] * 30)))
image("JPEG of a phone's depth mode", pictures.with_segments(*([b"x" * 65_000] * 400)))
image("JPEG with fill bytes", pictures.jpeg()[:2] + b"\xff" * 40 + pictures.jpeg()[2:])
image("JPEG with bytes behind its end", pictures.jpeg() + b"\0" * 5_000)
image("JPEG cut in its pixels", pictures.jpeg()[:-200])
image("JPEG that begins with EXIF", pictures.jpeg(orientation=1, dpi=(72, 72)))
image("exactly 40 MB", pictures.jpeg() + b"\0" * (40_000_000 - len(pictures.jpeg())))
image("exactly 100 million pixels", pictures.bare_png(10_000, 10_000))


def _two_buckets(world: World) -> None:
    world.buckets["corpus-more"] = Bucket()
    world.put("day/a.jpg", pictures.jpeg(), "corpus-more")
    world.lines(A, {"source-ref": "s3://corpus-more/day/a.jpg"})


def _chained(world: World) -> None:
    done = {"type": "groundtruth/semantic-segmentation", "internal-color-map": {}, "human-annotated": "yes"}
    world.lines({**A, "streets-ref": f"s3://{OUTPUT}/old/a.png", "streets-ref-metadata": done}, B)


def _failed_before(world: World) -> None:
    done = {"type": "groundtruth/semantic-segmentation", "failure-reason": "no"}
    world.lines({**A, "streets-ref-metadata": done})


def _adjustment(world: World) -> None:
    world.task_type("AdjustmentSemanticSegmentation")
    world.put("template.liquid.html", ADJUSTMENT_TEMPLATE)
    world.lines(prior("a", "BACKGROUND", "road"), prior("b", "BACKGROUND", "building"))


def _verification(world: World) -> None:
    world.task_type("VerificationSemanticSegmentation")
    world.request["LabelAttributeName"] = "checked"
    world.labels("right", 'O\'Brien "x" </script> é')
    world.put("template.liquid.html", CLASSIFIER_TEMPLATE)
    world.lines(prior("a", "BACKGROUND", *LABELS))


def _template(old: str, new: str) -> Callable[[World], object]:
    assert old in TEMPLATE
    return lambda world: world.put("template.liquid.html", TEMPLATE.replace(old, new))


def _encrypted(world: World) -> None:
    world.keys["photos"] = Key()
    world.input.encrypted["day/a.jpg"] = "photos"


odd("two buckets", _two_buckets)
odd("some labeled already", _chained)
odd("one failed in an earlier job", _failed_before)
odd("adjustment", _adjustment)
odd("verification", _verification)
odd("an encrypted image", _encrypted)
odd("more CORS rules", lambda w: w.cors.insert(0, {"AllowedMethods": ["PUT"], "AllowedOrigins": ["x"]}))
# The guide prints the header; public samples without it work: a warning.
odd("CORS exposes nothing", lambda w: w.cors[0].pop("ExposeHeaders"))
odd("CORS exposes something else", lambda w: w.cors[0].update(ExposeHeaders=["ETag"]))
odd(
    "CORS header in lower case",
    lambda w: w.cors[0].update(ExposeHeaders=["access-control-allow-origin"]),
)
odd(
    "output in the root of its bucket",
    lambda w: w.request.update(OutputConfig={"S3OutputPath": f"s3://{OUTPUT}"}),
)
odd(
    "output in the input's bucket",
    lambda w: (
        w.request.update(OutputConfig={"S3OutputPath": f"s3://{INPUT}/labels/"})
        or w.statements.append(
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": [f"arn:aws:s3:::{INPUT}/*"]}
        )
    ),
)
odd("labels with quotes and signs", lambda w: w.labels('a "b"', "c's", "<d>", "ü, é", "{{ e }}"))
odd(
    "labels with more about them",
    lambda w: w.put(
        "labels.json",
        json.dumps(
            {
                "document-version": "2018-11-28",
                "auditLabelAttributeName": "x",
                "labels": [{"label": "road", "shortDisplayName": "r"}],
            }
        ),
    ),
)
odd(
    "an indented category file",
    lambda w: w.put(
        "labels.json", json.dumps({"labels": [{"label": "road"}], "document-version": "2018-11-28"}, indent=4)
    ),
)
odd("a label of 256 characters", lambda w: w.labels("x" * 256))
odd(
    "a template with branches",
    _template(
        "<full",
        "{% if task.input.manifestLine.hint %}{{ task.input.manifestLine.hint }}{% else %}-{% endif %}<full",
    ),
)
odd(
    "a template that loops",
    _template("<full", "{% for l in task.input.labels %}<b>{{ l }}</b>{% endfor %}<full"),
)
odd("a template with a comment", _template("<full", "{% comment %} <crowd-form> {% endcomment %}<full"))
odd(
    "a template with filters",
    _template("Mark the road", "{{ 'mark | the road' | capitalize | append: '|' }}"),
)
odd("a template with a byte-order mark", lambda w: w.put("template.liquid.html", "\ufeff" + TEMPLATE))
odd("labels by index", _template("task.input.labels", "task.input['labels']"))
odd(
    "labels in single quotes", _template("{{ task.input.labels | to_json | escape }}", "['road', 'building']")
)
odd(
    "a label of emoji and a joiner",
    lambda w: w.labels("\U0001f469\u200d\U0001f33e", "\u0645\u06cc\u200c\u062e"),
)
odd("a template in upper case", _template("crowd-form", "CROWD-FORM"))
odd("a ceiling that holds", lambda w: setattr(w, "cost", {"MaxObjects": "3", "MaxTasks": "9"}))
