#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A front end of sotto in another language: shows what comes in, and answers "ping" with "pong".

Usage: front_end.py CONTROL-SOCKET        (sotto --home DIR has it at DIR/run/control.sock)
"""
import json
import socket
import sys

if len(sys.argv) != 2:
    sys.exit(__doc__)
core = socket.socket(socket.AF_UNIX)
core.connect(sys.argv[1])
lines = core.makefile("rw", encoding="utf-8", newline="\n")


def call(number, method, **params):
    lines.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n")
    lines.flush()


call(1, "events.subscribe", types=["message.received"])
for line in lines:
    answer = json.loads(line)
    if "error" in answer:
        sys.exit(answer["error"]["message"])
    if answer.get("method") != "event":
        continue
    message = answer["params"]["message"]
    # repr: what others write may hold control characters
    print(message["sender"][:8], repr(message["text"]), flush=True)
    if message["text"] == "ping":
        call(2, "messages.send", discussion=message["discussion"], text="pong")
