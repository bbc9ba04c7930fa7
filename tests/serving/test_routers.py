"""The service's routers inside another FastAPI application, under a prefix; in this process, without a port."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

import headstart as hs
from headstart.serving.config import ServiceConfig
from headstart.serving.exception_handlers import install_problem_handlers
from headstart.serving.problems import MEDIA_TYPE
from headstart.serving.routers import api_router
from headstart.serving.routers.page import page_router
from headstart.serving.service import Service

Conversation = Callable[[httpx.AsyncClient], Awaitable[None]]


class TeapotError(Exception):
    """An exception of the other application."""


@pytest.fixture
def shop(run: hs.Run) -> FastAPI:
    """An application with routes and handlers of its own, to which the service was added."""
    app = FastAPI()

    @app.get("/orders/{number}")
    def order(number: int) -> dict[str, int]:
        if number == 0:
            raise TeapotError
        if number > 100:
            raise HTTPException(404, "There is no such order.")
        return {"number": number}

    @app.exception_handler(TeapotError)
    def teapot(request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": "a teapot"}, 418)

    service = Service({"cells": run.folder}, ServiceConfig(api_key="a-key-of-24-characters-x"))
    app.include_router(api_router(service), prefix="/headstart")
    app.include_router(page_router(), prefix="/headstart")
    install_problem_handlers(app, prefix="/headstart")
    return app


def talk(app: FastAPI, conversation: Conversation) -> None:
    """From the application's start to its end."""

    async def start_talk_end() -> None:
        headers = {"Authorization": "Bearer a-key-of-24-characters-x"}
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers) as client,
        ):
            await conversation(client)

    asyncio.run(start_talk_end())


def problem(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == MEDIA_TYPE
    content = response.json()
    assert content["status"] == response.status_code
    assert re.fullmatch(r"[0-9a-f]{32}", content["id"])
    return response.status_code, content["code"]


def test_the_service_in_another_application(shop, classifier, photos):
    content = next(photos.rglob("*.png")).read_bytes()
    image, form = {"Content-Type": "image/png"}, {"Content-Type": "multipart/form-data"}

    async def conversation(client: httpx.AsyncClient) -> None:
        answer = (await client.post("/headstart/v1/predict", content=content, headers=image)).json()
        assert answer["model"] == "cells"
        expected = classifier.predict(content)
        assert answer["predictions"][0]["probabilities"] == pytest.approx(expected.probabilities, abs=1e-4)
        described = (await client.get("/headstart/v1/model")).json()
        assert described["class_names"] == list(classifier.class_names)
        assert (await client.get("/headstart/readyz")).json() == {"status": "ok"}
        assert 'headstart_images_total{model="cells",outcome="answered"} 1.0' in (
            await client.get("/headstart/metrics")
        ).text  # fmt: skip
        assert "What is in your photo?" in (await client.get("/headstart/")).text
        script = Path(hs.__file__).parent / "serving" / "page" / "page.js"
        assert (await client.get("/headstart/page.js")).text == script.read_text("utf-8")

        predict = "/headstart/v1/predict"
        assert problem(await client.post(predict, content=b"words", headers=image)) == (415, "not-an-image")
        assert problem(await client.post(predict, content=b"--", headers=form)) == (400, "bad-multipart")
        assert problem(await client.post(f"{predict}?top=0", content=content)) == (422, "invalid-parameter")
        assert problem(await client.post(f"{predict}?accuracy=0.9999", content=content)) == (422, "impossible-promise")
        assert problem(await client.get(predict)) == (405, "method-not-allowed")
        assert problem(await client.get("/headstart/v1/nothing")) == (404, "not-found")
        refused = await client.get("/headstart/v1/model", headers={"Authorization": "Bearer wrong"})
        assert problem(refused) == (401, "unauthorized")
        assert refused.headers["WWW-Authenticate"] == "Bearer"

    talk(shop, conversation)


def test_the_other_application_keeps_its_own_answers(shop):
    """Its errors, also of kinds that the service has handlers for, and its OpenAPI document."""

    async def conversation(client: httpx.AsyncClient) -> None:
        assert (await client.get("/orders/7")).json() == {"number": 7}
        missing = await client.get("/orders/101")
        assert (missing.status_code, missing.json()) == (404, {"detail": "There is no such order."})
        assert (await client.get("/nothing")).json() == {"detail": "Not Found"}
        invalid = await client.get("/orders/seven")
        assert (invalid.status_code, type(invalid.json()["detail"])) == (422, list)
        assert (await client.get("/orders/0")).status_code == 418
        document = (await client.get("/openapi.json")).json()
        assert {"/orders/{number}", "/headstart/v1/predict", "/headstart/v1/model"} <= set(document["paths"])
        assert "Problem" in document["components"]["schemas"]

    talk(shop, conversation)
