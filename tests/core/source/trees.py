"""A revision in memory: the same contract as the Git adapter, over a dict."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
