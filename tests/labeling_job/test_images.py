from __future__ import annotations

import io
import json
import zipfile
import zlib

import pytest

from labeling_job.contract import Images
from labeling_job.errors import DeployError, NotYetError
from labeling_job.limits import OBJECTS_MAX
from tests.labeling_job.fakes import S3, published

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


def staged_key(name: str, content: bytes) -> str:
    """Where an image of a directory is put: below its content's checksum and size."""
    return f"s/images/{zlib.crc32(content):08x}{len(content):x}/{name}"


def bucket(s3, keys, prefix="", **listing) -> Images:
    s3.objects.update({("photos", key): b"x" for key in keys})
    uri = f"s3://photos/{prefix}"
    return Images(source="Bucket", images_s3_uri=uri, staging_s3_uri="s3://in/s/", listing=listing)


def lines(s3, uri) -> list[str]:
    name, key = uri.removeprefix("s3://").split("/", 1)
    text = s3.objects[name, key].decode()
    assert text.endswith("\n")
    return [json.loads(line)["source-ref"] for line in text.split("\n")[:-1]]


def test_a_directory_is_copied_file_by_file_and_listed(s3: S3) -> None:
    files = {"sub/b.png": b"B" * 5000, "a.jpg": b"A", "notes.txt": b"-", "sub/": b""}
    uri = published(s3, directory(s3, files), job_name="job-1")
    assert uri == "s3://in/s/manifests/job-1.manifest"
    first, second = staged_key("a.jpg", b"A"), staged_key("sub/b.png", b"B" * 5000)
    assert lines(s3, uri) == [f"s3://in/{first}", f"s3://in/{second}"]
    assert s3.objects["in", second] == b"B" * 5000
    assert s3.content_types[first] == "image/jpeg"
    assert s3.content_types[second] == "image/png"
    assert not any(key.endswith(".txt") for _, key in s3.objects)


def test_an_interrupted_copy_goes_on_where_it_was(s3: S3) -> None:
    images = directory(s3, {f"{n:02}.jpg": b"x" * n for n in range(1, 31)})
    s3.fail_after = 10
    # Eight copies at once: whichever ends first says why.
    with pytest.raises((DeployError, NotYetError), match=r"SlowDown|still copied"):
        published(s3, images, job_name="job")
    s3.fail_after, copied = None, {key for key in s3.puts if "/images/" in key}
    assert copied
    s3.puts.clear()
    uri = published(s3, images, job_name="job")
    assert len(lines(s3, uri)) == 30
    assert not copied & set(s3.puts)


def test_a_bucket_is_listed_in_order_with_odd_keys(s3: S3) -> None:
    images = bucket(s3, [*ODD_KEYS, "b.gif", "readme"])
    found = lines(s3, published(s3, images, job_name="job"))
    assert found == [f"s3://photos/{key}" for key in sorted(ODD_KEYS, key=str.encode)]


def test_a_prefix_and_empty_placeholders_are_respected(s3: S3) -> None:
    images = bucket(s3, ["day/a.jpg", "night/b.jpg"], prefix="day/")
    s3.objects["photos", "day/empty.jpg"] = b""
    assert lines(s3, published(s3, images, job_name="job")) == ["s3://photos/day/a.jpg"]


def test_no_image_is_an_error_that_names_the_place(s3: S3) -> None:
    with pytest.raises(DeployError, match=r"no image .* in s3://photos/day/"):
        published(s3, bucket(s3, ["night/b.jpg"], prefix="day/"), job_name="job")


def test_too_many_images_are_counted_and_refused(s3: S3) -> None:
    s3.page = 1_000
    images = bucket(s3, [f"{n}.jpg" for n in range(OBJECTS_MAX + 5)])
    with pytest.raises(DeployError, match=r"20,005 images.*20,000 objects.*LabelingCampaign.*take a sample"):
        published(s3, images, job_name="job")
    assert not s3.puts


def test_a_given_manifest_is_left_alone(s3: S3) -> None:
    assert published(s3, Images(source="Manifest"), job_name="job") is None
    assert not s3.puts


class TestFilters:
    KEYS = ("a.jpg", "b.PNG", "c.tif", "thumbs/a.jpg", "day/thumbs/b.jpg", "day/_b.jpg")

    @pytest.mark.parametrize(
        ("listing", "expected"),
        [
            ({}, ["a.jpg", "b.PNG", "day/_b.jpg", "day/thumbs/b.jpg", "thumbs/a.jpg"]),
            ({"Suffixes": [".png", ".TIF"]}, ["b.PNG", "c.tif"]),
            ({"Exclude": ["thumbs/*"]}, ["a.jpg", "b.PNG", "day/_b.jpg", "day/thumbs/b.jpg"]),
            ({"Exclude": ["*thumbs/*", "*/_*"]}, ["a.jpg", "b.PNG"]),
            ({"Exclude": ["[ab].*"]}, ["day/_b.jpg", "day/thumbs/b.jpg", "thumbs/a.jpg"]),
        ],
    )
    def test_of_suffix_and_pattern(self, s3: S3, listing, expected) -> None:
        found = lines(s3, published(s3, bucket(s3, self.KEYS, **listing), job_name="job"))
        assert found == [f"s3://photos/{key}" for key in expected]

    def test_patterns_begin_below_the_prefix(self, s3: S3) -> None:
        images = bucket(s3, ["day/a.jpg", "day/day/b.jpg"], prefix="day/", Exclude=["day/*"])
        assert lines(s3, published(s3, images, job_name="job")) == ["s3://photos/day/a.jpg"]

    def test_nothing_left_is_told_with_the_suffixes(self, s3: S3) -> None:
        with pytest.raises(DeployError, match=r"no image \(\.png\)"):
            published(s3, bucket(s3, ["a.jpg"], Suffixes=[".png"]), job_name="job")


