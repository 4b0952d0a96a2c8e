"""Makes one labeling job: its input is put together and checked, then the service is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from . import log
from .contract import Images, JobProperties
from .errors import BOOTSTRAP_KEY, DENIED_CODES, DeployError, code_of, message_of, operation_of, said
from .jobs import Jobs, tag_list
from .owned import Owned
from .patience import Patience, pauses
from .transport import AWS_ERRORS

if TYPE_CHECKING:
    from .images import Staging
    from .predecessors import Predecessor

# A role or policy made seconds ago in the same deploy isn't known everywhere yet.
_PROPAGATION = timedelta(seconds=30)
#: `(request, properties) → tags`; raises DeployError where the job should not be created.
Preflight = Callable[[Mapping[str, Any], JobProperties], Mapping[str, str]]

_CLOSED_HINT = (
    ". If this account never used Ground Truth: it closed to new customers on 2026-07-30, and the embedded"
    " AWS (`make local`) runs without an account."
)


class StagingArea(Protocol):
    """Where a job's input is put together."""

    def staged(
        self,
        images: Images,
        *,
        job_name: str,
        attribute: str,
        describe: Callable[[str], Mapping[str, Any] | None],
        before: Sequence[Predecessor],
        manifest_uri: str,
    ) -> Staging | None:
        """What has to be written for the job; None where its request names a manifest already."""

    def publish(self, staging: Staging, before_copying: Callable[[], None]) -> None:
        """Write it; the check comes before images are copied, where there are such."""


class Creation:
    """Creates jobs of one custom resource.

    Args:
        jobs: the service.
        owned: whose they are.
        patience: how long there is for all of it.
        staging: lists, chooses and publishes images.
        preflight: reads all that the job would. Its tags go on the job.
        check_awaited: raises DeployError where nobody waits for the job any more.
    """

    def __init__(
        self,
        jobs: Jobs,
        owned: Owned,
        patience: Patience,
        *,
        staging: StagingArea,
        preflight: Preflight,
        check_awaited: Callable[[], None],
    ) -> None:
        self._jobs = jobs
        self._owned = owned
        self._patience = patience
        self._staging = staging
        self._preflight = preflight
        self._check_awaited = check_awaited

    def ensure(self, name: str, properties: JobProperties, before: Sequence[Predecessor] = ()) -> None:
        """The job of this very request exists, made now or by an earlier try whose answer was lost.

        Raises:
            DeployError: it can't be created, or should not be.
        """
        self._while_iam_spreads(properties, lambda: self._ensure(name, properties, before))

    def check(self, name: str, properties: JobProperties, before: Sequence[Predecessor]) -> None:
        """Refuse the new job while the old one still runs, if it is to be refused."""
        self._while_iam_spreads(properties, lambda: self._checked(name, properties, before))

    def _ensure(self, name: str, properties: JobProperties, before: Sequence[Predecessor]) -> None:
        job = self._jobs.describe(name)
        if job is None:
            request = self._checked(name, properties, before)
            try:
                return self._jobs.create(request)
            except ClientError as error:
                if code_of(error) != "ResourceInUse":
                    raise
                job = self._jobs.describe(name)
        claim = self._owned.claim(job) if job else None
        if claim is None or not claim.of_request:
            raise DeployError(
                f"the job name {name!r} is taken by a job that isn't this stack's; nothing was created."
                " Set another job_name_prefix"
            )
        log.action("AdoptLabelingJob", job=name)

    def staged(self, name: str, properties: JobProperties, before: Sequence[Predecessor]) -> Staging | None:
        """What has to be written for the job; None where its request names a manifest already."""
        sources = properties.request.get("InputConfig", {}).get("DataSource", {})
        return self._staging.staged(
            properties.images,
            job_name=name,
            attribute=str(properties.request.get("LabelAttributeName")),
            describe=self._jobs.describe,
            before=before,
            manifest_uri=str(sources.get("S3DataSource", {}).get("ManifestS3Uri", "")),
        )

    def _while_iam_spreads(self, properties: JobProperties, step: Callable[[], object]) -> None:
        until: datetime | None = None
        for seconds in pauses():
            try:
                step()
                return
            except AWS_ERRORS as error:
                # Time counts from the first refusal on: what came before, like a copy, may have taken long.
                until = until or self._patience.now() + _PROPAGATION
                if not _may_be_propagation(error, properties) or self._patience.now() > until:
                    raise DeployError(f"{said(error)}{_hint(error)}") from error
                log.action("WaitForIam", error=said(error))
            self._patience.pause(seconds, "IAM has not spread the new role yet")

    def _checked(self, name: str, properties: JobProperties, before: Sequence[Predecessor]) -> dict[str, Any]:
        """Put the input together and check all of it; the request to send."""
        staging = self.staged(name, properties, before)
        request = self._request(name, properties, staging)
        if staging is not None:
            # A copy may be of gigabytes into a bucket that a failed deploy leaves behind.
            self._staging.publish(staging, lambda: self._check_the_rest(request, properties))
        request["Tags"] += tag_list(self._preflight(request, properties))
        self._check_awaited()
        return request

    def _check_the_rest(self, request: Mapping[str, Any], properties: JobProperties) -> None:
        self._preflight(request, without_images(properties))

    def _request(self, name: str, properties: JobProperties, staging: Staging | None) -> dict[str, Any]:
        request: dict[str, Any] = {"LabelingJobName": name, **properties.request}
        if staging is not None:
            source = {"S3DataSource": {"ManifestS3Uri": staging.manifest_uri}}
            request["InputConfig"] = {**request.get("InputConfig", {}), "DataSource": source}
        request["Tags"] = tag_list({**properties.tags, **self._owned.tags})
        return request


def without_images(properties: JobProperties) -> JobProperties:
    """The properties with no look at the images, which aren't there yet."""
    if properties.preflight is None:
        return properties
    # Only a create needs it.
    from .rules.findings import IMAGE_CHECKS

    skip = sorted({*properties.preflight.get("Skip", ()), *IMAGE_CHECKS})
    return replace(properties, preflight={**properties.preflight, "Skip": skip})


def _hint(error: BaseException) -> str:
    """Why a call may be refused, where one cause is known; of any other call the hint would mislead."""
    if operation_of(error) == "CreateLabelingJob":
        return _CLOSED_HINT
    # An archive that was published with the app: S3 names what its reader may not do with the key.
    is_of_key = operation_of(error) == "GetObject" and "kms:Decrypt" in message_of(error)
    return f"; {BOOTSTRAP_KEY}" if is_of_key else ""


def _may_be_propagation(error: BaseException, properties: JobProperties) -> bool:
    """Access denied, or a complaint about the very role: both pass once IAM has spread what is new."""
    if code_of(error) in DENIED_CODES:
        return True
    return code_of(error) == "ValidationException" and str(properties.request.get("RoleArn")) in str(error)
