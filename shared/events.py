"""The names of log events: one table, from which docs/events.md is generated."""

from typing import Final

PUSH_RECEIVED: Final = "push_received"
PUSH_IGNORED: Final = "push_ignored"
PUSH_REFUSED: Final = "push_refused"
SYNC_STARTED: Final = "sync_started"
SYNC_SKIPPED: Final = "sync_skipped"
SYNC_COMMITTED: Final = "sync_committed"
STACK_DESIRED: Final = "stack_desired"
STACK_BROKEN: Final = "stack_broken"
STACK_ORPHANED: Final = "stack_orphaned"
STACK_MOVED: Final = "stack_moved"
STACK_RENAMED: Final = "stack_renamed"
RESOURCE_SHARED: Final = "resource_shared"
RELEASE_DECIDED: Final = "release_decided"
PLAN_STARTED: Final = "plan_started"
PLAN_WAITS: Final = "plan_waits"
RELEASE_PUT: Final = "release_put"
RELEASE_REFUSED: Final = "release_refused"
RELEASE_SUCCEEDED: Final = "release_succeeded"
RELEASE_FAILED: Final = "release_failed"
RELEASE_WATCHED: Final = "release_watched"
LISTING_FAILED: Final = "listing_failed"
RELEASE_CANCELED: Final = "release_canceled"
RELEASE_TIMED_OUT: Final = "release_timed_out"
OPERATION_REFUSED: Final = "operation_refused"
OPERATION_ORDERED: Final = "operation_ordered"
DOCUMENT_SET_ASIDE: Final = "document_set_aside"
REBUILD_ORDERED: Final = "rebuild_ordered"
REVISION_SETTLED: Final = "revision_settled"
STATUS_NOT_SENT: Final = "status_not_sent"
GROUP_CREATED: Final = "group_created"
PROVIDER_REGISTERED: Final = "provider_registered"
SNAPSHOT_TAKEN: Final = "snapshot_taken"
SNAPSHOT_SKIPPED: Final = "snapshot_skipped"
SCAN_FINISHED: Final = "scan_finished"
SCAN_CUT: Final = "scan_cut"
DRIFT_INSPECTED: Final = "drift_inspected"
DRIFT_FOUND: Final = "drift_found"
DRIFT_GONE: Final = "drift_gone"
DRIFT_FIGHT: Final = "drift_fight"
HEAL_ASKED: Final = "heal_asked"
ACTIVITY_READ: Final = "activity_read"
ACTIVITY_SILENT: Final = "activity_silent"
PRUNE_POSTPONED: Final = "prune_postponed"
DELETION_ASKED: Final = "deletion_asked"
DELETION_REFUSED: Final = "deletion_refused"
RESOURCE_DELETED: Final = "resource_deleted"
STACK_REMOVED: Final = "stack_removed"
SWEEP_FINISHED: Final = "sweep_finished"
POISON_FOUND: Final = "poison_found"
POISON_DEALT_WITH: Final = "poison_dealt_with"
MESSAGE_DELAYED: Final = "message_delayed"
STALLED: Final = "stalled"
FENCED: Final = "fenced"
INVOCATION_FAILED: Final = "invocation_failed"
INVOCATION_FINISHED: Final = "invocation_finished"

ERRORS: Final = frozenset({INVOCATION_FAILED, POISON_FOUND})
WARNINGS: Final = frozenset(
    {
        STALLED,
        ACTIVITY_SILENT,
        LISTING_FAILED,
        DOCUMENT_SET_ASIDE,
        OPERATION_REFUSED,
        RELEASE_FAILED,
        RELEASE_REFUSED,
        RELEASE_TIMED_OUT,
        STACK_BROKEN,
        FENCED,
        RESOURCE_SHARED,
        SCAN_CUT,
        DRIFT_FOUND,
        DRIFT_FIGHT,
        DELETION_REFUSED,
    }
)

