"""What is said of a configuration that is wrong."""

from shared.core import names
from shared.core.errors import Stalled


def invalid(path: str, message: str, hint: str) -> Stalled:
    """Return the error to raise for what is wrong at ``path``."""
    return Stalled(
        "ConfigurationInvalid", f"{names.CONFIGURATION}: {message} (at {path})", hint=hint
    )
