"""Take the measurements and print their table: ``python -m bench [NAME ...]``.

``--write`` also puts the table into README.md, with the machine and the day; rows of what was not
measured now stay as they are.
"""

import importlib
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bench.figures import HEAD, Figure, machine

ARM: Final = ("arm_deployments", "arm_whatif", "arm_engine", "arm_size", "arm_throttled")
DRIFT: Final = ("drift_shown", "drift_beside", "drift_fight")
ALL: Final = (
    "cold_start",
    "webhook",
    "push_to_put",
    "per_release",
    "big_repository",
    "many_stacks",
    "against_az",
    *DRIFT,
    *ARM,
)
GROUPS: Final = {"arm": ARM, "drift": DRIFT}
README: Final = Path(__file__).resolve().parent / "README.md"
_COMMAND: Final = re.compile(r"`(python -m bench \w+)` \|$")
START, END = "<!-- figures -->", "<!-- end -->"


def main(arguments: list[str]) -> int:
    """Run the named measurements, or all."""
    write = "--write" in arguments
    named = [a for a in arguments if not a.startswith("-")] or list(ALL)
    wanted = [one for name in named for one in GROUPS.get(name, (name,))]
    unknown = sorted(set(wanted) - set(ALL))
    if unknown:
        print(f"no such measurement: {', '.join(unknown)}; there are {', '.join([*ALL, *GROUPS])}")
        return 2
    figures: list[Figure] = []
    for name in wanted:
        for figure in importlib.import_module(f"bench.{name}").measure():
            print(figure.row(), flush=True)
            figures.append(figure)
    if write:
        _write(figures)
    return 0


def _rows(old: str, figures: list[Figure]) -> list[str]:
    """Return the rows of the table: the new ones, and the old ones of what was not measured now."""
    taken = {figure.command for figure in figures}
    kept = [
        line
        for line in old.splitlines()
        if (found := _COMMAND.search(line)) and found[1] not in taken
    ]
    rows = kept + [figure.row() for figure in figures]
    order = {f"python -m bench {name}": at for at, name in enumerate(ALL)}
    return sorted(rows, key=lambda row: order.get(_command(row), len(order)))


def _command(row: str) -> str:
    found = _COMMAND.search(row)
    return found[1] if found else ""


def _write(figures: list[Figure]) -> None:
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    old, _, after = rest.partition(END)
    table = "\n".join(
        [
            f"Measured on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
            "",
            HEAD,
            *_rows(old, figures),
        ]
    )
    README.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