MEANINGS: Final[dict[str, str]] = {
    PUSH_RECEIVED: "a genuine push to a followed branch was stored and queued",
    PUSH_IGNORED: "a genuine delivery does not concern the followed branch; `reason` says why",
    PUSH_REFUSED: "a delivery was refused; `status` and `reason` say why, never what was sent",
    SYNC_STARTED: "a worker took a repository",
    SYNC_SKIPPED: "a repository was not looked at: nothing is new, or another worker has it and was told",
    SYNC_COMMITTED: "a tip was committed; `changed` and `broken` name the stacks",
    STACK_DESIRED: "a stack has a new desired digest, and so a new generation",
    STACK_BROKEN: "a stack could not be compiled at this revision; what was desired stays",
    STACK_ORPHANED: "a stack left the manifest; it is kept and shown",
    STACK_MOVED: "a stack goes to another scope; `left` names the record of what stays where it was",
    STACK_RENAMED: "a stack took over what another name had; `before` is that name",
    RESOURCE_SHARED: "two stacks turned out to own one resource; `others` names them",
    RELEASE_DECIDED: "what is to be done with a stack, and why",
    PLAN_STARTED: "a what-if was started: the stack's first release may meet resources that exist",
    PLAN_WAITS: "a plan needs approval; `kind` says for what, `plan` is its digest",
    RELEASE_PUT: "ARM accepted a deployment",
    RELEASE_REFUSED: "ARM refused a deployment outright; nothing was changed",
    RELEASE_SUCCEEDED: "a release ended well",
    RELEASE_FAILED: "a release failed or was canceled; `code` is ARM's",
    RELEASE_WATCHED: "a release was looked at and still runs",
    LISTING_FAILED: "what runs in a scope could not be listed: for a minute its releases are looked at one by one",
    RELEASE_CANCELED: "ARM was asked to cancel a running release; `by` says who wants it",
    RELEASE_TIMED_OUT: "a release has run for longer than its stack's timeout, `timeout_s`, and is to be canceled",
    OPERATION_REFUSED: "somebody without the operator's role tried to order something; `by`, if known",
    OPERATION_ORDERED: "an operator ordered something of a stack or a kept message; `operation`, `by`, `why`",
    DOCUMENT_SET_ASIDE: "a document that cannot be read was kept in `history`, and a fresh one is in its place",
    REBUILD_ORDERED: "an operator had a repository's state rebuilt; says who, why and what was found",
    REVISION_SETTLED: "a revision has its final status",
    STATUS_NOT_SENT: "the Git host did not take commit statuses; `given_up` tells whether that is the end",
    GROUP_CREATED: "a missing resource group was created",
    PROVIDER_REGISTERED: "a resource provider's registration was asked for",
    SNAPSHOT_TAKEN: "the resources of a good release were captured",
    SNAPSHOT_SKIPPED: "a snapshot was not taken; `reason` says why",
    SCAN_FINISHED: "a scan for drift has listed what there is and chose the stacks to inspect; `reasons` counts them",
    SCAN_CUT: "a subscription could not be listed now, and its stacks wait for the next scan; `reason` says why",
    DRIFT_INSPECTED: "a stack was inspected; `state`, and how many differences and gaps there are",
    DRIFT_FOUND: "differences came up on a stack; how many, how many of them high, and who made them",
    DRIFT_GONE: "a stack has no differences any more; `reason` is healed, released or reverted",
    DRIFT_FIGHT: "somebody keeps setting what Plumbline heals: healing of the stack has stopped",
    HEAL_ASKED: "a new attempt of what is deployed was asked for, to bring back what drifted",
    ACTIVITY_READ: "the Activity Log was asked what is new: how much was `read`, and how much is `kept`",
    ACTIVITY_SILENT: "the Activity Log could not be asked: nobody can be named; `reason`",
    PRUNE_POSTPONED: "what left a stack is not deleted yet; `reason` says what comes first",
    DELETION_ASKED: "ARM was asked to delete a resource that left a stack; `release` is the one that left it",
    DELETION_REFUSED: "ARM does not delete a resource that left a stack; `code` and `message`",
    RESOURCE_DELETED: "a resource that left a stack is gone; `release` is the one that left it",
    STACK_REMOVED: "all that a removed stack had is gone",
    SWEEP_FINISHED: "the sweep started what was overdue; counts by queue",
    POISON_FOUND: "a message was tried too often and was taken from its poison queue",
    POISON_DEALT_WITH: "a kept message was sent back to its queue, or discarded, as somebody ordered",
    MESSAGE_DELAYED: "a message was put back for later; `reason` and `delay_s`",
    STALLED: "a person must act; `reason` and `hint`",
    FENCED: "another worker took the stack; this one stopped",
    INVOCATION_FAILED: "the invocation raised: a defect, an unreadable message, or a copy that could not be sent",
    INVOCATION_FINISHED: "one line for each invocation: outcome and elapsed milliseconds",
}
