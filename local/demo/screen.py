"""What the demo shows: each step as it happens, and a table at the end."""

import time
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.demo.azure import Deployment
from local.demo.clone import Pushed
from local.demo.runs import Run
from local.demo.story import Outcome, Step

SHORT = 7


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
        shown = f"[{style}]{escape(text)}[/]" if style else escape(text)
        self._console.print(f"[dim]{elapsed:6.1f} s[/]  [cyan]{actor:<9}[/] {shown}")

    def pushed(self, pushed: Pushed, message: str, *, force: bool = False) -> None:
        """Say what the user pushed, and what the remote said."""
        if force:
            self.line("git push", "--force, over the commit before it", "bold")
        self.line("git push", f'{pushed.sha[:SHORT]} "{message}": {files(pushed.files)}', "bold")
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

    def told(self, statuses: Mapping[str, Sequence[str]]) -> None:
        """Say what the Git host shows at the commit."""
        shown = ", ".join(f"{context} {states[-1]}" for context, states in statuses.items())
        self.line("git host", shown or "shows nothing")

    def verdict(self, outcome: Outcome, step: Step, broken: Sequence[str]) -> None:
        """Say how the step ended."""
        self.line("plumbline", f"revision {outcome.pushed.sha[:SHORT]}: {words(outcome)}", "bold")
        if outcome.overtaken:
            lost = outcome.overtaken
            text = f"revision {lost['revision'][:SHORT]}: {lost['status']}"
            self.line("plumbline", f"{text}, it is in the history no more")
        for name, chain in sorted(step.waiting.items()):
            self.line("plumbline", f"{name} waits for {', '.join(chain)}")
        for name in sorted(step.failed):
            self.line("plumbline", f"{name}: {outcome.problem(name)}", "red")
        for promise in broken:
            self.line("BROKEN", promise, "bold red")

    def summary(self, rows: Iterable[tuple[Step, Outcome | None, Sequence[str]]]) -> None:
        """Print the table of all steps; a step without an outcome was not reached."""
        table = Table(title="What happened", title_justify="left", padding=(0, 1, 0, 0))
        table.add_column("step", ratio=1)
        table.add_column("ran", justify="right")
        for column in ("in Azure", "revision"):
            table.add_column(column, no_wrap=True)
        table.add_column("took", justify="right")
        table.add_column("held")
        for step, outcome, broken in rows:
            if outcome is None:
                table.add_row(escape(step.title), "", "", "", "", "[bold red]no[/]")
                continue
            held = "[bold red]no[/]" if broken else "[green]yes[/]"
            table.add_row(
                escape(step.title),
                f"{sum(outcome.functions.values())} functions",
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
    """Return what was deployed. Pure."""
    shown = [
        one.stack if one.state == "Succeeded" else f"{one.stack} ({one.state})"
        for one in deployments
    ]
    return ", ".join(sorted(shown)) or "nothing"
