"""`python -m local.arm`: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

import msgspec

from local.arm.knobs import Knobs
from local.arm.server import SUBSCRIPTION, TENANT, Settings, serve


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.arm", description="The ARM simulator.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--dir", type=Path, help="keep the state in this folder")
    where.add_argument("--memory", action="store_true", help="forget the state on exit")
    parser.add_argument("--port", type=int, default=0, help="HTTPS port; 0 takes a free one")
    parser.add_argument("--identity-port", type=int, default=0, help="http port for tokens")
    parser.add_argument("--subscription", default=SUBSCRIPTION, help="id of the subscription")
    parser.add_argument("--tenant", default=TENANT, help="id of the tenant")
    parser.add_argument("--knobs", default="", help="knobs to turn at start, as a JSON object")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    given = parser.parse_args()
    try:
        given.knobs = msgspec.json.decode(given.knobs, type=Knobs) if given.knobs else None
    except msgspec.DecodeError as error:
        parser.error(f"--knobs: {error}")
    return given


def _settings(given: argparse.Namespace) -> Settings:
    return Settings(
        folder=given.dir,
        port=given.port,
        identity_port=given.identity_port,
        subscription=given.subscription,
        tenant=given.tenant,
        knobs=given.knobs,
    )


async def _main(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(_settings(given)) as (address, _):
        print(address.line() if given.json else f"ARM simulator at {address.endpoint}", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(_main(_arguments()))
