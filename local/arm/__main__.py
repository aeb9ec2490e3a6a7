"""`python -m local.arm`: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from local.arm.control import read_faults
from local.arm.errors import ArmError
from local.arm.noise.classes import TOGETHER
from local.arm.rules import Faults
from local.arm.server import SUBSCRIPTION, TENANT, Address, Settings, serve
from local.arm.state.lock import FolderError

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_HIGHEST_PORT = 65535
_HOW_TO = """\
ARM simulator at {endpoint}
  certificate   {ca_file}
  subscription  {subscription_id}
  tenant        {tenant_id}
  state         {state}
  side channel  {control}  (GET says what it can do)
Stop it with Ctrl-C or SIGTERM.

az:
  export REQUESTS_CA_BUNDLE={ca_file} NO_PROXY=127.0.0.1
  export IDENTITY_ENDPOINT={identity} IDENTITY_HEADER={header}
  az cloud register -n laptop --endpoint-resource-manager {endpoint} && az cloud set -n laptop
  az login --identity

Azure SDK for Python, with the two IDENTITY variables set:
  ResourceManagementClient(
      ManagedIdentityCredential(), "{subscription_id}",
      base_url="{endpoint}", connection_verify="{ca_file}",
      credential_scopes=["https://management.azure.com/.default"])

curl:
  curl --cacert {ca_file} -H "Authorization: Bearer {token}" \\
    "{endpoint}/subscriptions?api-version=2022-12-01"
"""


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _HIGHEST_PORT:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no port: give a number up to {_HIGHEST_PORT}, or 0 for a free one"
        )
    return int(text)


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is no id: give a guid, such as {SUBSCRIPTION}")
    return text


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise argparse.ArgumentTypeError(
            f'{error}: give a JSON object, such as {{"resource_seconds": 2}}'
        ) from error


def _file(text: str) -> bytes:
    try:
        return Path(text).read_bytes()
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"the file '{text}' cannot be read: {error}") from error


def _faults(text: str) -> Faults:
    try:
        return read_faults(_file(text))
    except ArmError as error:
        raise argparse.ArgumentTypeError(
            f"{text}: {error.message} Give a list of rules, or an object with 'rules' and 'seed';"
            " GET on the side channel shows the schema of a rule."
        ) from error


def _noise(text: str) -> dict[str, list[str]]:
    """Read N1,N5 or all (that can be had together), or a JSON object by type, or the name of a file that holds one."""
    if text.lower() == "all":
        return {"*": sorted(TOGETHER, key=lambda name: int(name[1:]))}
    names = [name.strip().upper() for name in text.split(",")]
    if all(re.fullmatch(r"N\d+", name) for name in names):
        return {"*": names}
    data = text.encode() if text.lstrip().startswith("{") else _file(text)
    try:
        return msgspec.json.decode(data, type=dict[str, list[str]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise argparse.ArgumentTypeError(
            f"{error}: give classes such as N1,N5, or 'all', or a JSON object of types such as"
            ' {"*": ["N1"]}, or the name of a file with one'
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.arm", description="The ARM simulator.", allow_abbrev=False
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--dir", type=Path, metavar="FOLDER", help="keep the state in this folder")
    where.add_argument("--memory", action="store_true", help="forget it on exit (the default)")
    parser.add_argument("--port", type=_port, default=0, help="HTTPS port; 0 takes a free one")
    parser.add_argument("--identity-port", type=_port, default=0, help="http port for tokens")
    parser.add_argument("--subscription", type=_identifier, default=SUBSCRIPTION, metavar="ID")
    parser.add_argument("--tenant", type=_identifier, default=TENANT, metavar="ID")
    parser.add_argument(
        "--strict", action="store_true", help="refuse types, api-versions, members not known"
    )
    parser.add_argument(
        "--noise", type=_noise, metavar="WHICH", help="N1,N5 or all, or JSON by type, or a file"
    )
    parser.add_argument(
        "--throttle", action="store_true", help="enforce ARM's rate limits (250/25, 200/10, x15)"
    )
    parser.add_argument(
        "--faults", type=_faults, metavar="FILE", help="scripted answers, as JSON, from the start"
    )
    parser.add_argument("--seed", type=int, help="what the chances in --faults follow from")
    parser.add_argument(
        "--knobs", type=_object, default={}, metavar="JSON", help="knobs to turn at start"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready")
    return parser


def _settings(given: argparse.Namespace) -> Settings:
    turn = dict(given.knobs)
    if given.strict:
        turn["strict"] = True
    if given.noise is not None:
        turn["noise"] = given.noise
    if given.throttle:
        turn.setdefault("throttle", {})
    faults = given.faults
    if given.seed is not None:
        faults = Faults(rules=faults.rules if faults else [], seed=given.seed)
    return Settings(
        folder=given.dir,
        port=given.port,
        identity_port=given.identity_port,
        subscription=given.subscription,
        tenant=given.tenant,
        turn=turn,
        faults=faults,
    )


def _how_to(address: Address, folder: Path | None) -> str:
    return _HOW_TO.format(
        endpoint=address.endpoint,
        ca_file=address.ca_file,
        subscription_id=address.subscription_id,
        tenant_id=address.tenant_id,
        state=f"in {folder}" if folder else "in memory, gone on exit",
        control=address.control,
        identity=address.identity.endpoint,
        header=address.identity.header,
        token=address.token,
    )


async def _main(given: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(_settings(given)) as (address, _):
        print(address.line() if given.json else _how_to(address, given.dir), flush=True)
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the command line (or `arguments`) says; return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        asyncio.run(_main(given))
    except FolderError as error:
        problem = f"--dir: {error}"
    except ArmError as error:
        problem = f"--knobs, --noise or --faults: {error.message}"
    except OSError as error:
        problem = f"--port, --identity-port: {error.strerror or error}. Give 0 for a free port."
    else:
        return 0
    print(f"python -m local.arm: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
