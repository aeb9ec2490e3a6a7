"""What is asked for: one deployment, before anything about it is decided."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from local.arm import ids
from local.arm.clock import new_guid, stamp
from local.arm.cloud import Cloud
from local.arm.engine import PlannedResource, Scope
from local.arm.errors import ArmError
from local.arm.messages import Caller
from local.arm.rules import Call
from local.arm.state.records import Submission

_NAME = re.compile(r"[-\w.()]{1,64}", re.ASCII)
_LONGEST = 64

Value = TypeVar("Value")


@dataclass(slots=True)
class Ask:
    """One deployment as it was asked for.

    `template` is what is planned: linked templates are filled in. `written` is the same as it was
    sent or fetched, None when there is no difference.
    """

    scope: Scope
    name: str
    template: dict[str, Any]
    parameters: dict[str, Any]
    mode: str
    caller: Caller
    correlation_id: str
    api_version: str
    location: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    """What the deployment shows of the request as it was: links, debugSetting and the like."""
    parent: str | None = None
    heavy: bool = False
    """The engine may need long for it: it is large, or small with loops in it."""
    written: dict[str, Any] | None = None
    rolls_back: str | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    """The request's `externalInputs`, {name: {"value": ...}}."""
    hidden: frozenset[str] = frozenset()
    """The texts that no operation may show: the values of secure parameters."""
    checked: frozenset[str] = frozenset()
    """The ids of the nested deployments that the preflight has looked into, in lower case."""

    @property
    def id(self) -> str:
        """The deployment's canonical id."""
        return f"{self.scope.id}/providers/{ids.DEPLOYMENT_TYPE}/{self.name}"

    @property
    def original(self) -> dict[str, Any]:
        """The template without what was filled in."""
        return self.template if self.written is None else self.written

    @property
    def detail(self) -> frozenset[str]:
        """What `debugSetting.detailLevel` wants kept: requestcontent, responsecontent."""
        setting = self.extra.get("debugSetting")
        level = setting.get("detailLevel") if isinstance(setting, dict) else None
        words = level.split(",") if isinstance(level, str) else []
        return frozenset(word.strip().lower() for word in words)

    @property
    def level(self) -> str:
        """How much is checked before anything runs: template, provider or providernorbac."""
        return str(self.extra.get("validationLevel") or "Provider").lower()

    def call_for(self, resource: PlannedResource) -> Call:
        """Return the write of one of its resources, as the script's rules match it."""
        version, caller = resource.api_version, self.caller
        return Call("PUT", resource.id, "resource", "deployment", version, caller.oid, caller.appid)


async def aside(ask: Ask, work: Callable[..., Value], *arguments: Any) -> Value:
    """Do engine work without holding up other clients: in a thread, if it is heavy."""
    if not ask.heavy:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def check_name(name: str) -> None:
    """Raise the error for a deployment name that ARM does not take."""
    if len(name) > _LONGEST:
        raise ArmError(
            400,
            "DeploymentNameLengthLimitExceeded",
            f"The provided deployment name '{name}' has a length of '{len(name)}' which exceeds the"
            " maximum length of '64'.",
        )
    if not _NAME.fullmatch(name):
        raise ArmError(
            400,
            "DeploymentNameInvalidCharacters",
            f"The provided deployment name '{name}' has characters that are not allowed: only"
            " letters, digits, '-', '_', '.', '(' and ')' are.",
        )


def submission_of(cloud: Cloud, ask: Ask) -> Submission:
    """Return what must be remembered to take the deployment up, or run it, again."""
    return Submission(
        parameters=ask.parameters,
        utc_now=stamp(cloud.clock.now()),
        seed=new_guid(),
        caller=asdict(ask.caller),
        linked=None if ask.written is None else ask.template,
        inputs=ask.inputs,
    )
