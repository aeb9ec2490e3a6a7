"""Speaks CGI with ``git http-backend``: a request's body in, its answer out, both as streams.

Nothing is held in memory but the pieces under way, so that a push or clone may be of any size.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from local.git.repositories import git_environment

_PIECE_BYTES = 64 * 1024
_MAX_HEAD_BYTES = 16 * 1024


class BackendError(Exception):
    """``git http-backend`` gave no answer; its own words, for the log."""


def environment(request: web.Request, folder: Path, user: str | None) -> Mapping[str, str]:
    """Return the CGI variables for the request; ``user`` is who signed in."""
    variables = {
        **git_environment(),
        "GIT_PROJECT_ROOT": str(folder),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "REMOTE_ADDR": request.remote or "",
    }
    if user is not None:
        variables["REMOTE_USER"] = user
    if request.content_length is not None:  # a chunked body ends where standard input ends
        variables["CONTENT_LENGTH"] = str(request.content_length)
    if "Content-Encoding" in request.headers:  # git unpacks gzip itself
        variables["HTTP_CONTENT_ENCODING"] = request.headers["Content-Encoding"]
    if "Git-Protocol" in request.headers:
        variables["GIT_PROTOCOL"] = request.headers["Git-Protocol"]
    return variables


async def answer(
    request: web.Request, variables: Mapping[str, str]
) -> tuple[web.StreamResponse, int]:
    """Run the request through git; returns the answer, sent but for its end, and its length.

    Raises BackendError when git ends without an answer.
    """
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=dict(variables),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    feeding = asyncio.create_task(_feed(request, process))
    complaints = asyncio.create_task(_all_of(process.stderr))
    ended = False
    try:
        response = await _head(process.stdout)
        if response is None:
            ended = True
            raise BackendError((await complaints).decode("utf-8", "replace").strip())
        await response.prepare(request)
        sent = 0
        async for piece in _pieces(process.stdout):
            await response.write(piece)
            sent += len(piece)
        ended = True
        return response, sent
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await feeding
        if not ended:  # the client went away; a process that ends by itself is left to end
            with suppress(ProcessLookupError):
                process.terminate()
        await process.wait()
        await complaints


async def _feed(request: web.Request, process: asyncio.subprocess.Process) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    try:
        async for piece in request.content.iter_chunked(_PIECE_BYTES):
            stdin.write(piece)
            await stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # git has heard enough and answers
    finally:
        stdin.close()


async def _head(stdout: asyncio.StreamReader | None) -> web.StreamResponse | None:
    """Return the answer's status and headers as git gave them; None when there is no answer."""
    if stdout is None:
        return None
    response = web.StreamResponse()
    length = 0
    while line := await stdout.readline():
        length += len(line)
        if length > _MAX_HEAD_BYTES:
            return None
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return response
        key, _, value = text.partition(": ")
        if key.lower() == "status":
            response.set_status(int(value.split()[0]))
        else:
            response.headers[key] = value
    return None


async def _pieces(stdout: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while stdout is not None and (piece := await stdout.read(_PIECE_BYTES)):
        yield piece


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


def no_answer() -> web.Response:
    """Return what a client gets when git failed."""
    return web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="git http-backend failed\n")
