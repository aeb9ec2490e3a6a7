"""A policy that sets again whatever is healed, for a hundred rounds: what healing makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from bench.drift.azure import Azure
from bench.drift.host import NEVER, Host, host
from bench.drift.installation import azure_of
from bench.figures import Figure
from bench.laptops import WorkingCopy, laptop
from bench.product import without_host
from bench.stacks import template
from local import waiting

ROUNDS: Final = 100
ROUND_S: Final = 5.0
"""Healing waits longer and longer: a hundred rounds have to outlast its first waits."""
MOST: Final = 5
STACK: Final = "fought"
POLICY: Final = "policy@contoso.example"
VERSION: Final = "2023-11-01"
COMMAND: Final = "python -m bench drift_fight"
_MANIFEST: Final = (
    "version: 1\nstacks:\n"
    f"  {STACK}: {{template: {STACK}.json, scope: rg-{STACK}, createResourceGroup: westeurope,"
    " drift: heal}\n"
)


@dataclass(frozen=True)
class Fight:
    """How it went: deployments after the first release, changes by the policy, what the API shows."""

    deployments: int
    changes: int
    problem: str
    named: bool


def _set_again(azure: Azure, resource: str) -> bool:
    """Set the tag as the policy wants it, unless it is so; return whether it was not."""
    body = azure.resource(resource, VERSION)
    if body is None or body.get("tags", {}).get("note") == "policy":
        return False
    wish = {"id": resource, "set": {"tags": {"note": "policy"}}, "actor": POLICY}
    azure.control("POST", "/change", wish)
    return True


def _round(azure: Azure, found: Host, resource: str, number: int) -> bool:
    """Let the policy act, then scan once; return whether it had to."""
    changed = _set_again(azure, resource)
    found.run("scan_drift")
    waiting.until(
        lambda: len(found.journal.events("scan_finished")) > number,
        limit_s=120,
        what="a scan",
        pause_s=ROUND_S / 2,
    )
    return changed


def _fought() -> Fight:
    settings = {"PLUMBLINE_SCAN_SCHEDULE": NEVER, "PLUMBLINE_CONFIRM_S": "1"}
    with laptop() as running:
        without_host(running)
        git = running.line["git"]
        with (
            closing(azure_of(running)) as azure,
            closing(WorkingCopy(git["url"], git["branch"])) as clone,
            host(running, "fight", settings) as found,
        ):
            clone.push({"plumbline.yaml": _MANIFEST, f"{STACK}.json": template("wanted")})
            waiting.until(
                lambda: found.journal.events("snapshot_taken"), limit_s=120, what="a snapshot"
            )
            group = f"{azure.subscription}/resourceGroups/rg-{STACK}"
            resource = f"{group}/providers/Microsoft.Network/networkSecurityGroups/nsg-0"
            _round(azure, found, resource, 0)
            azure.forget()
            changes = sum(_round(azure, found, resource, number) for number in range(1, ROUNDS + 1))
            routes = azure.counts().routes
            shown: dict[str, Any] = found.get(f"/api/stacks/{STACK}/drift")
    problem = shown.get("problem") or {}
    return Fight(
        deployments=routes.get("PUT deployment", 0),
        changes=changes,
        problem=str(problem.get("code", "")),
        named=POLICY in str(problem.get("message", "")),
    )


def measure() -> Iterator[Figure]:
    """Let a policy fight for a hundred rounds."""
    fight = _fought()
    yield Figure(
        what=f"{ROUNDS} rounds against a policy that sets again what is healed",
        target=f"one problem that names the caller, ≤ {MOST} deployments",
        measured=f"{fight.deployments} deployments, {fight.changes} changes by the policy; problem"
        f" '{fight.problem}', which {'names' if fight.named else 'does not name'} the caller",
        met=bool(fight.problem) and fight.named and fight.deployments <= MOST,
        command=COMMAND,
    )
