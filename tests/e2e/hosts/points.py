"""The ten points at which hosts are killed, each recognised from the outside.

Where a point is too short to be met by chance the simulator holds it open: a call hangs, or its
answer trickles. Who is to be killed is in the logs; where no log says who is at work, all hosts
are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.e2e.hosts.outside import REPOSITORY, Outside

HELD_S = 15.0
RUNS_S = 30.0
ACCEPTED = "a delivery was accepted"
SNAPSHOT = "a snapshot began"
SETTLED = "a revision is being settled"
TOLD = "a status was sent"
WATCHED = "a watch looked"
ENDED = "ARM has ended and the record has not"
OWED = "dependents are owed"
INTENT = "the intent is written and ARM has no deployment"
TAKEN = "the PUT was taken"
SYNCING = "a sync has started"


@dataclass(frozen=True)
class Scene:
    """What a point may look at: since a mark in the log, for a revision and the stack it is about."""

    outside: Outside
    mark: int
    sha: str
    stack: str

    def hosts(self, event: str, **fields: object) -> Sequence[str]:
        """Return the host that logged the newest such event; none if there is no such event."""
        return [one.host for one in self.outside.log.since(self.mark, event, **fields)[-1:]]

    @property
    def about(self) -> Mapping[str, str]:
        """The fields of an event about the stack's release of this revision."""
        return {"stack": self.stack, "revision": self.sha}

    def is_held(self) -> bool:
        """Tell whether the simulator is holding a call open."""
        rules = self.outside.control("answers")["value"]
        return bool(rules) and rules[-1]["used"] > 0

    def putter(self) -> Sequence[str]:
        """Return the host that decided to put the stack."""
        return self.hosts("release_decided", stack=self.stack, step="put")

    def under_way(self) -> str | None:
        """Return the release of this revision that ARM is not known to have, if the record has one."""
        record, attempted = self.outside.record(self.stack), self.attempted()
        release = attempted.get("release")
        known = attempted.get("outcome") or record.get("reached") == release
        return None if known else release

    def attempted(self) -> Mapping[str, Any]:
        """Return the last attempt at the stack, if it is for this revision; {} if not."""
        attempted: Mapping[str, Any] = self.outside.record(self.stack).get("attempted") or {}
        return attempted if attempted.get("revision") == self.sha else {}


See = Callable[[Scene], Sequence[str]]


@dataclass(frozen=True)
class Point:
    """One point: ``see`` returns the hosts to kill once it is reached, ``held`` what is held open."""

    name: str
    see: See
    held: Callable[[str], Mapping[str, Any]] | None = None


def _intent(scene: Scene) -> Sequence[str]:
    release = scene.under_way() if scene.is_held() else None
    deployment = scene.outside.deployment(scene.stack)
    if release is None or (deployment is not None and deployment.release == release):
        return []
    return scene.putter()


def _taken(scene: Scene) -> Sequence[str]:
    release = scene.under_way()
    deployment = scene.outside.deployment(scene.stack)
    if release is None or deployment is None or deployment.release != release:
        return []
    return scene.putter()


def _ended(scene: Scene) -> Sequence[str]:
    attempted, deployment = scene.attempted(), scene.outside.deployment(scene.stack)
    if not attempted or deployment is None or deployment.release != attempted["release"]:
        return []
    found = scene.is_held() and deployment.is_over and attempted.get("outcome") is None
    return _everybody(scene) if found else []


def _snapshot(scene: Scene) -> Sequence[str]:
    owed = scene.outside.record(scene.stack).get("owed", ())
    return _everybody(scene) if scene.is_held() and "snapshot" in owed else []


def _told(scene: Scene) -> Sequence[str]:
    states = scene.outside.statuses(scene.sha).values()
    found = any(one != "pending" for context in states for one in context)
    return scene.hosts("revision_settled", revision=scene.sha) if found else []


def _everybody(scene: Scene) -> Sequence[str]:
    return list(scene.outside.log.logs)


def _hang(method: str, path: str) -> Callable[[str], Mapping[str, Any]]:
    return lambda stack: {
        "match": {"method": method, "path": path.format(stack=stack), "origin": "client"},
        "answer": {"hang_seconds": HELD_S},
    }


def _slow(stack: str) -> Mapping[str, Any]:
    return {
        "match": {
            "method": "PUT",
            "path": f"/storageAccounts/plumb{stack}$",
            "origin": "deployment",
        },
        "answer": {"hang_seconds": RUNS_S},
    }


def _trickle(stack: str) -> Mapping[str, Any]:
    return {
        "match": {"method": "PUT", "route": "deployment", "path": f"rg-{stack}/"},
        "answer": {"bytes_per_second": 100},
    }


_OF_STACK = f"/deployments/plumbline.{REPOSITORY}" + ".{stack}"
POINTS: Mapping[str, Point] = {
    point.name: point
    for point in (
        Point(ACCEPTED, lambda scene: scene.hosts("push_received", revision=scene.sha)),
        Point(SYNCING, lambda scene: scene.hosts("sync_started")),
        Point(INTENT, _intent, _hang("HEAD", "rg-{stack}$")),
        Point(TAKEN, _taken, _trickle),
        Point(WATCHED, lambda scene: scene.hosts("release_watched", stack=scene.stack), _slow),
        Point(ENDED, _ended, _hang("GET", _OF_STACK + "/operations")),
        Point(OWED, lambda scene: scene.hosts("release_succeeded", **scene.about)),
        Point(SNAPSHOT, _snapshot, _hang("GET", "/storageAccounts/plumb{stack}$")),
        Point(SETTLED, lambda scene: scene.hosts("revision_settled", revision=scene.sha)),
        Point(TOLD, _told),
    )
}
