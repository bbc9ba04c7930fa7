"""The service's API key -> what a route checks before it answers."""

import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headstart.serving.problems import RefusedError


def key_dependencies(api_key: str | None) -> Sequence[Any]:
    """The dependencies of routes that need the key; without a key there are none."""
    return [Depends(_key_check(api_key))] if api_key else []


def _key_check(api_key: str) -> Callable[..., None]:
    expected = api_key.encode()
    bearer = HTTPBearer(auto_error=False, description="The service's API key.")

    def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if given is None or not hmac.compare_digest(given.credentials.encode(), expected):
            raise RefusedError(
                "unauthorized",
                "This service requires its API key. Send it as 'Authorization: Bearer KEY'.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return check
