"""What the demo shows: each step as it happens, and a table at the end."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from local.demo.azure import Deployment
from local.demo.clone import Pushed
from local.demo.drift_story import ByHand, Traced, name_of
from local.demo.runs import Run
from local.demo.story import Outcome, Step
from local.laptop import REPOSITORY

SHORT = 7
WHOLE = f"plumbline/{REPOSITORY}"
"""The commit status of the whole repository; those of its stacks are below it."""


@dataclass(frozen=True)
class Row:
    """One step in the table at the end; one that was not reached has nothing but a title."""

    title: str
    functions: str = ""
    deployed: str = ""
    end: str = ""
    took: str = ""
    held: bool = False


class Screen:
    """Prints to a terminal, or plainly to a file."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._started = time.monotonic()

    def settings(self, values: Mapping[str, object]) -> None:
        """Say how this demo is faster than the product."""
        self._console.print("Demo settings (the product's own are slower):")
        for name, value in values.items():
            self._console.print(f"  [dim]{escape(name)} = {escape(str(value))}[/]")

    def chapter(self, text: str) -> None:
        """Begin a step; times count from here."""
        self._started = time.monotonic()
        self._console.print()
        self._console.rule(f"[bold]{escape(text)}", align="left")

    def line(self, actor: str, text: str, style: str = "") -> None:
        """Say what happened, at which second of the step."""
        elapsed = time.monotonic() - self._started
        row = Table.grid(padding=(0, 1, 0, 0))  # what is long goes on below itself
        row.add_column(width=9)
        row.add_column(width=9)
        row.add_column(overflow="fold")
        row.add_row(Text(f"{elapsed:6.1f} s", "dim"), Text(actor, "cyan"), Text(text, style))
        self._console.print(row)

    def pushed(self, pushed: Pushed, message: str, *, force: bool = False) -> None:
        """Say what the user pushed, and what the remote said."""
        text = f'{pushed.sha[:SHORT]} "{message}": {files(pushed.files)}'
        self.line("git push", f"--force {text}" if force else text, "bold")
        for words in pushed.remote_words:
            self.line("remote", words)

    def ran(self, run: Run) -> None:
        """Say that a function ran."""
        end = "" if run.succeeded else f" failed: {run.error}"
        style = "" if run.succeeded else "red"
        of = ", ".join(run.stacks)
        self.line(
            "function", f"{run.function} {of}".rstrip() + f" ({run.elapsed_ms:.0f} ms){end}", style
        )

    def killed(self, workers: Sequence[int]) -> None:
        """Say that workers were killed."""
        self.line("SIGKILL", f"worker process {', '.join(map(str, workers))}", "bold red")

    def replaced(self, workers: Sequence[int]) -> None:
        """Say which workers took their place."""
        self.line("host", f"goes on with worker process {', '.join(map(str, workers))}")

    def accepted(self, deployment: Deployment) -> None:
        """Say that Azure took a deployment."""
        self.line("azure", f"deploys {deployment.stack} to {deployment.group}")

    def finished(self, deployment: Deployment, resources: Mapping[str, int]) -> None:
        """Say how a deployment ended and what it wrote."""
        wrote = ", ".join(f"{name} x{count}" for name, count in sorted(resources.items()))
        state, seconds = deployment.state.lower(), deployment.seconds
        text = f"{deployment.stack} {state} after {seconds:.1f} s: {wrote}"
        good = deployment.state == "Succeeded"
        self.line("azure", text, "green" if good else "red")
        if deployment.error:
            self.line("azure", deployment.error, "red")

    def told(self, sha: str, statuses: Mapping[str, Sequence[str]]) -> None:
        """Say what the Git host shows at the commit."""
        self.line("git host", f"{sha[:SHORT]}: {shown(statuses)}")

    def verdict(self, outcome: Outcome, step: Step, broken: Sequence[str]) -> None:
        """Say how the step ended."""
        self.line("plumbline", f"revision {outcome.pushed.sha[:SHORT]}: {words(outcome)}", "bold")
        if outcome.overtaken:
            lost = outcome.overtaken
            text = f"revision {lost['revision'][:SHORT]}: {lost['status']}"
            self.line("plumbline", f"{text}, it is in the history no more")
        for name in sorted(step.failed):
            self.line("plumbline", f"{name} failed: {outcome.problem(name)}", "red")
        for name in sorted(step.waiting):
            waits_for = outcome.stacks.get(name, {}).get("waiting", ())
            self.line("plumbline", f"{name} waits for {chain(waits_for)}", "yellow")
        for fact, found in outcome.found.items():
            has = ", ".join(map(str, found))
            self.line("azure", f"{fact.group}: {fact.path} of {fact.kind} is {has}")
        self.broken(broken)

    def item(self, stack: str, item: Mapping[str, Any], shown_after_s: float) -> None:
        """Say what Plumbline shows of a difference, and how long it took."""
        who = item["who"] or {}
        name = name_of(item["resource"])
        self.line("plumbline", f"{stack} drifted: {item['path']} of {name}", "bold yellow")
        values = ", ".join(f"{key} {item[key]}" for key in ("wanted", "released", "now"))
        self.line("plumbline", f"{values}; severity {item['severity']}")
        by = f"by {who.get('caller', 'unknown')}, {who.get('operation', 'unknown operation')}"
        self.line("plumbline", f"{by} at {who.get('at', 'an unknown time')}")
        self.line("plumbline", f"shown {shown_after_s:.1f} s after the edit", "green")

    def drifts(self, drifts: Mapping[str, Mapping[str, Any]], coverage: Mapping[str, Any]) -> None:
        """Say how every stack stands, and how much of Azure is in some stack."""
        for name, drift in drifts.items():
            left = [f"{name_of(i['resource'])} left with {i['left_with']}" for i in drift["items"]]
            more = f", {', '.join(left)}" if left else ""
            self.line("plumbline", f"{name}: drift {drift['state']}{more}")
        scopes = coverage["scopes"]
        mine, all_ = (sum(s["in_stacks"] for s in scopes), sum(s["in_none"] for s in scopes))
        self.line("plumbline", f"{mine} resources are in some stack, {all_} in none")

    def ended(self, step: ByHand, outcome: Traced) -> None:
        """Say how a change by hand ended."""
        for closed in outcome.drift["history"]:
            if closed["path"] == step.fact.path:
                text = f"{step.stack}: {closed['path']} {closed['reason']} by release"
                self.line("plumbline", f"{text} {closed['release']}", "green")
        self.line("plumbline", f"{step.stack}: drift {outcome.drift['state']}", "bold")
        has = ", ".join(map(str, outcome.found))
        self.line("azure", f"{step.fact.path} of {step.fact.kind} is {has}")

    def broken(self, promises: Iterable[str]) -> None:
        """Say what a step promised and did not keep."""
        for promise in promises:
            self.line("BROKEN", promise, "bold red")

    def summary(self, rows: Iterable[Row]) -> None:
        """Print the table of all steps."""
        table = Table(title="What happened", title_justify="left", padding=(0, 1, 0, 0))
        table.add_column("step", ratio=3)
        table.add_column("functions", justify="right")
        table.add_column("deployed, in this order", ratio=2)
        table.add_column("end", no_wrap=True)
        table.add_column("took", justify="right", no_wrap=True)
        table.add_column("held")
        for row in rows:
            held = "[green]yes[/]" if row.held else "[bold red]no[/]"
            cells = (row.title, row.functions, row.deployed, row.end, row.took)
            table.add_row(*map(escape, cells), held)
        self._console.print()
        self._console.print(table)

    def say(self, text: str, style: str = "") -> None:
        """Print one line that belongs to no step."""
        self._console.print(f"[{style}]{escape(text)}[/]" if style else escape(text))


