#!/usr/bin/env python3
"""A server with OpenAI's API that computes nothing: every word is a token, and it behaves as it is told.

A fault comes with the first answer of five tokens or more; shorter ones are always good.
"""

import argparse
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FAULTY_FROM_TOKENS = 5
FAULTS = {
    "answer-429": (429, {"error": {"message": "too many requests are waiting"}}),
    "answer-500": (500, {"detail": "the model fell over"}),
    "answer-rubbish": (503, "<html>no\nserver</html>"),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour = "good"
    name = "words"

    def do_GET(self) -> None:
        if self.path == "/v1/models" and self.behaviour != "never-ready":
            self.answer(200, {"object": "list", "data": [{"id": self.name}]})
        else:
            self.answer(503 if self.behaviour == "never-ready" else 404, {"error": {"message": "not now"}})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path not in ("/v1/completions", "/v1/chat/completions"):
            self.answer(404, {"error": "no such thing"})
            return
        if request["model"] != self.name or self.headers.get("Authorization", "Bearer key") != "Bearer key":
            self.answer(401, {"error": {"message": "who are you?"}})
            return
        if "messages" in request:
            texts = [message["content"] for message in request["messages"]]
        else:
            texts = [request["prompt"]]
        prompt_tokens = sum(len(text.split()) for text in texts)
        if not request.get("stream"):
            self.answer(200, {"usage": {"prompt_tokens": prompt_tokens, "completion_tokens": 1}})
            return
        behaviour = self.behaviour if request["max_tokens"] >= FAULTY_FROM_TOKENS else "good"
        if behaviour in FAULTS:
            self.answer(*FAULTS[behaviour])
        else:
            self.stream(behaviour, request, prompt_tokens)

    def answer(self, status: int, content: object) -> None:
        body = (content if isinstance(content, str) else json.dumps(content)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, behaviour: str, request: dict[str, Any], prompt_tokens: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        end = "\r\n" if behaviour == "returns" else "\n"
        for event in events(behaviour, request, prompt_tokens):
            text = event if isinstance(event, str) else "data: " + json.dumps(event)
            data = (text + end + end).encode()
            middle = len(data) // 2 if behaviour == "pieces" else 0
            for piece in filter(None, (data[:middle], data[middle:])):
                self.wfile.write(piece)
                self.wfile.flush()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        if self.behaviour == "rubbish":
            sys.stdout.buffer.write(b'\xff\x00{"type":"done","id":1}\n' * 100)
            sys.stdout.flush()


def events(behaviour: str, request: dict[str, Any], prompt_tokens: int) -> Iterator[object]:
    """What the server streams: objects are events, strings stand for themselves."""
    chat = "messages" in request
    if chat or behaviour == "role-first":
        yield event_of(chat, "", role="assistant")
    if behaviour == "comments":
        yield ": keepalive 3/9"
    asked = request["max_tokens"]
    words = itertools.islice(itertools.cycle(["one", "two", "three"]), 3 if behaviour == "short" else asked)
    reason = "stop" if behaviour == "short" else "length"
    step = 2 if behaviour == "pairs" else 1
    pairs = list(itertools.zip_longest(*[words] * step))
    for number, pair in enumerate(pairs):
        if behaviour in MIDST and number == 2:
            yield from MIDST[behaviour]()
            return
        yield event_of(chat, "".join(f" {word}" for word in pair if word))
        if behaviour == "comments":
            yield ":"
    if behaviour == "silent":
        yield {"choices": []}
    yield event_of(chat, "", finish_reason=reason)
    counted = 3 if behaviour == "short" else asked
    if behaviour != "no-usage" and request["stream_options"]["include_usage"]:
        yield {"choices": [], "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": counted}}
    if behaviour != "no-done":
        yield "data: [DONE]"


def event_of(chat: bool, text: str, role: str = "", finish_reason: str | None = None) -> dict[str, object]:
    if chat:
        delta = {"role": role, "content": None} if role else {"content": text} if text else {}
        return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}
    return {"choices": [{"index": 0, "text": text, "finish_reason": finish_reason}]}


def stall() -> Iterator[object]:
    """Say on the test's pipe, if there is one, that the answer has stalled."""
    if "EDGEPROF_TEST_PIPE" in os.environ:
        Path(os.environ["EDGEPROF_TEST_PIPE"]).write_bytes(b".")
    while True:
        time.sleep(3600)
    yield None


def die(number: signal.Signals) -> Iterator[object]:
    sys.stderr.write("fatal error: the server has had enough\n")
    sys.stderr.flush()
    os.kill(os.getpid(), number)
    signal.pause()
    yield None


MIDST: dict[str, Callable[[], Iterator[object]]] = {
    "stall": stall,
    "close-early": lambda: iter(()),
    "malformed": lambda: iter(['data: {"choices": [{"te']),
    "wrong-type": lambda: iter(["data: [1, 2]"]),
    "error-event": lambda: iter([{"error": {"message": "out of memory", "code": 500}}]),
    "killed": lambda: die(signal.SIGKILL),
    "crashed": lambda: die(signal.SIGSEGV),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--behaviour", default="good")
    arguments = parser.parse_args()
    Handler.behaviour = arguments.behaviour
    if arguments.behaviour == "ends-at-once":
        sys.exit("error: no such model")
    if arguments.behaviour == "ignores-terminate":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
