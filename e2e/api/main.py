"""The API behind the edge: a small order book that knows nothing of tokens.

Who is calling arrives in two headers that Envoy's filter writes, and that no
caller can forge because the filter removes what a caller sends under their names.
"""

import base64
import json

from fastapi import FastAPI, Request
from pydantic import BaseModel

app = FastAPI(title="orders")
orders = [{"id": 1, "item": "tea", "quantity": 2}, {"id": 2, "item": "paper", "quantity": 500}]


class Order(BaseModel):
    item: str
    quantity: int = 1


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/public")
async def public():
    return {"message": "hello"}


@app.get("/orders")
async def list_orders():
    return orders


@app.post("/orders", status_code=201)
async def add_order(order: Order):
    # Kept in memory and short: this is an example, and the tests post a lot.
    added = {"id": orders[-1]["id"] + 1, **order.model_dump()}
    orders.append(added)
    del orders[2:-50]
    return added


@app.get("/me")
async def me(request: Request):
    """The caller as the edge describes it; null where it says nothing."""
    payload = request.headers.get("x-jwt-payload")
    return {
        "sub": request.headers.get("x-jwt-sub"),
        "claims": json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) if payload else None,
    }
