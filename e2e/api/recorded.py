"""The same API with a record of what reached it, for the tests.

`uvicorn recorded:app` serves main.app; GET /_seen lists the requests since the
last DELETE /_seen, each from the moment its headers arrived, with the headers as
they came, the bytes of body received so far and the handler that was run. Other
paths are untouched.
"""

import json
import time

from main import app as api


def record(api):
    """Gives an ASGI app that serves api and tells what reached it."""
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
            "query": scope["query_string"].decode("latin-1"),
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
            "body_bytes": 0,
            "body_complete": False,
            "handler": "",
            "params": {},
        }
        seen.append(entry)
        del seen[:-20_000]

        async def counted():
            message = await receive()
            if message["type"] == "http.request":
                entry["body_bytes"] += len(message.get("body", b""))
                entry["body_complete"] = not message.get("more_body", False)
            return message

        async def noted(message):
            # Before the caller can know of it: the router has left its choice here.
            # The fallback for what no route takes is not called an endpoint.
            if message["type"] == "http.response.start" and "endpoint" in scope:
                entry["handler"] = getattr(scope["endpoint"], "__name__", "")
                entry["params"] = {name: str(value) for name, value in scope.get("path_params", {}).items()}
            await send(message)

        await api(scope, counted, noted)

    return app


app = record(api)
