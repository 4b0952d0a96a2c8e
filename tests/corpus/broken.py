"""Broken inputs, one cause each: name → (the check that has to name it, what breaks a good world)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.corpus import pictures
from tests.corpus.world import ELSEWHERE, INPUT, LABELS, OUTPUT, TEMPLATE, Bucket, Key, World, deny, drop

Change = Callable[[World], object]
A, B = ({"source-ref": f"s3://{INPUT}/day/{name}.jpg"} for name in "ab")
BROKEN: dict[str, tuple[str, Change]] = {}


def broken(check: str, name: str, change: Change) -> None:
    assert name not in BROKEN
    BROKEN[name] = (check, change)


def manifest(check: str, name: str, *entries: object, end: str = "\n") -> None:
    broken(check, name, lambda world: world.lines(*entries, end=end))


def raw_manifest(check: str, name: str, body: bytes) -> None:
    broken(check, name, lambda world: world.put("in.manifest", body))


def image(check: str, name: str, body: bytes, key: str = "day/a.jpg") -> None:
    broken(check, name, lambda world: world.put(key, body))


def labels(name: str, content: object) -> None:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    broken("category-file", f"labels: {name}", lambda world: world.put("labels.json", text))


def template(name: str, old: str, new: str) -> None:
    assert old in TEMPLATE
    source = TEMPLATE.replace(old, new)
    broken("template", f"template: {name}", lambda world: world.put("template.liquid.html", source))


_line = json.dumps(A)
broken("manifest-readable", "manifest missing", lambda w: w.input.objects.pop("in.manifest"))
broken(
    "manifest-readable",
    "manifest in no bucket",
    lambda w: w.request["InputConfig"]["DataSource"]["S3DataSource"].update(
        ManifestS3Uri="s3://corpus-nowhere/in.manifest"
    ),
)
raw_manifest("manifest-count", "manifest empty", b"")
raw_manifest("manifest-json", "manifest of one empty line", b"\n")
raw_manifest("manifest-encoding", "byte-order mark", b"\xef\xbb\xbf" + _line.encode() + b"\n")
raw_manifest(
    "manifest-encoding", "Latin-1", '{"source-ref": "s3://corpus-input/schön.jpg"}\n'.encode("latin-1")
)
raw_manifest("manifest-encoding", "UTF-16", (_line + "\n").encode("utf-16"))
raw_manifest("manifest-json", "carriage returns alone", f"{_line}\r{json.dumps(B)}\r".encode())
raw_manifest("manifest-json", "last line cut off", (_line + "\n" + json.dumps(B)[:20]).encode())
manifest("manifest-json", "CSV", "source-ref", f"s3://{INPUT}/day/a.jpg")
manifest("manifest-json", "a bare URI", f"s3://{INPUT}/day/a.jpg")
manifest("manifest-json", "one JSON array", json.dumps([A, B]))
manifest("manifest-json", "indented JSON", json.dumps(A, indent=1))
manifest("manifest-json", "a JSON string", f'"s3://{INPUT}/day/a.jpg"')
manifest("manifest-json", "a number", "17")
manifest("manifest-json", "single quotes", str(A))
manifest("manifest-json", "trailing comma", _line + ",")
manifest("manifest-json", "an empty line between", A, "", B)
manifest("manifest-json", "an empty line at the end", A, B, "")
manifest("manifest-json", "NaN", _line[:-1] + ', "score": NaN}')
manifest("manifest-json", "an attribute twice", _line[:-1] + f', "source-ref": "s3://{INPUT}/day/b.jpg"}}')
manifest("manifest-json", "nested too deeply", _line[:-1] + ', "x": ' + "[" * 9_000 + "]" * 9_000 + "}")
manifest("manifest-line-length", "line too long", {**A, **{f"note{n}": "x" * 19_000 for n in range(6)}}, B)
manifest("manifest-line-length", "attribute too long", {**A, "note": "x" * 20_001}, B)
manifest("manifest-line-length", "structured attribute too long", {**A, "note": ["x" * 100] * 200}, B)
manifest("manifest-attribute-name", "attribute begins with a dollar", {**A, "$id": 1}, B)
manifest("manifest-source", "no source-ref", A, {"image": f"s3://{INPUT}/day/b.jpg"})
manifest("manifest-source", "an empty object", A, {})
manifest("manifest-source", "text in source", A, {"source": "a text"})
manifest("manifest-source", "source beside source-ref", {**A, "source": "a text"}, B)
manifest("manifest-source", "an https URL", {"source-ref": f"https://{INPUT}.s3.amazonaws.com/day/a.jpg"})
manifest("manifest-source", "a local path", {"source-ref": "photos/a.jpg"})
manifest("manifest-source", "no key", {"source-ref": f"s3://{INPUT}"})
manifest("manifest-source", "an empty key", {"source-ref": f"s3://{INPUT}/"})
manifest("manifest-source", "no bucket", {"source-ref": "s3:///day/a.jpg"})
manifest("manifest-source", "an illegal bucket name", {"source-ref": "s3://Corpus_Input/day/a.jpg"})
manifest("manifest-source", "S3 in upper case", {"source-ref": f"S3://{INPUT}/day/a.jpg"})
manifest("manifest-source", "null", {"source-ref": None}, B)
manifest("manifest-source", "a number as source", {"source-ref": 7}, B)
manifest("manifest-source", "any bucket", {"source-ref": "s3://*/day/a.jpg"})
manifest("manifest-source", "a bucket that is an address", {"source-ref": "s3://192.168.0.1/a.jpg"})
manifest("manifest-source", "a bucket with two dots", {"source-ref": "s3://corpus..input/a.jpg"})
manifest("manifest-json", "half a surrogate pair in a note", _line[:-1] + r', "x": "\ud83d"}')
manifest("manifest-json", "an inner attribute twice", _line[:-1] + ', "x": [{"a": 1, "a": 2}]}')
manifest("manifest-json", "40,000 brackets", _line[:-1] + ', "x": ' + "[" * 40_000)
manifest("manifest-json", "a number of 5,000 digits", _line[:-1] + f', "x": {"1" * 5_000}}}')
manifest("manifest-json", "Infinity", _line[:-1] + ', "x": -Infinity}')
manifest("manifest-json", "half a surrogate pair", r'{"source-ref": "s3://corpus-input/\ud83d.jpg"}')
manifest("manifest-source", "key too long", {"source-ref": f"s3://{INPUT}/{'x' * 1025}"})
manifest("manifest-duplicates", "an image twice", A, B, A)
manifest("label-attribute", "attribute taken by something else", {**A, "streets-ref": "east"}, B)
manifest(
    "label-attribute",
    "attribute taken by another task type",
    {
        **A,
        "streets-ref": f"s3://{OUTPUT}/old/a.png",
        "streets-ref-metadata": {"type": "groundtruth/object-detection"},
    },
    B,
)
_done = {"type": "groundtruth/semantic-segmentation", "human-annotated": "yes", "internal-color-map": {}}
manifest(
    "nothing-to-label",
    "all labeled already",
    {**A, "streets-ref": f"s3://{OUTPUT}/old/a.png", "streets-ref-metadata": _done},
)
broken("manifest-count", "20,001 objects", lambda w: w.many(20_001))


@lambda change: broken("manifest-count", "too few for automated labeling", change)
def _(world: World) -> None:
    world.automated()


broken("image-exists", "image missing", lambda w: w.input.objects.pop("day/b.jpg"))
broken(
    "image-exists",
    "key percent-encoded in the manifest only",
    lambda w: (w.images("a b.jpg"), w.lines({"source-ref": f"s3://{INPUT}/a%20b.jpg"})),
)
broken(
    "image-exists",
    "plus sign for a space",
    lambda w: (w.images("a b.jpg"), w.lines({"source-ref": f"s3://{INPUT}/a+b.jpg"})),
)
broken(
    "image-exists", "other case of the suffix", lambda w: w.lines({"source-ref": f"s3://{INPUT}/day/a.JPG"})
)
broken("image-exists", "two slashes", lambda w: w.lines({"source-ref": f"s3://{INPUT}//day/a.jpg"}))
broken("image-access", "archived image", lambda w: w.input.archived.add("day/a.jpg"))
image("image-format", "GIF", pictures.other("GIF"))
image("image-format", "WebP", pictures.other("WEBP"))
image("image-format", "TIFF", pictures.other("TIFF"))
image("image-format", "BMP", pictures.other("BMP"))
image("image-format", "HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99)
image("image-format", "AVIF", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"\0" * 99)
image("image-format", "SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>')
image("image-format", "HTML of an error page", b"<!DOCTYPE html><title>404</title>")
image("image-format", "PDF", b"%PDF-1.7\n")
image("image-format", "zip", b"PK\3\4" + b"\0" * 99)
image("image-format", "JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 99)
image("image-format", "text", b"not an image at all")
image("image-format", "a Git LFS pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
image("image-format", "empty image", b"")
image("image-format", "lossless JPEG", pictures.with_frame(0xC3))
image("image-format", "arithmetic JPEG", pictures.with_frame(0xC9))
image("image-format", "JPEG of 12 bits", pictures.with_frame(0xC1, precision=12))
image("image-format", "PNG of an Apple app", pictures.SIGNATURE + pictures.chunk(b"CgBI", b"\x50\0\x20\2"))
image("image-broken", "JPEG without lines", pictures.with_frame(0xC0, height=0))
image("image-broken", "JPEG cut in its header", pictures.jpeg()[:100])
image("image-broken", "JPEG of its start alone", pictures.jpeg()[:3])
image("image-broken", "JPEG that ends at once", b"\xff\xd8\xff\xd9")
image("image-broken", "JPEG without pixels", pictures.jpeg()[: pictures.jpeg().index(b"\xff\xda")])
image("image-broken", "PNG cut in its header", pictures.png()[:20], "day/a.jpg")
image("image-broken", "PNG without pixels", pictures.png()[:33])
image("image-broken", "PNG cut in its pixels", pictures.png()[:-30])
image("image-broken", "large PNG cut in its pixels", pictures.png(compress_level=0)[:-9_000])
image("image-broken", "PNG of no width", pictures.bare_png(0, 9))
image("image-broken", "PNG of an illegal depth", pictures.bare_png(9, 9, depth=3, colour=2))
image("image-broken", "PNG with a wrong checksum", pictures.png()[:29] + b"\0\0\0\0" + pictures.png()[33:])
image("image-size", "image of more than 40 MB", pictures.jpeg() + b"\0" * 40_000_000)
image("image-pixels", "image of more than 100 million pixels", pictures.bare_png(10_001, 10_000))


@lambda change: broken("image-pixels", "image too large for automated labeling", change)
def _(world: World) -> None:
    world.many(1_250)
    world.put("many/00007.png", pictures.bare_png(1921, 1080))
    world.automated()


def _other_bucket(world: World, **bucket: Any) -> None:
    world.buckets["corpus-more"] = Bucket(**bucket)
    world.put("c.jpg", pictures.jpeg(), "corpus-more")
    world.lines(A, B, {"source-ref": "s3://corpus-more/c.jpg"})


broken(
    "bucket-exists", "image bucket missing", lambda w: w.lines(A, {"source-ref": "s3://corpus-gone/c.jpg"})
)
broken(
    "bucket-exists",
    "output bucket missing",
    lambda w: w.request.update(OutputConfig={"S3OutputPath": "s3://corpus-gone/labels"}),
)
broken("bucket-region", "image bucket elsewhere", lambda w: _other_bucket(w, region=ELSEWHERE))
broken("bucket-region", "output bucket elsewhere", lambda w: setattr(w.buckets[OUTPUT], "region", ELSEWHERE))
broken("bucket-cors", "no CORS", lambda w: setattr(w.input, "cors", None))
broken("bucket-cors", "no CORS on a second bucket", lambda w: _other_bucket(w, cors=None))
broken("bucket-cors", "CORS without GET", lambda w: w.cors[0].update(AllowedMethods=["PUT"]))
broken(
    "bucket-cors",
    "CORS for one origin",
    lambda w: w.cors[0].update(AllowedOrigins=["https://a.example"]),
)
broken(
    "output-overlap",
    "images below the output",
    lambda w: (
        w.request.update(OutputConfig={"S3OutputPath": f"s3://{INPUT}/day/"})
        or w.statements.append(
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": [f"arn:aws:s3:::{INPUT}/*"]}
        )
    ),
)
broken("output-overlap", "output below the listed prefix", lambda w: setattr(w, "listed", f"s3://{OUTPUT}/"))

broken("role-trust", "role missing", lambda w: setattr(w, "has_role", False))
broken("role-trust", "role of another service", lambda w: setattr(w, "trusts", "lambda.amazonaws.com"))
broken("role-access", "role may not read", lambda w: drop(w, "s3:GetObject"))
broken("role-access", "role may not write", lambda w: drop(w, "s3:PutObject"))
broken("role-access", "role may not find buckets", lambda w: drop(w, "s3:GetBucketLocation"))
broken(
    "role-access",
    "role may not read one directory",
    lambda w: deny(w, "s3:GetObject", f"arn:aws:s3:::{INPUT}/night/*"),
)
broken(
    "role-access",
    "role may not read the template",
    lambda w: deny(w, "s3:GetObject", f"arn:aws:s3:::{INPUT}/template*"),
)
broken(
    "kms-key",
    "role may not use the images' key",
    lambda w: (w.keys.update(photos=Key(granted=False)), w.input.encrypted.update({"day/a.jpg": "photos"})),
)
broken(
    "kms-key",
    "images' key disabled",
    lambda w: (
        w.keys.update(photos=Key(state="Disabled")),
        w.input.encrypted.update({"day/a.jpg": "photos"}),
    ),
)

broken("category-file", "labels: missing", lambda w: w.input.objects.pop("labels.json"))
_list = [{"label": name} for name in LABELS]
labels("not JSON", b"road, building")
labels("cut off", b'{"document-version": "2018-11-28", "lab')
labels("an array", _list)
labels("no document-version", {"labels": _list})
labels("another document-version", {"document-version": "2020-01-01", "labels": _list})
labels("no labels", {"document-version": "2018-11-28"})
labels("an empty list", {"document-version": "2018-11-28", "labels": []})
labels("bare strings", {"document-version": "2018-11-28", "labels": LABELS})
labels("without names", {"document-version": "2018-11-28", "labels": [{"name": "road"}]})
labels("a number", {"document-version": "2018-11-28", "labels": [{"label": 1}]})
labels("an empty name", {"document-version": "2018-11-28", "labels": [{"label": ""}]})
labels("a name twice", {"document-version": "2018-11-28", "labels": [*_list, {"label": "road"}]})
labels("a long name", {"document-version": "2018-11-28", "labels": [{"label": "x" * 257}]})
labels("white space around", {"document-version": "2018-11-28", "labels": [{"label": " road"}]})
labels("a tab", {"document-version": "2018-11-28", "labels": [{"label": "ro\tad"}]})
labels("a line break", {"document-version": "2018-11-28", "labels": [{"label": "road\nside"}]})
labels("BACKGROUND in lower case", {"document-version": "2018-11-28", "labels": [{"label": "background"}]})
labels("labels twice", b'{"document-version": "2018-11-28", "labels": [], "labels": [{"label": "a"}]}')
labels("NaN", b'{"document-version": "2018-11-28", "labels": [{"label": "a", "x": NaN}]}')
labels("BACKGROUND", {"document-version": "2018-11-28", "labels": [*_list, {"label": "BACKGROUND"}]})


@lambda change: broken("category-file", "labels: too many for automated labeling", change)
def _(world: World) -> None:
    world.many(1_250)
    world.labels(*(f"class {n}" for n in range(21)))
    world.automated()


broken("template", "template: missing", lambda w: w.input.objects.pop("template.liquid.html"))
broken(
    "template", "template: not UTF-8", lambda w: w.put("template.liquid.html", TEMPLATE.encode() + b"\xff")
)
template("no form", "crowd-form", "form")
template("no element", "crowd-semantic-segmentation", "crowd-polygon")
template("two elements", "</crowd-form>", '<crowd-semantic-segmentation name="b"/></crowd-form>')
template("two forms", "</crowd-form>", "</crowd-form><crowd-form></crowd-form>")
template("element outside of the form", "<crowd-form>", "<crowd-form></crowd-form><div>")
template("element without a name", 'name="segmentation"', "")
template("image without access", " | grant_read_access", "")
template("image of another attribute", "task.input.taskObject", "task.input.image")
template("labels missing", 'labels="{{ task.input.labels | to_json | escape }}"', "")
template("labels not as JSON", " | to_json | escape", "")
template("a label that isn't one", "{{ task.input.labels | to_json | escape }}", "[&quot;river&quot;]")
template("unknown filter", "to_json", "to_jsn")
template("output not closed", "taskObject | grant_read_access }}", "taskObject | grant_read_access")
template("unknown tag", "<crowd-form>", "<crowd-form>{% foreach x %}")
template("no script", "crowd-html-elements.js", "elements.js")
template("comment not closed", "<crowd-form>", "<crowd-form>{% comment %}")
template("tag not closed", "<crowd-form>", "<crowd-form>{% if task.input.hint %}")

broken("workteam", "team missing", lambda w: w.teams.clear())
broken("workteam-members", "team of nobody", lambda w: w.teams.update({"corpus-team": []}))
broken("workteam-members", "team too small", lambda w: w.teams.update({"corpus-team": ["ann", "bob"]}))
broken(
    "workteam",
    "team elsewhere",
    lambda w: w.task.update(WorkteamArn=w.task["WorkteamArn"].replace(w.region, ELSEWHERE)),
)
broken(
    "workteam",
    "public team",
    lambda w: w.task.update(
        WorkteamArn=f"arn:aws:sagemaker:{w.region}:394669845002:workteam/public-crowd/default"
    ),
)
broken(
    "function-region",
    "functions of another Region's account",
    lambda w: w.task.update(
        PreHumanTaskLambdaArn=w.task["PreHumanTaskLambdaArn"].replace("568282634449", "203001061592")
    ),
)
broken(
    "function-region",
    "functions of another Region",
    lambda w: w.task.update(
        PreHumanTaskLambdaArn=w.task["PreHumanTaskLambdaArn"].replace(w.region, ELSEWHERE)
    ),
)
broken(
    "function-region",
    "functions of two task types",
    lambda w: w.task.update(
        AnnotationConsolidationConfig={
            "AnnotationConsolidationLambdaArn": w.task["PreHumanTaskLambdaArn"].replace(
                "PRE-", "ACS-Verification"
            )
        }
    ),
)


def prior(letter: str, *classes: str, **changes: object) -> dict:
    """A line that an earlier job has labeled."""
    colours = {str(n): {"class-name": name, "hex-color": f"#00000{n}"} for n, name in enumerate(classes)}
    metadata = {**_done, "internal-color-map": colours, "job-name": "labeling-job/old"}
    mask = f"s3://{OUTPUT}/old/{letter}.png"
    entry = {"source-ref": f"s3://{INPUT}/day/{letter}.jpg", "old-ref": mask, "old-ref-metadata": metadata}
    return {key: value for key, value in {**entry, **changes}.items() if value is not None}


_EARLIER = "{{ task.input.manifestLine['old-ref'] | grant_read_access }}"
ADJUSTMENT_TEMPLATE = TEMPLATE.replace(
    'name="segmentation"', f'name="segmentation" initial-value="{_EARLIER}"'
)


def adjustment(check: str, name: str, *lines: dict, attribute: str = "streets-ref") -> None:
    def change(world: World) -> None:
        world.task_type("AdjustmentSemanticSegmentation")
        world.request["LabelAttributeName"] = attribute
        world.put("template.liquid.html", ADJUSTMENT_TEMPLATE)
        world.lines(*lines)

    broken(check, f"adjustment: {name}", change)


adjustment("prior-labels", "no labels", A, B)
adjustment("prior-labels", "one line without labels", prior("a", "BACKGROUND", "road"), B)
adjustment("prior-labels", "no metadata", prior("a", "road", **{"old-ref-metadata": None}))
adjustment("prior-labels", "no mask", prior("a", "road", **{"old-ref": None}))
adjustment("prior-labels", "no colour map", prior("a", "road", **{"old-ref-metadata": {"type": "x"}}))
adjustment("prior-labels", "a class is gone", prior("a", "BACKGROUND", "road", "river"))
adjustment("label-attribute", "the earlier name again", prior("a", "road"), attribute="old-ref")


def verification(check: str, name: str, *verdicts: str, **template: str) -> None:
    def change(world: World) -> None:
        world.task_type("VerificationSemanticSegmentation")
        world.request["LabelAttributeName"] = "checked"
        world.lines(prior("a", "BACKGROUND", "road"))
        world.labels(*verdicts)
        world.put("template.liquid.html", template.get("html", CLASSIFIER_TEMPLATE))

    broken(check, f"verification: {name}", change)


CLASSIFIER_TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-image-classifier name="verdict" header="Right?"
  src="{{ task.input.taskObject | grant_read_access }}"
  categories="{{ task.input.labels | to_json | escape }}"></crowd-image-classifier></crowd-form>"""
verification("category-file", "eleven verdicts", *map(str, range(11)))
verification("template", "a page to paint on", "right", "wrong", html=TEMPLATE)
verification(
    "template",
    "a page that offers labels",
    "right",
    html=CLASSIFIER_TEMPLATE.replace("categories=", "labels="),
)

broken("cost-ceiling", "too many objects", lambda w: setattr(w, "cost", {"MaxObjects": "2"}))
broken("cost-ceiling", "too many tasks", lambda w: setattr(w, "cost", {"MaxTasks": "8"}))
broken(
    "cost-ceiling",
    "too expensive",
    lambda w: setattr(
        w,
        "cost",
        {
            "MaxAmount": "10",
            "Currency": "EUR",
            "PricePerTask": "1.50",
            "Source": "offer 7",
            "AsOf": "2026-11-01",
        },
    ),
)
