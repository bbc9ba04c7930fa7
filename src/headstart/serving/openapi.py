"""What the OpenAPI document says of problems, of images in a request's body, and of the names of models."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from headstart.serving import schemas
from headstart.serving.limits import Limits
from headstart.serving.problems import MEDIA_TYPE, PROBLEMS, RefusedError
from headstart.serving.uploads import MULTIPART, OCTET_STREAM


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with problems of these statuses."""
    schema, request_id = {"$ref": "#/components/schemas/Problem"}, str(schemas.EXAMPLE_ANSWER["id"])
    responses: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        codes = [code for code, known in PROBLEMS.items() if known == status]
        examples = {
            code: {"value": RefusedError(code, schemas.EXAMPLE_DETAILS[code]).to_json(request_id)} for code in codes
        }
        content = {MEDIA_TYPE: {"schema": schema, "examples": examples}}
        responses[status] = {"description": ", ".join(codes), "content": content}
    return responses


def image_body(limits: Limits) -> dict[str, Any]:
    """The `openapi_extra` of a route that takes images: one as the body itself, or several as a form."""
    image = {"type": "string", "format": "binary"}
    form = {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "array", "items": image, "minItems": 1, "maxItems": limits.files}},
    }
    single = {kind: {"schema": image} for kind in ("image/jpeg", "image/png", "image/webp", OCTET_STREAM)}
    return {"requestBody": {"required": True, "content": {MULTIPART: {"schema": form}, **single}}}


def openapi_document(app: FastAPI, model_names: Sequence[str]) -> dict[str, Any]:
    """The document of the application. model_names: those that may be published; none: the document names no model."""
    servers = [{"url": app.root_path}] if app.root_path else None  # a proxy shows the service under another path
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, servers=servers
    )  # fmt: skip
    if model_names:
        for operation in (document["paths"]["/v1/predict"]["post"], document["paths"]["/v1/model"]["get"]):
            model = next(parameter for parameter in operation["parameters"] if parameter["name"] == "model")
            model["schema"] = {"type": "string", "enum": list(model_names), "default": model_names[0]}
    return document
