import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from labeling_job.contract import Images
from labeling_job.errors import DeployError
from labeling_job.images import manifest_uri
from labeling_job.limits import OBJECTS_MAX

ODD_KEYS = ["a b.jpg", "ü.png", "x+y%20.jpeg", "q\"u'ote.jpg", "line\nbreak.jpg", "sep\u2028.jpg", "UP.JPG"]


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(name, data)
    return buffer.getvalue()


def directory(s3, files) -> Images:
    s3.objects["assets", "0123456789abcdef0123.zip"] = archive(files)
    return Images(
        source="Directory", archive_s3_uri="s3://assets/0123456789abcdef0123.zip", staging_s3_uri="s3://in/s/"
    )


def bucket(s3, keys, prefix="") -> Images:
    s3.objects.update({("photos", key): b"x" for key in keys})
    return Images(source="Bucket", images_s3_uri=f"s3://photos/{prefix}", staging_s3_uri="s3://in/s/")


def lines(s3, uri) -> list[str]:
    name, key = uri.removeprefix("s3://").split("/", 1)
    text = s3.objects[name, key].decode()
    assert text.endswith("\n")
    return [json.loads(line)["source-ref"] for line in text.split("\n")[:-1]]


def test_a_directory_is_copied_file_by_file_and_listed(s3):
    files = {"sub/b.png": b"B" * 5000, "a.jpg": b"A", "notes.txt": b"-", "sub/": b""}
    uri = manifest_uri(s3, directory(s3, files), job_name="job-1")
    assert uri == "s3://in/s/manifests/job-1.manifest"
    base = "s/images/0123456789abcdef/"
    assert lines(s3, uri) == [f"s3://in/{base}a.jpg", f"s3://in/{base}sub/b.png"]
    assert s3.objects["in", f"{base}sub/b.png"] == b"B" * 5000
    assert s3.content_types[f"{base}a.jpg"] == "image/jpeg"
    assert s3.content_types[f"{base}sub/b.png"] == "image/png"
    assert not any(key.endswith(".txt") for _, key in s3.objects)


def test_an_interrupted_copy_goes_on_where_it_was(s3):
    images = directory(s3, {f"{n:02}.jpg": b"x" * n for n in range(1, 31)})
    s3.fail_after = 10
    with pytest.raises(ClientError, match="SlowDown"):
        manifest_uri(s3, images, job_name="job")
    s3.fail_after, copied = None, set(s3.puts)
    s3.puts.clear()
    uri = manifest_uri(s3, images, job_name="job")
    assert len(lines(s3, uri)) == 30
    assert not copied & set(s3.puts)


def test_a_bucket_is_listed_in_order_with_odd_keys(s3):
    images = bucket(s3, [*ODD_KEYS, "b.gif", "readme"])
    found = lines(s3, manifest_uri(s3, images, job_name="job"))
    assert found == [f"s3://photos/{key}" for key in sorted(ODD_KEYS, key=str.encode)]


def test_a_prefix_and_empty_placeholders_are_respected(s3):
    images = bucket(s3, ["day/a.jpg", "night/b.jpg"], prefix="day/")
    s3.objects["photos", "day/empty.jpg"] = b""
    assert lines(s3, manifest_uri(s3, images, job_name="job")) == ["s3://photos/day/a.jpg"]


def test_no_image_is_an_error_that_names_the_place(s3):
    with pytest.raises(DeployError, match=r"no image .* in s3://photos/day/"):
        manifest_uri(s3, bucket(s3, ["night/b.jpg"], prefix="day/"), job_name="job")


def test_too_many_images_are_counted_and_refused(s3):
    images = bucket(s3, [f"{n}.jpg" for n in range(OBJECTS_MAX + 1)])
    with pytest.raises(DeployError, match=r"20001 images.*20,000 objects"):
        manifest_uri(s3, images, job_name="job")
    assert not s3.puts


def test_a_given_manifest_is_left_alone(s3):
    assert manifest_uri(s3, Images(source="Manifest"), job_name="job") is None
    assert not s3.puts
