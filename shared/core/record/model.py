"""What a record holds."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from shared.core.audit import Audit
from shared.core.document import Document
from shared.core.plan import Plan, Planning
from shared.core.policy import Policy
from shared.core.problem import Problem
from shared.core.prune.model import Deletion, Left
from shared.core.record.requests import Approved, Asked, Cancel, Freeze, TakenOver
from shared.core.taken import Taken

HOLD: Final = timedelta(seconds=45)
"""How long a taken stack stays taken without a sign of life (rule 4)."""

VERIFY_AFTER: Final = timedelta(seconds=120)
"""When ARM's tags are read once more after a release, in case a stale PUT came late (rule 7)."""

ROTATION: Final = timedelta(hours=1)
"""How often ARM's tags of a quiet stack are read (rule 7)."""

STALLED_RETRY: Final = timedelta(minutes=10)
"""When a stalled stack is looked at again: a person may have acted without telling us."""

BLOCKED_RETRY: Final = timedelta(minutes=10)
"""When a stack that waits for others is looked at again, should nobody have asked for it."""

OWED_RETRY: Final = timedelta(seconds=20)
"""When a stack that owes its dependents a look is looked at again, should it have died over it."""

MAX_UNFINISHED: Final = 10
"""Turns in a row that died over a stack or repository before a person is told."""

MAX_TRANSIENT_ATTEMPTS: Final = 3
"""Attempts of one generation that failed for passing reasons (rule 10)."""

SLOW: Final = Problem(
    code="ReleaseSlow",
    message="ARM has been at this release for longer than PLUMBLINE_RELEASE_TIMEOUT_S.",
    hint="Look at the deployment in Azure, and order cancel if it hangs.",
)

PRUNE_OFF: Final = Problem(
    code="PruneOff",
    message="The manifest has the stack under removed, and prune is not true for it: it is kept.",
    hint="Write prune: true under defaults to have its resources deleted, or take it out of removed.",
)

Phase = Literal["pending", "releasing", "steady", "failed", "stalled"]
Outcome = Literal["refused", "succeeded", "failed", "canceled", "lost", "kept"]
"""How a release ended. ``kept``: Git came back to what is applied, and nothing was put."""


class Desired(msgspec.Struct, frozen=True, kw_only=True):
    """What Git wants: ``digest`` is the source digest and names the content, too."""

    revision: str
    digest: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One release on its way, or how it ended.

    ``outcome`` is None while it is under way; ``transient`` tells whether a failure may pass.
    ``follows`` maps each stack that is depended on to its release at the time.
    """

    release: str
    generation: int
    revision: str
    digest: str
    inputs: str
    at: datetime
    outcome: Outcome | None = None
    transient: bool = False
    follows: Mapping[str, str] = msgspec.field(default_factory=dict)


class Applied(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last good release. ``generation`` follows when Git comes back to what is applied.

    ``stack`` is the name under which history keeps it, where that is not the record's own;
    ``follows`` maps each stack that is depended on to the release after which this one was found
    to be as it should.
    """

    release: str
    generation: int
    revision: str
    digest: str
    inputs: str
    at: datetime
    stack: str | None = None
    follows: Mapping[str, str] = msgspec.field(default_factory=dict)


class Former(msgspec.Struct, frozen=True, kw_only=True):
    """A name under which history keeps releases of this stack, up to a generation."""

    stack: str
    until: int


