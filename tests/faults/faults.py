"""What can go wrong at one call of the handler's, and where it is made to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError

from tests.faults.wire import Request, cut, emptied, error_reply, reply


class Killed(BaseException):
    """The process is gone: nothing of the handler may catch this."""


class Kind(StrEnum):
    """What happens at a call. The first group ends, the second lasts as long as the request is worked on."""

    ERROR_BEFORE = "error before"
    ERROR_AFTER = "error after the effect"
    THROTTLED = "throttled once"
    CUT_BEFORE = "connection cut before"
    LOST = "answer lost"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"
    DUPLICATE = "duplicate delivery meanwhile"
    CANCELLED = "cancelled by CloudFormation meanwhile"
    DUPLICATE_LATE = "duplicate delivery when all is over"
    FOREIGN_TAGS = "somebody tags all jobs meanwhile"

    BODY_BREAKS = "the answer's body breaks off"
    BODY_SHORT = "the answer's body is cut short"
    BODY_EMPTIED = "the answer's times and numbers are empty"
    LATE_IAM = "denied until IAM has spread the role"
    LATE_CONFIGURATION = "the bucket's configuration isn't there yet"

    REFUSED = "refused for good"
    BARE_403 = "refused for good, without a word"
    BLACK_HOLE = "the service is a black hole"
    THROTTLED_FOREVER = "throttled for good"
    KILLED_BEFORE_FOREVER = "each delivery killed before"
    KILLED_AFTER_FOREVER = "each delivery killed after"
    UNREACHABLE = "unreachable for good"
    THROTTLED_EVERYWHERE = "throttled for good, in every request"


LASTING = frozenset(
    {
        Kind.REFUSED,
        Kind.BARE_403,
        Kind.BLACK_HOLE,
        Kind.THROTTLED_FOREVER,
        Kind.KILLED_BEFORE_FOREVER,
        Kind.KILLED_AFTER_FOREVER,
        Kind.UNREACHABLE,
        Kind.THROTTLED_EVERYWHERE,
    }
)
#: What the answer to CloudFormation, a plain PUT, can meet.
OF_ANSWER = (
    Kind.ERROR_BEFORE,
    Kind.LOST,
    Kind.KILLED_BEFORE,
    Kind.KILLED_AFTER,
    Kind.DUPLICATE,
    Kind.CANCELLED,
    Kind.UNREACHABLE,
    Kind.KILLED_BEFORE_FOREVER,
    Kind.KILLED_AFTER_FOREVER,
)
#: What nobody who deploys may notice.
UNNOTICED = frozenset(
    {
        Kind.THROTTLED,
        Kind.CUT_BEFORE,
        Kind.BODY_BREAKS,
        Kind.BODY_SHORT,
        Kind.BODY_EMPTIED,
        Kind.LATE_IAM,
        Kind.LATE_CONFIGURATION,
        Kind.FOREIGN_TAGS,
    }
)
#: How long IAM and S3 take to spread what is new.
LATE_SECONDS = 12.0
#: S3's words for a bucket without the configuration.
NOT_CONFIGURED = {
    "GetBucketCors": "NoSuchCORSConfiguration",
    "GetBucketPolicy": "NoSuchBucketPolicy",
    "GetBucketLocation": "NoSuchBucket",
}
#: A deploy goes on without an answer of these.
ADVISING = ("iam", "kms", "cognito-identity-provider", "cloudformation")
#: These strike a whole request, not a call.
OF_REQUEST = (Kind.DUPLICATE_LATE,)
OF_CALL = tuple(kind for kind in Kind if kind not in OF_REQUEST)


@dataclass(frozen=True)
class Point:
    """One call in a run without faults: the scenario's request, and the how-manieth call of it."""

    request: int
    call: int
    action: str

    @property
    def service(self) -> str:
        return self.action.partition(":")[0]