class TestSample:
    KEYS = tuple(f"{folder}/{n:03}.jpg" for folder in "abc" for n in range(40))

    def sample(self, s3, **listing) -> list[str]:
        return lines(s3, published(s3, bucket(s3, self.KEYS, **listing), job_name="job"))

    def test_of_a_seed_is_the_same_each_time_and_in_order(self, s3: S3) -> None:
        first = self.sample(s3, Sample=15, Seed=7)
        assert first == self.sample(s3, Sample=15, Seed=7)
        assert len(set(first)) == 15
        assert first == sorted(first)

    def test_doesnt_depend_on_how_the_listing_is_paged(self, s3: S3) -> None:
        first = self.sample(s3, Sample=15, Seed=7)
        s3.page = 1_000
        assert first == self.sample(s3, Sample=15, Seed=7)

    def test_of_another_seed_is_another(self, s3: S3) -> None:
        assert self.sample(s3, Sample=15, Seed=7) != self.sample(s3, Sample=15, Seed=8)

    def test_changes_little_when_images_are_added(self, s3: S3) -> None:
        first = set(self.sample(s3, Sample=60, Seed=7))
        s3.objects["photos", "d/new.jpg"] = b"x"
        assert len(first & set(self.sample(s3, Sample=60, Seed=7))) >= 59

    def test_of_more_than_there_are_is_all(self, s3: S3) -> None:
        assert len(self.sample(s3, Sample=500)) == len(self.KEYS)

    def test_makes_a_large_bucket_fit(self, s3: S3) -> None:
        s3.page = 1_000
        images = bucket(s3, [f"{n}.jpg" for n in range(OBJECTS_MAX + 5)], Sample=10)
        assert len(lines(s3, published(s3, images, job_name="job"))) == 10


class TestListing:
    """However a bucket is split among requests, the same keys come in the same order."""

    @pytest.mark.parametrize(
        "keys",
        [
            ["a.jpg"],
            [f"{n}.jpg" for n in range(9)],
            ["a/1.jpg", "a/2.jpg", "a/3.jpg", "b/1.jpg", "b/2.jpg", "c.jpg"],
            [f"2026/{month}/{n}.jpg" for month in (1, 2) for n in range(5)],
            ["x/y/z/w/1.jpg", "x/y/z/w/2.jpg", "x/y/z/w/3.jpg"],
            ["x/1.jpg", "x/y/1.jpg", "x/y/2.jpg", "x.jpg"],
            [f"{n}/1.jpg" for n in range(100)],
            ["/a.jpg", "//b.jpg", "/c/d.jpg", "e.jpg"],
        ],
    )
    @pytest.mark.parametrize("page", [1, 2, 3, 1_000])
    def test_finds_each_key_once_and_in_order(self, s3: S3, keys, page: int) -> None:
        s3.page = page
        found = lines(s3, published(s3, bucket(s3, keys), job_name="job"))
        assert found == [f"s3://photos/{key}" for key in sorted(keys, key=str.encode)]

    def test_goes_side_by_side_where_prefixes_share_many_keys(self, s3: S3) -> None:
        s3.page = 3
        keys = [f"2026/{month}/{n}.jpg" for month in (1, 2) for n in range(5)]
        published(s3, bucket(s3, keys), job_name="job")
        assert {prefix for prefix, delimiter in s3.listings if not delimiter} == {"", "2026/1/", "2026/2/"}

    def test_a_small_bucket_takes_one_request(self, s3: S3) -> None:
        s3.page = 1_000
        published(s3, bucket(s3, ["a/1.jpg", "b/1.jpg"]), job_name="job")
        assert s3.listings == [("", "")]

    def test_an_error_of_one_prefix_is_an_error(self, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
        real = s3.list_objects_v2

        def list_objects_v2(Bucket, Prefix, **options):
            if Prefix == "b/":
                raise RuntimeError("no")
            return real(Bucket, Prefix, **options)

        monkeypatch.setattr(s3, "list_objects_v2", list_objects_v2)
        keys = [f"{folder}/{n}.jpg" for folder in "abc" for n in range(50)]
        s3.page = 3
        with pytest.raises(RuntimeError, match="no"):
            published(s3, bucket(s3, keys), job_name="job")


def test_unpacked_images_wait_for_room(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight images of 40 MB at a time would be more than half of the function's memory."""
    from labeling_job import archive as module

    monkeypatch.setattr(module, "_UPLOAD_BYTES", 100)
    under_way, most = [], []
    real = s3.put_object

    def put_object(Body, **request):
        if request["Key"].endswith(".manifest"):
            return real(Body=Body, **request)
        under_way.append(len(Body))
        most.append(sum(under_way))
        real(Body=Body, **request)
        under_way.remove(len(Body))
        return None

    monkeypatch.setattr(s3, "put_object", put_object)
    published(s3, directory(s3, {f"{n:02}.jpg": b"x" * 40 for n in range(30)}), job_name="job")
    assert max(most) <= 100
