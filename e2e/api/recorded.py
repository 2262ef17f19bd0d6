"""The same API with a record of what reached it, for the tests.

`uvicorn recorded:app` serves main.app; GET /_seen lists the requests since the
last DELETE /_seen, each from the moment its headers arrived, with the headers as
they came and the bytes of body received so far. Other paths are untouched.
"""

import json
import time

from main import app as api

seen: list[dict] = []


async def app(scope, receive, send):
    if scope["type"] != "http":
        return await api(scope, receive, send)
    if scope["path"] == "/_seen":
        answer = json.dumps(seen).encode()
        if scope["method"] == "DELETE":
            seen.clear()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        return await send({"type": "http.response.body", "body": answer})

    entry = {
        "at": time.time(),
        "method": scope["method"],
        "path": scope["path"],
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "body_bytes": 0,
        "body_complete": False,
    }
    seen.append(entry)
    del seen[:-20_000]

    async def counted():
        message = await receive()
        if message["type"] == "http.request":
            entry["body_bytes"] += len(message.get("body", b""))
            entry["body_complete"] = not message.get("more_body", False)
        return message

    await api(scope, counted, send)