class Injector:
    """Does one fault at one point, and records every call.

    Args:
        meanwhile: runs what happens beside the handler: a duplicate delivery, a cancellation.
    """

    def __init__(self, point: Point | None, kind: Kind | None) -> None:
        self.point, self.kind = point, kind
        self.meanwhile: Callable[[Kind], None] = lambda kind: None
        #: The virtual clock, and what a try to connect costs.
        self.now: Callable[[], float] = lambda: 0.0
        self.connect: Callable[[str], None] = lambda service: None
        self._since = 0.0
        self.request = -1
        self.call = 0
        self.seen: list[Point] = []
        self.struck = False
        self.healed = False

    def begin(self, request: int) -> None:
        """A delivery of a request starts; a retry of it goes on counting."""
        if request != self.request:
            self.request, self.call = request, 0

    def through(self, request: Request, effect: Callable[[], AWSResponse]) -> AWSResponse:
        """Let one call through, or what the fault makes of it."""
        point = Point(self.request, self.call, request.action)
        self.call += 1
        self.seen.append(point)
        kind = self._strikes(point)
        if kind is None:
            return effect()
        self._since = self._since if self.struck else self.now()
        self.struck = True
        return self._strike(kind, request, effect)

    def _strikes(self, point: Point) -> Kind | None:
        if self.point is None or self.healed or self.kind is None:
            return None
        if self.kind is Kind.THROTTLED_EVERYWHERE:
            return (
                self.kind
                if (self.struck and point.action == self.point.action) or point == self.point
                else None
            )
        if self.kind in (Kind.LATE_IAM, Kind.LATE_CONFIGURATION):
            late = self.struck and point.action == self.point.action
            return (
                self.kind
                if point == self.point or (late and self.now() < self._since + LATE_SECONDS)
                else None
            )
        if self.kind is Kind.BLACK_HOLE:
            # The answer goes to S3, by another way.
            there = point.request == self.point.request and point.service == self.point.service
            there = there and point.action != "cloudformation:Answer"
            return self.kind if (self.struck and there) or point == self.point else None
        if self.kind in LASTING:
            again = self.struck and (point.request, point.action) == (self.point.request, self.point.action)
            return self.kind if again or point == self.point else None
        return self.kind if point == self.point and not self.struck else None

    def _strike(self, kind: Kind, request: Request, effect: Callable[[], AWSResponse]) -> AWSResponse:
        match kind:
            case Kind.ERROR_BEFORE:
                return error_reply(request, 500, "InternalFailure")
            case Kind.ERROR_AFTER:
                effect()
                return error_reply(request, 500, "InternalFailure")
            case Kind.THROTTLED | Kind.THROTTLED_FOREVER | Kind.THROTTLED_EVERYWHERE:
                return error_reply(request, 400, "ThrottlingException")
            case Kind.REFUSED:
                return error_reply(request, 400, "AccessDeniedException")
            case Kind.BODY_BREAKS:
                return cut(effect(), says=True)
            case Kind.BODY_SHORT:
                return cut(effect(), says=False)
            case Kind.BODY_EMPTIED:
                return emptied(effect())
            case Kind.LATE_IAM:
                return error_reply(request, 403, "AccessDenied")
            case Kind.LATE_CONFIGURATION:
                return error_reply(request, 404, NOT_CONFIGURED[request.operation])
            case Kind.BARE_403:
                return reply(403)
            case Kind.BLACK_HOLE:
                self.connect(request.service)
                raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")
            case Kind.CUT_BEFORE | Kind.UNREACHABLE:
                raise ConnectionClosedError(endpoint_url="http://127.0.0.1")
            case Kind.LOST:
                effect()
                raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
            case Kind.KILLED_BEFORE | Kind.KILLED_BEFORE_FOREVER:
                raise Killed
            case Kind.KILLED_AFTER | Kind.KILLED_AFTER_FOREVER:
                effect()
                raise Killed
            case Kind.DUPLICATE | Kind.CANCELLED | Kind.FOREIGN_TAGS:
                self.meanwhile(kind)
                return effect()
        raise AssertionError(kind)


class Armed(Injector):
    """Does a fault at the how-manieth call from now on, whosever it is."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self._left = -1

    def arm(self, kind: Kind | None, call: int) -> None:
        self.kind, self._left = kind, call
        self.struck, self.healed, self.point = False, kind is None, None

    def disarm(self) -> None:
        self.healed = True

    def through(self, request: Request, effect: Callable[[], AWSResponse]) -> AWSResponse:
        if self.point is None and not self.healed:
            if self._left == 0 and self._may_meet(request):
                self.point = Point(self.request, self.call, request.action)
            self._left = max(0, self._left - 1)
        return super().through(request, effect)

    def _may_meet(self, request: Request) -> bool:
        if self.kind is Kind.LATE_CONFIGURATION:
            return request.operation in NOT_CONFIGURED
        return request.operation != "Answer" or self.kind in OF_ANSWER
