"""The Activity Log: what was really done to the simulated Azure, by whom, and how it ended.

`notes` writes it, at the edges where things are done; `view` shows it as the service does.
"""

from local.arm.activity.notes import (
    Witness,
    deployment_began,
    deployment_ended,
    done_by_hand,
    group_deleted,
    resource_deleted,
    step_taken,
)

__all__ = [
    "Witness",
    "deployment_began",
    "deployment_ended",
    "done_by_hand",
    "group_deleted",
    "resource_deleted",
    "step_taken",
]
