"""The Activity Log in memory: late, in parts, and by event time where no workspace is asked."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

from shared.core.activity import Reading, Write, changes, one_each
from shared.core.errors import Stalled
from tests.fakes.system import FakeClock, Faults


class FakeActivityLog:
    """The port ActivityLog. What happens is noted by ``note``, and is seen ``lag_s`` later.

    ``most`` is how many entries fit into one reading. Only the ``workspaces`` that are named exist.
    """

    def __init__(
        self, clock: FakeClock, faults: Faults | None = None, workspaces: Collection[str] = ()
    ) -> None:
        self.clock = clock
        self.faults = faults or Faults()
        self.workspaces = set(workspaces)
        self.lag_s = 0.0
        self.most = 10_000
        self.entries: list[Write] = []

    def note(
        self,
        resource_id: str,
        operation: str | None = None,
        *,
        caller: str | None = "ann@contoso.example",
        client: str | None = None,
        correlation_id: str | None = None,
        times: int = 1,
    ) -> Write:
        """Note what somebody did now, as ``times`` entries of one operation; returns the last.

        ``operation`` is ``write`` or ``delete`` of the resource's type, or all of ARM's name.
        """
        number, now = len(self.entries), self.clock.now()
        for _ in range(times):
            self.entries.append(
                Write(
                    id=f"event-{len(self.entries)}",
                    resource_id=resource_id,
                    operation=_operation(resource_id, operation or "write"),
                    at=now,
                    seen_at=now + timedelta(seconds=self.lag_s),
                    correlation_id=correlation_id or f"correlation-{number}",
                    caller=caller,
                    client=client,
                )
            )
        return self.entries[-1]

    def forbid(self, times: int = 1) -> None:
        """Take the right to read away, for some calls."""
        self.faults.fail("activity.writes", _forbidden, times=times)

    def writes(self, subscription: str, since: datetime, workspace: str | None = None) -> Reading:
        """See ports.ActivityLog."""
        with self.faults.around("activity.writes", subscription):
            if workspace is not None and workspace not in self.workspaces:
                raise Stalled("ActivityLogMissing", f"there is no workspace {workspace}")
            below = f"/subscriptions/{subscription}/".lower()
            seen = [
                one
                for one in self.entries
                if one.seen_at <= self.clock.now() and one.resource_id.lower().startswith(below)
            ]
            if workspace is not None:
                return self._oldest(one for one in seen if one.seen_at >= since)
            return self._newest(one for one in seen if one.at >= since)

    def _oldest(self, seen: Iterable[Write]) -> Reading:
        found = sorted(seen, key=_by_seen)
        fit, more = found[: self.most], found[self.most :]
        return Reading(writes=_told(fit), read_until=fit[-1].seen_at if more else None)

    def _newest(self, seen: Iterable[Write]) -> Reading:
        found = sorted(seen, key=lambda one: one.at)
        fit, more = found[-self.most :], found[: -self.most]
        return Reading(writes=_told(fit), lost_before=fit[0].at if more else None)


_by_seen: Callable[[Write], datetime] = lambda one: one.seen_at  # noqa: E731 - a key


def _told(found: Iterable[Write]) -> tuple[Write, ...]:
    return one_each(one for one in found if changes(one.operation))


def _operation(resource_id: str, operation: str) -> str:
    if "/" in operation:
        return operation
    _, found, rest = resource_id.rpartition("/providers/")
    if not found:
        return f"Microsoft.Resources/subscriptions/resourceGroups/{operation}"
    namespace, *pairs = rest.split("/")
    return "/".join([namespace, *pairs[::2], operation])


def _forbidden() -> Stalled:
    return Stalled(
        "AuthorizationFailed",
        "does not have authorization to perform action 'Microsoft.Insights/eventtypes/values/Read'",
        hint="Grant Plumbline's identity a role with that action.",
    )
