"""What inspections and scans know: one document of drift for each stack, rules, and coverage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.core import names
from shared.core.document import Document
from shared.core.drift import noise
from shared.core.drift.model import Coverages, Drift, Finding, Rules, facts
from shared.core.errors import Stalled
from shared.core.owners import Identity
from shared.ports import ChangedError, Documents, ExistsError
from shared.state.held import Held, Shelf


def _no_facts(_: Document) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class Drifts:
    """The documents below ``drift/`` and ``noise/``, and ``coverage.json``."""

    documents: Documents

    @property
    def _shelf(self) -> Shelf[Drift]:
        return Shelf(self.documents, Drift, facts)

    @property
    def _rules(self) -> Shelf[Rules]:
        return Shelf(self.documents, Rules, _no_facts)

    @property
    def _coverage(self) -> Shelf[Coverages]:
        return Shelf(self.documents, Coverages, _no_facts)

    def read(self, repository: str, stack: str) -> Held[Drift] | None:
        """Return what is known of a stack, or None. Raises Stalled for what cannot be read."""
        return self._shelf.read(names.drift(repository, stack))

    def write(self, held: Held[Drift] | None, drift: Drift) -> Held[Drift] | None:
        """Write over exactly what was read; None when another inspection was faster.

        Nothing is lost then: the other one looked as well as this one.
        """
        name = names.drift(drift.repository, drift.stack)
        try:
            if held is None:
                return self._shelf.create(name, drift)
            return held if held.document == drift else self._shelf.replace(name, held, drift)
        except (ChangedError, ExistsError):
            return None

    def discard(self, repository: str, stack: str, keep: Callable[[str, bytes], object]) -> None:
        """Put a fresh document in the place of one that cannot be read; ``keep`` gets its bytes."""
        fresh = Drift(repository=repository, stack=stack)
        self._shelf.mend(names.drift(repository, stack), keep, lambda _: fresh)

    def listed(self) -> dict[Identity, Mapping[str, str]]:
        """Return the facts of all stacks' documents, 5,000 per storage call."""
        return {
            identity: found.facts
            for found in self.documents.list(names.DRIFTS)
            if (identity := names.identity_of_drift(found.name)) is not None
        }

    def facts(self, repository: str, stack: str) -> Mapping[str, str]:
        """Return the facts of one stack's document, from a listing of its name alone."""
        name = names.drift(repository, stack)
        return next((one.facts for one in self.documents.list(name) if one.name == name), {})

    def rules(self, repository: str) -> tuple[Finding, ...]:
        """Return the noise that inspections of a repository's stacks have learned.

        Raises Stalled for what cannot be read.
        """
        held = self._rules.read(names.noise(repository))
        return held.document.findings if held is not None else ()

    def discard_rules(self, repository: str, keep: Callable[[str, bytes], object]) -> None:
        """Begin to learn anew in the place of rules that cannot be read; ``keep`` gets their bytes."""
        fresh = Rules(repository=repository)
        self._rules.mend(names.noise(repository), keep, lambda _: fresh)

    def learn(self, repository: str, findings: Sequence[Finding]) -> None:
        """Add to the rules. Raises Transient when others keep winning."""
        fresh = Rules(repository=repository, findings=noise.merged((), findings))
        self._rules.put(
            names.noise(repository),
            fresh,
            lambda rules: Rules(
                repository=repository, findings=noise.merged(rules.findings, findings)
            ),
        )

    def coverage(self) -> Coverages:
        """Return how much of each scope is in some stack, as the last scan saw it.

        Each scan makes it anew: one that cannot be read is put away and stands for none.
        """
        try:
            held = self._coverage.read(names.COVERAGE)
        except Stalled as e:
            if e.reason != "DocumentUnreadable":
                raise
            self._coverage.mend(names.COVERAGE, lambda *_: None, lambda _: Coverages())
            return Coverages()
        return held.document if held is not None else Coverages()

    def put_coverage(self, coverage: Coverages) -> None:
        """Keep what a scan saw. Raises Transient when others keep winning."""
        self._coverage.put(names.COVERAGE, coverage, lambda _: coverage)
