"""Grants on where labels are written to and images are taken from, for a job as for a campaign."""

from __future__ import annotations

import functools

from aws_cdk import Resource
from aws_cdk import aws_iam as iam

from .grants import Objects, grant_objects, is_foreign, warn_not_granted


class LabelPlaces(Resource):
    """Grants on labels and images; not for use by itself."""

    def _output_objects(self) -> Objects | None:
        """Where the labels are, if that is known."""
        return None

    def _image_objects(self) -> tuple[Objects, ...]:
        """Where new images belong, if there is such a place."""
        return ()

    def _image_advice(self) -> str:
        return (
            "a directory's images are published by `cdk deploy` and a manifest's are listed in it, so images"
            " that are put elsewhere are never labeled; use Images.from_bucket or Images.from_topic"
        )

    def grant_read_labels(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody read masks and manifests, with the key that encrypts them.

        It covers the output of all jobs that this construct ever makes, so a replaced job's labels stay
        readable, and whoever reads labels doesn't have to wait for the job.
        """
        place = self._output_objects()
        if place is None:
            return self._dropped(
                grantee, "import the job with from_labeling_job_attributes(…, output_bucket=…)"
            )
        return self._grant_objects(grantee, place, read=True)

    def grant_write_images(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let somebody put images where the job takes them from, with the key that encrypts them.

        A streaming job hears of them through its topic; a job over a bucket takes what is there when it
        is deployed.
        """
        places = self._image_objects()
        if not places:
            return self._dropped(grantee, self._image_advice())
        grants = (self._grant_objects(grantee, place, read=False) for place in places)
        return functools.reduce(lambda one, other: one.combine(other), grants)

    def _grant_objects(self, grantee: iam.IGrantable, place: Objects, *, read: bool) -> iam.Grant:
        grant = grant_objects(grantee, place, read=read, foreign=is_foreign(grantee, self))
        if grant is None:
            return self._dropped(grantee, place.advice("s3:GetObject" if read else "s3:PutObject"))
        return grant

    def _dropped(self, grantee: iam.IGrantable, advice: str) -> iam.Grant:
        warn_not_granted(self, advice)
        return iam.Grant.drop(grantee, advice)
