"""The three-tenant example's API, a few places more, and a handler for whatever is
left, recorded: so that no path is safe merely because nobody answers it.
"""

from fastapi import FastAPI
from recorded import record
from tenants import app as example

api = FastAPI()
for route in example.routes:
    api.router.routes.append(route)


@api.get("/")
async def root():
    return {}


@api.get("/orders/{order}")
async def order(order: str):
    return {"order": order}


@api.get("/a")
@api.get("/a/{page:path}")
async def lax(page: str = ""):
    return {"page": page}


@api.get("/{page:path}")
async def elsewhere(page: str):
    return {"page": page}


app = record(api)
