"""The smallest stacks that mean something, for measurements."""

import json

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def template(note: str, resources: int = 1, name: str = "nsg") -> str:
    """Return a template of network security groups; ``note`` makes one differ from another.

    ``name`` is what their names begin with, for stacks that share a resource group.
    """
    groups = [
        {
            "type": "Microsoft.Network/networkSecurityGroups",
            "apiVersion": "2023-11-01",
            "name": f"{name}-{n}",
            "location": "westeurope",
            "tags": {"note": note},
            "properties": {"securityRules": []},
        }
        for n in range(resources)
    ]
    return json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": groups})


def manifest(*names: str, group: str | None = None) -> str:
    """Return a manifest whose stacks each have a resource group of their own, or share ``group``.

    What is in a shared group is taken over unseen: what-ifs would be measured, too.
    """
    lines = ["version: 1", *(["defaults: {adopt: take}"] if group else []), "stacks:"]
    lines += [
        f"  {name}: {{template: {name}.json, scope: {group or f'rg-{name}'}, createResourceGroup: westeurope}}"
        for name in names
    ]
    return "\n".join(lines) + "\n"
