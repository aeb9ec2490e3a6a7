"""What an ARM answer that is not success means, and how it reads to a user. Pure."""

from shared.core.arm_answers.kinds import (
    Kind,
    classify,
    is_named,
    is_transient_failure,
    retry_after_s,
    unregistered_namespace,
)
from shared.core.arm_answers.problems import flatten
from shared.core.arm_answers.tree import ErrorNode, error_of, read

__all__ = [
    "ErrorNode",
    "Kind",
    "classify",
    "error_of",
    "flatten",
    "is_named",
    "is_transient_failure",
    "read",
    "retry_after_s",
    "unregistered_namespace",
]