def words(outcome: Outcome) -> str:
    """Return a revision's final status for people. Pure."""
    status = str(outcome.revision["status"])
    return "nothing to do" if status == "nothing" else status


def files(names: Sequence[str]) -> str:
    """Return file names, the first of many. Pure."""
    few = 2
    return ", ".join(names) if len(names) <= few else f"{len(names)} files"


def azure(deployments: Sequence[Deployment]) -> str:
    """Return what was deployed, in the order in which Azure began. Pure."""
    names = [
        one.stack if one.state == "Succeeded" else f"{one.stack} ({one.state})"
        for one in sorted(deployments, key=lambda one: one.began)
    ]
    return ", ".join(names) or "nothing"


def chain(waits_for: Iterable[Mapping[str, Any]]) -> str:
    """Return what a stack waits for, nearest first. Pure."""
    links = [
        f"{one['stack']} ({one['phase']}{', ' + one['code'] if one.get('code') else ''})"
        for one in waits_for
    ]
    return ", which waits for ".join(links) or "nothing"


def shown(told: Mapping[str, Sequence[str]]) -> str:
    """Return what the Git host shows: the repository's status, and its stacks' by state. Pure."""
    stacks: dict[str, list[str]] = {}
    for context, states in told.items():
        if context != WHOLE:
            stacks.setdefault(states[-1], []).append(context.removeprefix(f"{WHOLE}/"))
    below = "; ".join(f"{state}: {', '.join(names)}" for state, names in stacks.items())
    whole = told.get(WHOLE, ["nothing"])[-1]
    return f"{WHOLE} {whole}" + (f" ({below})" if below else "")
