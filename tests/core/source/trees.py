"""A revision in memory: the same contract as the Git adapter, over a dict."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.core.problem import Problem
from shared.core.source.codes import PROBLEM_CODES
from shared.core.source.compile import Compiled, compile_stack
from shared.core.source.faults import SourceError
from shared.core.source.spec import StackSpec
from shared.core.source.tree import MAX_FILE_BYTES, FileTooLargeError, TreeEntry

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
PARAMETERS_SCHEMA = (
    "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
)
VAULT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-v/providers/Microsoft.KeyVault/vaults/kv"


@dataclass
class MemoryTree:
    """Files by path; ``special`` holds entries that are no files ("symlink", "submodule")."""

    files: Mapping[str, bytes]
    special: Mapping[str, str] = field(default_factory=dict)
    revision: str = "0" * 40

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at a path, or the link that it leads through."""
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            kind = self.special.get("/".join(parts[:end]))
            if kind is not None:
                return TreeEntry(kind, "f" * 40)  # type: ignore[arg-type]  # a test's literal
        if path in self.files:
            return TreeEntry("file", hashlib.sha1(self.files[path]).hexdigest())  # noqa: S324  # Git's ids
        if any(each.startswith(f"{path}/") for each in self.files):
            return TreeEntry("folder", "e" * 40)
        return None

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        if len(self.files[path]) > MAX_FILE_BYTES:
            raise FileTooLargeError
        return self.files[path]


def tree_of(**files: Any) -> MemoryTree:
    """Return a tree; keys are paths with ``__`` for a slash and ``.json`` added, values JSON."""
    return MemoryTree(
        {
            f"{name.replace('__', '/')}.json": each
            if isinstance(each, bytes)
            else json.dumps(each).encode()
            for name, each in files.items()
        }
    )


def template(**members: Any) -> dict[str, Any]:
    """Return a small template with the given members."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [], **members}


def parameters(**entries: Any) -> dict[str, Any]:
    """Return a parameter file with the given entries."""
    return {"$schema": PARAMETERS_SCHEMA, "contentVersion": "1.0.0.0", "parameters": entries}


def deployment(**properties: Any) -> dict[str, Any]:
    """Return a nested deployment with the given properties."""
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2024-03-01",
        "name": "nested",
        "properties": {"mode": "Incremental", **properties},
    }


def link(path: str, **more: Any) -> dict[str, Any]:
    """Return a nested deployment that links to a template."""
    return deployment(templateLink={"relativePath": path}, **more)


def stack(**fields: Any) -> StackSpec:
    """Return a stack whose template is main.json, deployed to the group rg."""
    return StackSpec(**{"template": "main.json", "scope": "rg", **fields})


def problems_of(tree: MemoryTree, **fields: Any) -> tuple[Problem, ...]:
    """Return the problems of a stack that cannot be compiled; every one must be complete."""
    with pytest.raises(SourceError) as caught:
        compile_stack(tree, "web", stack(**fields), default_subscription=SUBSCRIPTION)
    for problem in caught.value.problems:
        assert problem.code in PROBLEM_CODES
        assert problem.hint
        assert problem.file
        assert "\n" not in problem.message
    return caught.value.problems


def compiled(tree: MemoryTree, **fields: Any) -> Compiled:
    """Return a stack, compiled."""
    return compile_stack(tree, "web", stack(**fields), default_subscription=SUBSCRIPTION)
