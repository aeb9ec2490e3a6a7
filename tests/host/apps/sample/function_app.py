"""An app that shows what it was handed, and does what the message says."""

import json
import logging
import os
import signal
import threading
import time
from typing import List  # noqa: UP035 - the library takes no list[str]

import azure.functions as func

app = func.FunctionApp()
logger = logging.getLogger("sample")


@app.route(route="echo", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer with the request."""
    logger.info("echo %s", req.method)
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "params": dict(req.route_params),
        "length": len(req.get_body()),
        "invocation_id": context.invocation_id,
        "trace_parent": context.trace_context.trace_parent,
        "pid": os.getpid(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route(route="act", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def act(req: func.HttpRequest) -> func.HttpResponse:
    """Do what the body says: answer, fail, sleep, or end the process."""
    order = req.get_json()
    match order["do"]:
        case "raise":
            raise RuntimeError("as ordered")
        case "sleep":
            threading.Event().wait(order["seconds"])
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
    response = func.HttpResponse("done", status_code=order.get("status", 200))
    for cookie in order.get("cookies", ()):
        response.headers.add("Set-Cookie", cookie)
    return response


@app.route(route="things/{id:int}", auth_level=func.AuthLevel.FUNCTION)
async def thing(req: func.HttpRequest) -> str:
    """Answer by number."""
    return f"number {req.route_params['id']}"


@app.route(route="things/{name}", auth_level=func.AuthLevel.FUNCTION)
def named_thing(req: func.HttpRequest) -> str:
    """Answer by name."""
    return f"name {req.route_params['name']}"


@app.route(route="things/all", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
def all_things(req: func.HttpRequest) -> str:
    """Answer the literal."""
    return f"all {len(req.params)}"


@app.route(route="post/{queue}", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@app.queue_output(arg_name="messages", queue_name="{queue}", connection="Store")
@app.blob_output(arg_name="copy", path="copies/{rand-guid}.txt", connection="Store")
def post(
    req: func.HttpRequest,
    messages: func.Out[List[str]],  # noqa: UP006 - as above
    copy: func.Out[str],
) -> func.HttpResponse:
    """Put the lines of the body into a queue, one message each, and keep a copy."""
    text = req.get_body().decode()
    messages.set(text.splitlines())
    copy.set(text)
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="message", queue_name="%ORDERS%", connection="Store")
@app.blob_output(arg_name="seen", path="seen/{id}-{dequeueCount}.json", connection="Store")
def work(message: func.QueueMessage, seen: func.Out[str]) -> None:
    """Write what arrived to a blob, or fail, sleep or die when the message says so."""
    body = message.get_body().decode()
    logger.info("working on %s", body)
    order = json.loads(body) if body.startswith("{") else {}
    match order.get("do"):
        case "raise":
            raise RuntimeError("as ordered")
        case "sleep":
            time.sleep(order["seconds"])
    seen.set(
        json.dumps(
            {
                "body": body,
                "id": message.id,
                "dequeue_count": message.dequeue_count,
                "inserted": str(message.insertion_time),
                "receipt": message.pop_receipt,
                "pid": os.getpid(),
            }
        )
    )


@app.queue_trigger(arg_name="message", queue_name="%SPARE%", connection="Store")
def spare(message: func.QueueMessage) -> None:
    """Fail always."""
    raise RuntimeError(message.get_body().decode())


@app.queue_trigger(arg_name="message", queue_name="chain", connection="Store")
@app.blob_input(arg_name="document", path="inputs/{name}", connection="Store")
@app.queue_output(arg_name="$return", queue_name="chained", connection="Store")
def chain(message: func.QueueMessage, document: func.InputStream) -> str:
    """Hand on what the named blob holds."""
    return (
        document.read().decode() if document is not None else f"nothing for {message.get_body()!r}"  # type: ignore[redundant-expr]
    )


@app.timer_trigger(arg_name="timer", schedule="%BEAT%", run_on_startup=False, use_monitor=False)
@app.queue_output(arg_name="beats", queue_name="beats", connection="Store")
def beat(timer: func.TimerRequest, beats: func.Out[str]) -> None:
    """Say when."""
    beats.set(json.dumps({"past_due": timer.past_due, "at": time.time(), "pid": os.getpid()}))


@app.timer_trigger(arg_name="timer", schedule="%TICK%")
@app.retry(strategy="fixed_delay", max_retry_count="1", delay_interval="00:00:01")
@app.queue_output(arg_name="ticks", queue_name="ticks", connection="Store")
def tick(timer: func.TimerRequest, ticks: func.Out[str], context: func.Context) -> None:
    """Say when, but fail at first when late."""
    attempt = context.retry_context.retry_count
    if timer.past_due and attempt == 0:
        raise RuntimeError("late")
    note = {"past_due": timer.past_due, "attempt": attempt, "status": timer.schedule_status}  # type: ignore[attr-defined]
    ticks.set(json.dumps(note))
