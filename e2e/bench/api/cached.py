"""The order book of e2e/api with the check inside: PyJWT and keys that are kept.

What a careful team writes when no edge does it: PyJWKClient keeps the key set
and the keys, so that a request costs a signature and no download.
"""

import os
import ssl

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from main import orders

app = FastAPI(title="orders")
bearer = HTTPBearer()
keys = jwt.PyJWKClient(
    os.environ["KEYS_URL"],
    cache_keys=True,
    lifespan=600,
    ssl_context=ssl.create_default_context(cafile=os.environ["KEYS_CA"]),
)


# async: PyJWT blocks only while it downloads, once in ten minutes; a thread for
# each request would cost more than the check.
async def caller(credentials: HTTPAuthorizationCredentials = Depends(bearer)):
    try:
        key = keys.get_signing_key_from_jwt(credentials.credentials)
        return jwt.decode(
            credentials.credentials,
            key,
            algorithms=["RS256"],
            audience=os.environ["AUDIENCE"],
            issuer=os.environ["ISSUER"],
        )
    except jwt.PyJWTError:
        raise HTTPException(401, "invalid token", {"WWW-Authenticate": "Bearer"})


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/orders", dependencies=[Depends(caller)])
async def list_orders():
    return orders
