"""The Functions app: registers one blueprint for each function, and nothing else.

No environment is read and no client is made here: the host may import this file long before the
first event, and how long that takes is the cold start.
"""

import logging

import azure.functions as func

from functions import (
    inspect,
    operate,
    poison,
    prune,
    rebuild,
    receive_push,
    release,
    replay,
    scan_drift,
    settle,
    snapshot,
    status,
    sweep,
    sync,
    watch,
)

# The SDKs log every request at INFO; our own events say what was done.
logging.getLogger("azure").setLevel(logging.WARNING)

app = func.FunctionApp()
for _room in (
    *(receive_push, sync, release, watch, snapshot, settle, prune, sweep, poison),
    *(scan_drift, inspect),
    *(status, operate, replay, rebuild),
):
    app.register_functions(_room.blueprint)
