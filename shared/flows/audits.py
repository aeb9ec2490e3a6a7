"""Keep for good who ordered what: after the order was written, and whoever died in between."""

from dataclasses import dataclass

from shared.core import operation
from shared.core.record import Record
from shared.state.archive import Archive
from shared.state.held import Held
from shared.state.records import Records


@dataclass(frozen=True)
class Audits:
    """The step. An order is in the record until its audit is in history (adr/0004)."""

    records: Records
    archive: Archive

    def __call__(self, held: Held[Record]) -> Held[Record]:
        """Keep what is not kept yet; doing it twice changes nothing."""
        record = held.document
        if not record.unaudited:
            return held
        for audit in record.unaudited:
            self.archive.put_audit(audit)
        kept = {audit.id for audit in record.unaudited}
        return self.records.amend(
            record.repository,
            record.stack,
            lambda newest, _: operation.audited(newest, kept),
            at=held.at,
        )
