"""The engine without the simulator around it."""

import subprocess
import sys
import textwrap
from pathlib import Path

from local.arm import engine

_ROOT = Path(__file__).parent.parent.parent
_TEMPLATE = """{ // as a user writes it
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"size": {"type": "int"}},
  "resources": [{"type": "My.Rp/things", "apiVersion": "1", "name": "a",
                 "location": "[resourceGroup().location]"}],
  "outputs": {"twice": {"type": "int", "value": "[mul(parameters('size'), 2)]"}}
}"""


def test_the_documented_program_evaluates_a_file(tmp_path: Path) -> None:
    """What the package's documentation shows runs as it stands."""
    file = tmp_path / "main.json"
    file.write_text(_TEMPLATE)
    shown = textwrap.dedent((engine.__doc__ or "").split("<<'END'\n")[1].split("    END\n")[0])
    done = subprocess.run(
        [sys.executable, "-", str(file)],
        input=shown,
        capture_output=True,
        text=True,
        check=False,
        cwd=_ROOT,
        timeout=60,
    )

    assert done.stderr == ""
    thing, outputs = done.stdout.splitlines()
    assert thing.endswith(
        "/resourceGroups/shop/providers/My.Rp/things/a {'location': 'westeurope'}"
    )
    assert outputs == "{'twice': {'type': 'Int', 'value': 6}}"
