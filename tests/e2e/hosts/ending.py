"""How a story ended: what is to be seen when nothing moves any more."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from local import waiting
from tests.e2e.hosts.outside import QUEUES, REPOSITORY, Outside
from tests.e2e.hosts.templates import STACKS, Wanted

END_LIMIT_S = 420.0
"""On a machine with much else to do; a quiet one needs a quarter of it."""
ROUNDS = 3

ALIVE = frozenset({"due_at", "drift"})
"""What moves on for ever: when a stack is looked at next, and what scans say of it."""


@dataclass(frozen=True)
class Kill:
    """Which hosts were killed at a point, and when, in seconds since the story began."""

    point: str
    hosts: tuple[str, ...]
    at_s: float


@dataclass(frozen=True)
class Ending:
    """What must not change any more, whatever is looked at again."""

    revisions: Mapping[str, Any]
    """Answers of the API, by commit."""
    statuses: Mapping[str, Mapping[str, list[str]]]
    """States of each context at the Git host, by commit."""
    stacks: Mapping[str, Any]
    tags: Mapping[str, Mapping[str, str]]
    puts: list[tuple[str, int]]


@dataclass(frozen=True)
class Told:
    """What came of a story."""

    pushes: Mapping[str, str]
    """Commits by what they were pushed for, oldest first."""
    kills: Sequence[Kill]
    wanted: Wanted
    ending: Ending
    again: Ending
    """The same after what the dead hosts had in hand was handed out again."""
    releases: Mapping[str, Sequence[Mapping[str, Any]]]
    """Release documents of each stack, in the order of their ids."""
    shot: frozenset[str]
    """Releases with a snapshot, as stack@release."""
    records: Mapping[str, Any]
    deployments: Mapping[str, list[str]]
    """Names of the deployments in each stack's resource group."""
    messages: Mapping[str, tuple[int, int]]
    poison: Mapping[str, tuple[int, int]]
    pending: Sequence[str]
    health: Any
    failed: int
    """Invocations that ended with a defect."""
    took_s: float


def told(
    outside: Outside,
    pushes: Mapping[str, str],
    kills: Sequence[Kill],
    wanted: Wanted,
    began: float,
) -> Told:
    """Wait until nothing is left to do, look at everything, hand out old messages, look again."""
    shas = list(pushes.values())
    _await(lambda: list(_unfinished(outside, shas)))
    took_s = monotonic() - began
    ending, messages = _ending(outside, shas), outside.messages()
    _hand_out(outside, messages)
    _await(lambda: list(_unfinished(outside, shas)) + list(_unpaid(outside)))
    documents = outside.documents("history", f"stacks/{REPOSITORY}.")
    return Told(
        pushes=pushes,
        kills=kills,
        wanted=wanted,
        ending=ending,
        again=_ending(outside, shas),
        releases={name: _releases(documents, name) for name in STACKS},
        shot=frozenset(
            f"{one['stack']}@{one['release']}"
            for name, one in documents.items()
            if "/snapshots/" in name
        ),
        records={name: outside.record(name) for name in STACKS},
        deployments={name: outside.deployments(name) for name in STACKS},
        messages=messages,
        poison=outside.messages("-poison"),
        pending=outside.names("state", "pending/"),
        health=outside.api("health"),
        failed=outside.log.count("invocation_failed"),
        took_s=took_s,
    )


def _await(left: Callable[[], Sequence[str]]) -> None:
    try:
        waiting.until(
            lambda: not left(), limit_s=END_LIMIT_S, what="the end of the story", pause_s=0.5
        )
    except waiting.WaitedTooLongError as error:
        raise AssertionError(f"{error}: {left()}") from error


def _unfinished(outside: Outside, shas: Sequence[str]) -> Iterator[str]:
    """Yield what is still to be done, snapshots aside: those come later, and nothing waits for them."""
    for sha in shas:
        answer = outside.api(f"revisions/{sha}")
        if answer is None or not answer["final"]:
            yield f"revision {sha} is {answer}"
    for name in outside.names("state", "pending/"):
        yield f"there is {name}"
    for stack in outside.api("stacks"):
        if stack["phase"] != "steady":
            yield f"{stack['name']} is {stack['phase']}: {stack['problem'] or stack['waiting']}"
    for name in STACKS:
        if "dependents" in outside.record(name).get("owed", ()):
            yield f"{name} owes a look to its dependents"
    for queue, (visible, _) in outside.messages().items():
        if visible:
            yield f"{queue} has {visible} messages"


def _unpaid(outside: Outside) -> Iterator[str]:
    """Yield the stacks that owe anything."""
    return (name for name in STACKS if outside.record(name).get("owed"))


def _ending(outside: Outside, shas: Sequence[str]) -> Ending:
    return Ending(
        revisions={sha: outside.api(f"revisions/{sha}") for sha in shas},
        statuses={sha: outside.statuses(sha) for sha in shas},
        stacks={
            stack["name"]: {key: value for key, value in stack.items() if key not in ALIVE}
            for stack in outside.api("stacks")
        },
        tags={name: outside.tags(name) for name in STACKS},
        puts=outside.puts(),
    )


def _hand_out(outside: Outside, before: Mapping[str, tuple[int, int]]) -> None:
    """Send what killed hosts had in hand, and more: a look at everything, in every queue.

    Storage gives such messages back after ten minutes (the host's invisibility), which nobody
    waits for here. Snapshots come last, and again while any is owed: one that meets another look
    at its stack gives way to it.
    """

    def are_done() -> bool:
        now = outside.messages()
        return all(now[queue][1] <= before.get(queue, (0, 0))[1] for queue in now)

    def worked_on(queue: str) -> None:
        for message in _messages(queue):
            outside.send(queue, b64encode(json.dumps(message).encode()).decode())
        waiting.until(are_done, limit_s=END_LIMIT_S, what=f"{queue} messages to be worked on")

    for queue in QUEUES:
        worked_on(queue)
    for _ in range(ROUNDS):
        if list(_unpaid(outside)):
            worked_on("snapshot")


def _messages(queue: str) -> list[dict[str, Any]]:
    whole = {"v": 1, "repository": REPOSITORY}
    if queue in {"sync", "settle"}:
        return [whole]
    return [{**whole, "stack": name} for name in STACKS]


def _releases(documents: Mapping[str, Any], stack: str) -> list[Mapping[str, Any]]:
    prefix = f"stacks/{REPOSITORY}.{stack}/releases/"
    found = [one for name, one in documents.items() if name.startswith(prefix)]
    return sorted(found, key=lambda one: tuple(int(n) for n in one["release"].split(".")))
