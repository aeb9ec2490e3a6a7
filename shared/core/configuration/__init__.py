"""The operator's configuration: which repositories are followed, how, and what they may touch.

It is never read from a followed repository (docs/architecture.md part 4): whoever can push there
must not be able to raise their own rights.
"""

from shared.core.configuration.model import (
    SECRET_PREFIX,
    ActivityRules,
    Budgets,
    Ceilings,
    Configuration,
    Credential,
    FreezeRule,
    Repository,
    Statuses,
)
from shared.core.configuration.reading import parse_configuration

__all__ = [
    "SECRET_PREFIX",
    "ActivityRules",
    "Budgets",
    "Ceilings",
    "Configuration",
    "Credential",
    "FreezeRule",
    "Repository",
    "Statuses",
    "parse_configuration",
]
