"""What the demo shows: each step as it happens, and a table at the end."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from local.demo.azure import Deployment
from local.demo.clone import Pushed
from local.demo.runs import Run
from local.demo.story import Outcome, Step
from local.laptop import REPOSITORY

SHORT = 7
WHOLE = f"plumbline/{REPOSITORY}"
"""The commit status of the whole repository; those of its stacks are below it."""


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
        for promise in broken:
            self.line("BROKEN", promise, "bold red")

    def summary(self, rows: Iterable[tuple[Step, Outcome | None, Sequence[str]]]) -> None:
        """Print the table of all steps; a step without an outcome was not reached."""
        table = Table(title="What happened", title_justify="left", padding=(0, 1, 0, 0))
        table.add_column("step", ratio=3)
        table.add_column("functions", justify="right")
        table.add_column("deployed, in this order", ratio=2)
        table.add_column("revision", no_wrap=True)
        table.add_column("took", justify="right", no_wrap=True)
        table.add_column("held")
        for step, outcome, broken in rows:
            if outcome is None:
                table.add_row(escape(step.title), "", "", "", "", "[bold red]no[/]")
                continue
            held = "[bold red]no[/]" if broken else "[green]yes[/]"
            table.add_row(
                escape(step.title),
                str(sum(outcome.functions.values())),
                escape(azure(outcome.deployments)),
                words(outcome),
                f"{outcome.elapsed_s:.1f} s",
                held,
            )
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
