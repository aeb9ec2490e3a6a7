"""What a stack's deployments are called in the Activity Log, so that others' doings can be told. Pure."""

from typing import Final

import msgspec

from shared.core.record.model import Record

MOST_CORRELATIONS: Final = 8
"""How many of a stack's newest deployments are told from what others do in the Activity Log."""


def correlated(record: Record, correlation_id: str | None) -> Record:
    """Remember a deployment that has ended by its correlation id."""
    if correlation_id is None or correlation_id in record.correlations:
        return record
    newest = (correlation_id, *record.correlations)[:MOST_CORRELATIONS]
    return msgspec.structs.replace(record, correlations=newest)
