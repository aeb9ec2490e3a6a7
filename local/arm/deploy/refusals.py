"""Template errors as ARM answers them."""

from __future__ import annotations

from local.arm.engine import TemplateError
from local.arm.errors import ArmError


def refused(error: TemplateError) -> ArmError:
    """Return a template error as ARM answers it. Pure."""
    body = error.body()
    return ArmError(
        400,
        error.code,
        error.message,
        target=body.get("target"),
        details=body.get("details", []),
        additional_info=body.get("additionalInfo", []),
    )