class Record(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A stack as Plumbline knows it.

    ``failure`` is why this generation failed, ``failures`` how often it did for passing reasons;
    ``lost_answers`` counts PUTs of unknown end, ``unfinished`` turns that died after their intent.
    ``looked_after_until``: until then the holder's own next message is on its way. ``raised`` are
    the generations before and after state was lost and the count went on above ARM's. ``anew``: what
    ARM has under the stack's name is another record's, although this one knows of no attempt.
    ``waits_for`` are the stacks that this one depends on, ``dependents`` those that depend on it
    directly.
    ``timeout_s`` is how long a release may run; ``timed_out_s`` is what it was when the release under
    way had run longer: it is to be canceled.

    ``halves`` maps the names of what the stack left behind to the scopes where that is; ``moved_to``
    names the stack that has what this record tells of now, ``formerly`` where older history is kept.
    ``renamed_from`` is whose place the stack shall take, ``came_from`` whose it took. ``owns`` is
    the sketch of the applied release's inventory, ``around`` that of what it lies inside of (None:
    nobody has told), ``shared`` what others own of it, too, and ``told_of`` marks what the sweep
    said last. ``correlations`` are those of the newest deployments: what the Activity Log has under
    them is Plumbline's own doing.

    ``unsure`` are those of ``touched`` that no attempt is known to have written: ARM refused, or did
    not come to, each operation. They may be somebody else's, and are never deleted for that.

    ``left`` are the resources that it had once and has no more, ``deleting`` those of them whose
    deletion was decided on. ``prune_at`` is when they are looked at next, and ``prune_problem`` what
    a person should know of them. ``removed_at``: all that the stack had was deleted.

    ``removed``: the stack has left, and its resources are to be deleted. ``plan`` is what was planned
    last and needs approval, ``planning`` the what-if that is made for the next plan.
    """

    repository: str
    stack: str

    # Sync's fields.
    seq: int = 0
    generation: int = 0
    desired: Desired | None = None
    scope: str | None = None
    create_group: str | None = None
    waits_for: tuple[str, ...] = ()
    takes: Mapping[str, Taken] = msgspec.field(default_factory=dict)
    dependents: tuple[str, ...] = ()
    source_problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    renamed_from: str | None = None
    timeout_s: int | None = None
    policy: Policy = Policy()
    orphaned: bool = False
    removed: bool = False
    shown: str = ""

    # Requesters' fields.
    asked: Asked | None = None
    cancel: Cancel | None = None
    freeze: Freeze | None = None
    taken_over: TakenOver | None = None
    approved: Approved | None = None
    unaudited: tuple[Audit, ...] = ()

    # The holder's fields.
    fence: int = 0
    busy_until: datetime | None = None
    phase: Phase = "pending"
    plan: Plan | None = None
    planning: Planning | None = None
    judged: int = 0
    attempt: int = 0
    attempted: Attempt | None = None
    intended_at: datetime | None = None
    timed_out_s: int | None = None
    reached: str | None = None
    applied: Applied | None = None
    problem: Problem | None = None
    failure: Problem | None = None
    failures: int = 0
    lost_answers: int = 0
    unfinished: int = 0
    due_at: datetime | None = None
    looked_after_until: datetime | None = None
    raised: tuple[int, int] | None = None
    anew: bool = False
    owed: tuple[str, ...] = ()
    deployment_id: str | None = None
    touched: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    halves: Mapping[str, str] = msgspec.field(default_factory=dict)
    formerly: tuple[Former, ...] = ()
    moved_to: str | None = None
    came_from: str | None = None
    owns: str = ""
    correlations: tuple[str, ...] = ()
    around: str | None = None
    left: tuple[Left, ...] = ()
    deleting: tuple[Deletion, ...] = ()
    prune_at: datetime | None = None
    prune_problem: Problem | None = None
    removed_at: datetime | None = None

    # The sweep's fields.
    shared: tuple[Problem, ...] = ()
    told_of: str = ""

    @property
    def standing(self) -> Phase:
        """The phase as it counts now: what was said of an older generation is not said of this one.

        ``judged`` is the generation that the holder looked at when it set the phase.
        """
        if self.phase == "releasing" or self.judged == self.generation:
            return self.phase
        return "pending"

    @property
    def wanted(self) -> Asked | None:
        """The release that was asked for, while no attempt has answered it."""
        asked = self.asked
        if asked is None or asked.generation != self.generation:
            return None
        return asked if self.attempts <= asked.above else None

    @property
    def attempts(self) -> int:
        """The number of the last attempt of this generation; 0 before the first."""
        last = self.attempted
        return self.attempt if last is not None and last.generation == self.generation else 0

    @property
    def is_failed(self) -> bool:
        """Whether the stack stays where it is until somebody acts: failed for good, or stalled."""
        if self.standing == "stalled":
            return True
        return self.standing == "failed" and not (self.attempted and self.attempted.transient)

    def has_approved(self, plan: Plan) -> bool:
        """Tell whether somebody agreed to exactly this plan."""
        found = self.approved
        return found is not None and (found.kind, found.digest) == (plan.kind, plan.digest)

    @property
    def waiting_plan(self) -> Plan | None:
        """The plan that waits for approval, as long as it is about the present generation."""
        plan = self.plan
        if plan is None or plan.generation != self.generation or self.has_approved(plan):
            return None
        if plan.kind == "prune":
            return plan if self.owes_prune else None
        return None if self.orphaned else plan

    @property
    def owes_prune(self) -> bool:
        """Whether what left the stack, or all that a removed one has, is to be deleted."""
        if self.moved_to is not None or self.in_flight is not None:
            return False
        if self.orphaned:
            has_any = self.applied is not None or bool(self.touched or self.left)
            return self.removed and has_any
        return self.policy.prune and bool(self.left)

    @property
    def may_prune_now(self) -> bool:
        """Whether somebody has approved the plan of deletions that waits."""
        return self.plan is not None and self.plan.kind == "prune" and self.has_approved(self.plan)

    def is_canceled(self, attempt: Attempt) -> bool:
        """Tell whether somebody wants this attempt ended."""
        return self.cancel is not None and self.cancel.release == attempt.release

    def frozen(self, at: datetime) -> Freeze | None:
        """Return the freeze that is in force, if any."""
        return self.freeze if self.freeze is not None and self.freeze.holds(at) else None

    @property
    def reached_it(self) -> bool:
        """Whether ARM is known to have taken the attempt under way."""
        return self.in_flight is not None and self.in_flight.release == self.reached

    @property
    def present(self) -> Applied | None:
        """The last good release, unless another stack has it now."""
        return self.applied if self.moved_to is None else None

    @property
    def applied_home(self) -> str:
        """The name under which history keeps the last good release and its snapshot."""
        return (self.applied.stack if self.applied else None) or self.stack

    @property
    def in_flight(self) -> Attempt | None:
        """The attempt whose end is not recorded yet, if any."""
        attempted = self.attempted
        return attempted if attempted is not None and attempted.outcome is None else None
