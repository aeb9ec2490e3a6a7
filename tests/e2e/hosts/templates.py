"""The repository of the story: nine stacks in three waves, with values handed on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MANIFEST = "plumbline.yaml"
STACKS: Mapping[str, str] = {
    "network": "",
    "logs": "",
    "cache": "",
    "mail": "",
    "batch": "",
    "data": "valuesFrom: {given: network.outputs.id}",
    "app": "valuesFrom: {given: network.outputs.id}",
    "report": "dependsOn: [batch]",
    "web": "valuesFrom: {given: app.outputs.id}",
}
"""Each stack with what it says of others; five wait for nobody, then three, then one."""

TAKERS = frozenset(name for name, said in STACKS.items() if said.startswith("valuesFrom"))
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@dataclass(frozen=True)
class Wanted:
    """What a repository says: a note for each stack that it has; broken ones ARM refuses."""

    notes: Mapping[str, str]
    broken: frozenset[str] = frozenset()
    readme: str = ""

    def files(self) -> dict[str, str]:
        """Return the repository's files. Pure."""
        files = {MANIFEST: _manifest(self.notes), "README.md": self.readme}
        for name, note in self.notes.items():
            files[f"{name}.json"] = _template(name, note, broken=name in self.broken)
        return files

    def tags(self) -> dict[str, dict[str, str]]:
        """Return the tags that each stack's account must have in the end. Pure."""
        return {name: {"note": note} | self._given(name) for name, note in self.notes.items()}

    def _given(self, name: str) -> dict[str, str]:
        given = {"data": self._output("network"), "app": self._output("network")}
        given["web"] = f"app on {self._output('network')}"
        return {"given": given[name]} if name in given else {}

    def _output(self, name: str) -> str:
        return f"{name} {self.notes.get(name, '')}"


def account(name: str) -> str:
    """Return the name of the storage account that a stack deploys. Pure."""
    return f"plumb{name}"


def _manifest(names: Mapping[str, str]) -> str:
    lines = ["version: 1", "defaults: {createResourceGroup: westeurope}", "stacks:"]
    for name in names:
        lines += [f"  {name}:", f"    template: {name}.json", f"    scope: rg-{name}"]
        lines += [f"    {STACKS[name]}"] if STACKS[name] else []
    return "\n".join(lines) + "\n"


def _template(name: str, note: str, *, broken: bool) -> str:
    taker = name in TAKERS
    tags = {"note": note} | ({"given": "[parameters('given')]"} if taker else {})
    location = "[parameters('region')]" if broken else "[resourceGroup().location]"
    says = "[concat('app on ', parameters('given'))]" if taker else f"{name} {note}"
    document: dict[str, Any] = {
        "$schema": _SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {"given": {"type": "string"}} if taker else {},
        "resources": [
            {
                "type": "Microsoft.Storage/storageAccounts",
                "apiVersion": "2024-01-01",
                "name": account(name),
                "location": location,
                "kind": "StorageV2",
                "sku": {"name": "Standard_LRS"},
                "tags": tags,
                "properties": {},
            }
        ],
        "outputs": {"id": {"type": "string", "value": says}},
    }
    return json.dumps(document, indent=2)
