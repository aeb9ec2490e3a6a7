"""Markers of deliveries that are not finished: the sweep's memory of what was accepted (rule 8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from shared.core import names
from shared.core.document import Document, encode, from_text, to_text
from shared.ports import Documents, ExistsError


class Marker(Document, frozen=True, kw_only=True):
    """A push that was accepted and is not answered yet. ``after`` is the revision it announced."""

    repository: str
    key: str
    after: str
    received_at: datetime


@dataclass(frozen=True)
class Deliveries:
    """The markers below ``pending/deliveries/``."""

    documents: Documents

    def mark(self, marker: Marker) -> None:
        """Write the marker; one that is there already stays as it is."""
        facts = {
            "after": marker.after,
            "received_at": to_text(marker.received_at),
        }
        name = names.pending_delivery(marker.repository, marker.key)
        try:
            self.documents.create(name, encode(marker), facts)
        except ExistsError:
            return

    def pending(self, repository: str | None = None) -> Iterable[Marker]:
        """Yield unfinished deliveries, of one repository or of all, from one listing."""
        prefix = (
            names.PENDING_DELIVERIES
            if repository is None
            else names.pending_deliveries_of(repository)
        )
        for listed in self.documents.list(prefix):
            owner, _, key = listed.name.removeprefix(names.PENDING_DELIVERIES).partition("/")
            try:
                received_at = from_text(listed.facts.get("received_at", ""))
                yield Marker(
                    repository=owner,
                    key=key,
                    after=listed.facts.get("after", ""),
                    received_at=received_at,
                )
            except (ValueError, msgspec.ValidationError):
                # A marker without readable facts still says: look at this repository.
                yield Marker(
                    repository=owner, key=key, after="", received_at=datetime.fromtimestamp(0, UTC)
                )

    def finish(self, markers: Iterable[Marker]) -> None:
        """Remove the markers of deliveries that are answered."""
        self.documents.delete(*(names.pending_delivery(m.repository, m.key) for m in markers))
