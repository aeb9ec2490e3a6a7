"""Microsoft's runtime library behind four calls: load an app, list it, load and invoke functions.

Loading, indexing, checking of annotations, conversion of bindings and the invocation itself are
the library's. This module only translates between its messages and `wire`. Its index is a global of
the library, so a process can hold one app.
"""

import json
import sys
from collections.abc import Mapping
from email.utils import formatdate
from http.cookies import Morsel
from typing import Any
from urllib.parse import quote

import azure_functions_runtime as runtime

from local.host import protos, wire


class IndexingError(Exception):
    """The library refused the app; `trace` says where."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


async def load(app_dir: str) -> list[wire.IndexedFunction]:
    """Index `function_app.py` of a directory; raises IndexingError with the library's own words."""
    if app_dir not in sys.path:
        sys.path.insert(0, app_dir)
    runtime.start_threadpool_executor()
    response = await runtime.worker_init_request(
        protos.request(
            worker_init_request=protos.Message(capabilities={}, function_app_directory=app_dir)
        )
    )
    if response.result.status != protos.StatusResult.Success:
        failure = response.result.exception
        raise IndexingError(failure.message, failure.stack_trace)
    listing = await runtime.functions_metadata_request(protos.request())
    if listing.function_metadata_results is None:
        raise IndexingError(f"{app_dir} has no function_app.py, or there is no function in it", "")
    for metadata in listing.function_metadata_results:
        await runtime.function_load_request(
            protos.request(
                function_load_request=protos.Message(
                    function_id=metadata.function_id, metadata=metadata
                )
            )
        )
    return [_indexed(metadata) for metadata in listing.function_metadata_results]


def unload() -> None:
    """Stop the library's thread pool."""
    runtime.stop_threadpool_executor()


def _indexed(metadata: Any) -> wire.IndexedFunction:
    return wire.IndexedFunction(
        name=metadata.name,
        function_id=metadata.function_id,
        bindings=[json.loads(raw) for raw in metadata.raw_bindings],
        retry=_retry(metadata.retry_options),
    )


def _retry(options: Any) -> wire.Retry | None:
    if options is None:
        return None
    if options.retry_strategy == "fixed_delay":
        return wire.Retry(
            max_count=options.max_retry_count,
            fixed_delay_s=options.delay_interval.total_seconds(),
        )
    return wire.Retry(
        max_count=options.max_retry_count,
        minimum_s=options.minimum_interval.total_seconds(),
        maximum_s=options.maximum_interval.total_seconds(),
    )


async def invoke(call: wire.Invoke) -> wire.Outcome:
    """Run one function through the library; what it raises is in the outcome."""
    token = runtime.invocation_id_cv.set(call.invocation_id)
    try:
        response = await runtime.invocation_request(
            protos.request(invocation_request=_invocation(call))
        )
    finally:
        runtime.invocation_id_cv.reset(token)
    if response.result.status != protos.StatusResult.Success:
        failure = response.result.exception
        return wire.Outcome(call.invocation_id, error=failure.message, trace=failure.stack_trace)
    outputs = {
        output.name: value
        for output in response.output_data
        if (value := _outgoing(output.data)) is not None
    }
    return wire.Outcome(call.invocation_id, _outgoing(response.return_value), outputs)


def current_invocation_id() -> str | None:
    """Return the id of the invocation that this thread or task works for."""
    current: str | None = runtime.invocation_id_cv.get()
    return current


def _invocation(call: wire.Invoke) -> protos.Message:
    return protos.Message(
        invocation_id=call.invocation_id,
        function_id=call.function_id,
        input_data=[
            protos.ParameterBinding(name=name, data=_incoming(value))
            for name, value in call.inputs.items()
        ],
        trigger_metadata={name: _incoming(value) for name, value in call.metadata.items()},
        trace_context=protos.Message(
            trace_parent=call.trace_parent, trace_state=call.trace_state, attributes={}
        ),
        retry_context=protos.Message(
            retry_count=call.retry_count, max_retry_count=call.max_retry_count, exception=None
        ),
    )


def _incoming(value: wire.Value | None) -> protos.TypedData:
    match value:
        case None:
            return protos.TypedData()
        case wire.Text(text):
            return protos.TypedData(string=text)
        case wire.Binary(content):
            return protos.TypedData(bytes=content)
        case wire.Json(text):
            return protos.TypedData(json=text)
        case wire.HttpRequest():
            http = protos.RpcHttp(
                method=value.method,
                url=value.url,
                headers=value.headers,
                query=value.query,
                params=value.params,
                body=protos.TypedData(bytes=value.body),
            )
            return protos.TypedData(http=http)
        case _:
            raise TypeError(f"{type(value).__name__} is no input of a function")


def _outgoing(data: protos.TypedData | None) -> wire.Value | None:
    if data is None:
        return None
    kind = data.WhichOneof("data")
    match kind:
        case None:
            return None
        case "string":
            return wire.Text(data.string)
        case "bytes":
            return wire.Binary(data.bytes)
        case "json":
            return wire.Json(data.json)
        case "int" | "double":
            return wire.Number(getattr(data, kind))
        case "http":
            return _answer(data.http)
        case _:
            raise TypeError(f"the library returned a value of unknown kind {kind}")


def _answer(http: Any) -> wire.HttpAnswer:
    body = http.body.bytes if http.body.WhichOneof("data") == "bytes" else http.body.string.encode()
    return wire.HttpAnswer(
        status=int(http.status_code),
        headers=dict(http.headers),
        cookies=[_set_cookie(cookie) for cookie in http.cookies or ()],
        body=body,
    )


def _set_cookie(cookie: Any) -> str:
    """Return a Set-Cookie value; the real host escapes the value as a URI component."""
    morsel: Morsel[str] = Morsel()
    value = quote(cookie.value, safe="-_.~")
    morsel.set(cookie.name, value, value)
    texts: Mapping[str, Any] = {"domain": cookie.domain, "path": cookie.path}
    for name, nullable in texts.items():
        if nullable is not None and nullable.value:
            morsel[name] = nullable.value
    if cookie.max_age is not None:
        morsel["max-age"] = str(int(cookie.max_age.value))
    if cookie.expires is not None:
        morsel["expires"] = formatdate(cookie.expires.value.seconds, usegmt=True)
    morsel["secure"] = cookie.secure is not None and cookie.secure.value
    morsel["httponly"] = cookie.http_only is not None and cookie.http_only.value
    if cookie.same_site is not protos.SameSite.Unset:
        site = cookie.same_site
        morsel["samesite"] = "None" if site is protos.SameSite.ExplicitNone else site.name
    return morsel.OutputString()
