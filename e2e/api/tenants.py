"""The API of the three-tenant example: organisations and their orders.

It knows nothing of tokens, and nothing of who may do what: see e2e/tenants.
"""

from fastapi import FastAPI, Request
from pydantic import BaseModel

app = FastAPI(title="orders of many organisations", redirect_slashes=True)
orders: dict[str, list[dict]] = {name: [{"id": 1, "item": "tea"}] for name in ("org_acme", "org_globex", "initech")}


class Order(BaseModel):
    item: str


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/public/{page:path}")
async def public(page: str):
    return {"page": page}


@app.get("/orgs/{org}/orders")
async def list_orders(org: str):
    return orders.get(org, [])


@app.post("/orgs/{org}/orders", status_code=201)
async def add_order(org: str, order: Order):
    added = {"id": 2, "item": order.item}
    orders.setdefault(org, [{"id": 1}])[1:] = [added]
    return added


@app.get("/orgs/{org}/orders/{order}")
async def one_order(org: str, order: str):
    return {"org": org, "order": order}


@app.get("/orgs/{org}/members")
async def list_members(org: str):
    return [{"org": org, "name": "first"}]


@app.delete("/orgs/{org}/members/{member}", status_code=204)
async def remove_member(org: str, member: str):
    return None


@app.post("/export")
async def export():
    return {"exported": sum(len(list) for list in orders.values())}


@app.get("/admin")
@app.get("/admin/{page:path}")
async def admin(page: str = ""):
    return {"organisations": list(orders)}


@app.get("/me")
async def me(request: Request):
    """The caller as the edge describes it; null where it says nothing."""
    return {name: request.headers.get(name) for name in ("x-user", "x-org", "x-permissions")}
