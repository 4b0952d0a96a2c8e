"""Opening an output manifest: by its place, by the name of its job, or several as one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from .class_merges import Merge
from .classes import Labels, label_list
from .decode import Alpha, Unknown
from .errors import ManifestError
from .joined import JoinedManifest
from .manifest import Manifest
from .order import described
from .orientation import Orientation
from .storage import Storage, is_s3, join, told

_OUTPUT = "manifests/output/output.manifest"

Place: TypeAlias = str | os.PathLike[str]


def read_manifest(
    location: Place | Sequence[Place] | None = None,
    *,
    job: str | Sequence[str] | None = None,
    session: Any = None,
    profile: str | None = None,
    attribute: str | None = None,
    labels: Labels | None = None,
    merge: Merge | None = None,
    drop: Iterable[str] = (),
    background: int = 0,
    unknown: Unknown = "error",
    alpha: Alpha = "visible",
    orientation: Orientation = "stored",
    root: str | os.PathLike[str] | None = None,
    mask_root: str | os.PathLike[str] | None = None,
    endpoint_url: str | None = None,
    storage: Storage | None = None,
) -> Manifest:
    """Open the output manifest of a Ground Truth semantic segmentation job.

    Args:
        location: `s3://…`, a file, or the job's folder (then `manifests/output/output.manifest` in it).
            Several are read as one, with one numbering of objects and classes.
        job: Instead of a location: the name of a labeling job, which is asked of SageMaker; or several.
        session: boto3 session for SageMaker and S3. Default: a new one.
        profile: Its profile, where no session is given. Default: as boto3 finds it.
        attribute: Label attribute to read. Default: the only segmentation attribute there is.
        labels: The label list that gives the class ids: names in order, name → id, a `LabelList`, or the
            place of a category file or of a text file with a name on each line. A text with commas is names.
            Names with the same id are one class. Default: with `job` its category file; else the order in
            which the app named them, where cdk-ground-truth's report lies beside the output; else the names
            met, in code-point order.
        merge: New class → the classes that it stands for: `{"vehicle": ["car", "truck"]}`. Its place, or id,
            is that of the first where `labels` doesn't name it.
        drop: Classes whose pixels become background.
        background: Id of pixels nobody labeled. Default: 0. Not used with a `LabelList`, which has its own.
        unknown: Colours that a mask's map does not know are an `error` (default), 255 (`ignore`) or
            `background`.
        alpha: Which pixels count by their colour: all but the fully transparent (`visible`, default), only
            the fully opaque (`opaque`), or every one (`color`). The others are background.
        orientation: How the workers saw images that EXIF turns, where the mask's size doesn't tell: as
            `stored` (default: the guide says that its pages keep browsers from turning) or `upright`.
        root: Folder with a copy of the bucket. Default: the folder that `location` names, for a file the one
            that holds it; then S3. Nothing above or outside of these folders is ever read.
        mask_root: The same for masks alone. Default: `root`.
        endpoint_url: S3 endpoint. Default: as boto3 finds it.
        storage: A shared `Storage`. Default: a new one for `endpoint_url`.

    Raises:
        ManifestError: The label list is not one.
        MissingError: There is no manifest, or no such job.
    """
    if (location is None) == (job is None):
        raise ManifestError("give the place of an output manifest, or the name of a labeling job with job=…")
    storage = storage or _storage(session, profile, endpoint_url)
    own = None if labels is None else label_list(labels, background=background, storage=storage)
    one = isinstance(location if job is None else job, str | os.PathLike)

    def opened_one(given: Place, listed: Labels | None) -> Manifest:
        place = os.fspath(given)
        found = None if listed is None else label_list(listed, background=background, storage=storage)
        return Manifest(
            _manifest_file(place),
            attribute=attribute,
            labels=found,
            background=background,
            unknown=unknown,
            alpha=alpha,
            orientation=orientation,
            root=os.fspath(root) if root is not None else None,
            mask_root=os.fspath(mask_root) if mask_root is not None else None,
            named=place if not is_s3(place) and Path(place).is_dir() else None,
            merge=merge if one else None,
            drop=drop if one else (),
            own_ids=own is not None,
            storage=storage,
        )

    places: list[tuple[Place, Labels | None]] = [(place, own) for place in _several(location)]
    for name in _several(job):
        uri, categories = described(str(name), session or _session(profile))
        places.append((uri, own or categories or None))
    parts = tuple(opened_one(place, listed) for place, listed in places)
    return parts[0] if one else JoinedManifest(parts, merge=merge, drop=drop)


def _several(given: Place | Sequence[Place] | None) -> Sequence[Place]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str | os.PathLike) else tuple(given)


#: What functions take: an open manifest, where one is, as `read_manifest` takes it, or several of them.
ManifestLike = Manifest | Place | Sequence[Manifest | Place]


def opened(given: ManifestLike) -> Manifest:
    """The manifest itself, or that of a place, with `read_manifest`'s defaults; several as one.

    Raises:
        LabelsError: as `read_manifest`.
    """
    if isinstance(given, Manifest):
        return given
    if isinstance(given, str | os.PathLike):
        return read_manifest(given)
    return JoinedManifest(tuple(opened(each) for each in given))


def _session(profile: str | None) -> Any:
    import boto3

    with told(f"the profile {profile!r}" if profile else "boto3", "can't be used", ManifestError):
        return boto3.Session(profile_name=profile)


def _storage(session: Any, profile: str | None, endpoint_url: str | None) -> Storage:
    if session is None and profile is None:
        return Storage(endpoint_url=endpoint_url)
    client = (session or _session(profile)).client("s3", endpoint_url=endpoint_url)
    return Storage(endpoint_url=endpoint_url, client=client)


def _manifest_file(location: str) -> str:
    if is_s3(location):
        return join(location, _OUTPUT) if location.endswith("/") else location
    if not Path(location).is_dir():
        return location
    direct = [path for name in (_OUTPUT, "output.manifest") if (path := Path(location, name)).is_file()]
    found = direct[:1] or sorted(Path(location).rglob("output/output.manifest"))
    if len(found) != 1:
        names = ", ".join(str(p) for p in found[:5]) or "none"
        raise ManifestError(f"{location}: must hold one job's {_OUTPUT}, found {names}; name the manifest")
    if not found[0].resolve().is_relative_to(Path(location).resolve()):
        raise ManifestError(f"{found[0]}: is a symbolic link out of {location}; name the manifest itself")
    return str(found[0])
