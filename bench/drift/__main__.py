"""``python -m bench.drift --seed N --stacks M`` or ``--from FILE``: one line of JSON comes last.

``bench/drift.md`` says what the figures mean and how a file is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.drift import estate as estates
from bench.drift import model, run
from bench.drift.model import Estate, WrongEstateError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement; exit 0 when it came to its end, 2 for an estate that is none."""
    options = _parser().parse_args(arguments)
    try:
        estate = _estate(options)
    except WrongEstateError as error:
        print(f"bench.drift: {error}", file=sys.stderr)
        return 2
    if options.write is not None:
        model.write(estate, options.write)
        return 0
    asked = run.Options(throttle=not options.no_throttle, report=options.report, say=_say)
    line = run.plain_only(estate, asked) if options.plain_only else run.whole(estate, asked)
    print(json.dumps(line), flush=True)
    return 0


def _estate(options: argparse.Namespace) -> Estate:
    if options.file is not None:
        return model.read(options.file)
    return estates.generate(options.seed, options.stacks, options.resources, options.share)


def _say(text: str) -> None:
    print(f"bench.drift: {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.drift", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--stacks", type=int, default=100, metavar="M")
    parser.add_argument("--resources", type=int, default=10, metavar="R", help="per stack (10)")
    parser.add_argument(
        "--share", type=float, default=estates.SHARE, help="of the resources that drift (0.05)"
    )
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE", help="an estate as JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the estate, run nothing")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write examples of what is wrong"
    )
    parser.add_argument("--no-throttle", action="store_true", help="without ARM's token buckets")
    parser.add_argument(
        "--plain-only", action="store_true", help="a what-if per stack, without the product"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
