"""From a template of language version 1.0 to its twin of 2.0, mechanically: symbols for names."""

from collections.abc import Iterator, Mapping
from typing import Any

_DEPLOYMENT = "Microsoft.Resources/deployments"


def twin(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same template with symbolic names: children lifted out, references by symbol."""
    flat = list(_flat(template["resources"], None))
    symbols: dict[str, str] = {}
    for index, item in enumerate(flat):
        symbol = f"symbol{index}"
        symbols[_key(item)] = symbol
        if "copy" in item:
            symbols[item["copy"]["name"]] = symbol
    return {
        **template,
        "languageVersion": "2.0",
        "resources": {f"symbol{i}": _resource(item, symbols) for i, item in enumerate(flat)},
        "outputs": {
            name: _with_symbols(output, symbols)
            for name, output in template.get("outputs", {}).items()
        },
    }


def _flat(resources: Any, parent: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    for written in resources:
        item = dict(written)
        if parent is not None:
            item["type"] = f"{parent['type']}/{item['type']}"
            item["name"] = f"{parent['name']}/{item['name']}"
        children = item.pop("resources", [])
        yield item
        yield from _flat(children, item)


def _key(item: Mapping[str, Any]) -> str:
    """Return what dependsOn calls a resource: its name; nobody calls a turn of a loop."""
    return f"turn of {item['copy']['name']}" if "copy" in item else str(item["name"])


def _resource(item: Mapping[str, Any], symbols: Mapping[str, str]) -> dict[str, Any]:
    made = {key: _with_symbols(value, symbols) for key, value in item.items()}
    if "dependsOn" in item:
        made["dependsOn"] = [_symbol_of(entry, symbols) for entry in item["dependsOn"]]
    if item["type"] == _DEPLOYMENT:
        properties = {**made["properties"], "template": twin(item["properties"]["template"])}
        made["properties"] = properties
    return made


def _symbol_of(entry: str, symbols: Mapping[str, str]) -> str:
    """Return the symbol of a name, a loop or a `[resourceId(type, name...)]`."""
    if entry.startswith("[resourceId("):
        entry = "/".join(part.strip(" '") for part in entry[:-2].split(",")[1:])
    return symbols[entry]


def _with_symbols(value: Any, symbols: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith("[reference('"):
        name, rest = value.removeprefix("[reference('").split("'", 1)
        return f"[reference('{symbols.get(name, name)}'{rest}"
    if isinstance(value, Mapping):
        return {key: _with_symbols(item, symbols) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_symbols(item, symbols) for item in value]
    return value
