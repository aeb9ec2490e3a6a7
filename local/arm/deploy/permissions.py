"""What a caller is told before anything runs: permissions that are missing, policies that deny.

The simulator has neither roles nor policies of its own. What the script refuses for good, on every
write of a deployment, stands for them; what it refuses now and then is found only by running.
"""

from __future__ import annotations

from typing import Any

from local.arm.cloud import Cloud
from local.arm.deploy.ask import Ask
from local.arm.deploy.expansion import Found
from local.arm.errors import ArmError
from local.arm.faults import words
from local.arm.faults.case import Case
from local.arm.rules import Rule, fits

_PERMISSIONS = frozenset({"authorization_failed", "deny_assignment"})
_POLICIES = frozenset({"policy"})


def _stands(rule: Rule) -> bool:
    """Return whether a rule refuses every call that it is about. Pure."""
    match = rule.match
    always = match.nth == 1 and match.every == 1 and match.chance >= 1.0
    return always and rule.count is None and rule.answer.when == "before"


def _refusals(
    cloud: Cloud, ask: Ask, found: list[Found], kinds: frozenset[str]
) -> list[tuple[Found, ArmError]]:
    rules = [one for one in cloud.script.rules if one.answer.kind in kinds and _stands(one)]
    refused = []
    for one in found if rules else ():
        call = ask.call_for(one.resource)
        rule = next((rule for rule in rules if fits(rule.match, call)), None)
        if rule is not None:
            case = Case(cloud, call, rule.answer)
            refused.append((one, words.ERRORS[rule.answer.kind](case)))
    return refused


def check(cloud: Cloud, ask: Ask, found: list[Found]) -> None:
    """Raise the refusal of a caller who may not write everything; level ProviderNoRbac asks not."""
    if ask.level != "provider":
        return
    refused = _refusals(cloud, ask, found, _PERMISSIONS)
    if not refused:
        return
    sentences = [
        f"Authorization failed for template resource '{one.resource.name}' of type"
        f" '{one.resource.type}'. {error.message}"
        for one, error in refused
    ]
    raise ArmError(
        403,
        "InvalidTemplateDeployment",
        f"Deployment failed with multiple errors: '{':'.join(sentences)}'",
        details=[{**error.body(), "target": one.resource.id} for one, error in refused],
    )


def disallowed(cloud: Cloud, ask: Ask, found: list[Found]) -> list[dict[str, Any]]:
    """Return what policies deny, as details of the deployment's error."""
    refused = _refusals(cloud, ask, found, _POLICIES)
    return [{"target": one.resource.id, **error.body()} for one, error in refused]
