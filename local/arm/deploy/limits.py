"""The limits on a whole deployment that are not the template language's."""

from __future__ import annotations

import zlib

import msgspec

from local.arm.deploy.ask import Ask
from local.arm.errors import ArmError

_MOST_BYTES = 1024 * 1024


def check_job(ask: Ask) -> None:
    """Raise JobSizeExceeded if the deployment, compressed, is larger than 1 MB."""
    if not ask.heavy:
        return
    document = msgspec.json.encode((ask.template, ask.parameters, ask.tags, ask.extra))
    if len(document) <= _MOST_BYTES:
        return
    size = len(zlib.compress(document, 1))
    if size > _MOST_BYTES:
        raise ArmError(
            400,
            "JobSizeExceeded",
            f"The size of the deployment job, '{size}' bytes with template, parameters and"
            f" metadata compressed, exceeds the maximum of '{_MOST_BYTES}' bytes. Please see"
            " https://aka.ms/arm-template-limits for usage details.",
        )
