"""`/openapi.json`: the addresses of a server in OpenAPI 3.1, for its own models."""

import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from keras_recipes import options
from keras_recipes.serve import contents, protocol
from keras_recipes.serve.models import VERSION, Models, Served
from keras_recipes.serve.queries import NO_FILES

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"

_OF_PROTOCOL = (
    protocol.InferRequest,
    protocol.InferResponse,
    protocol.ModelMetadata,
    protocol.ModelReady,
    protocol.ServerMetadata,
)

_REFUSED = {
    "description": "One line of JSON says what was expected, what was received, what to do next.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string"}},
                "required": ["error"],
            }
        }
    },
}


def document(models: Models) -> bytes:
    """Return the description of all addresses as JSON."""
    known = list(models.by_name.values())
    schemas, components = msgspec.json.schema_components(_OF_PROTOCOL, ref_template=REF)
    by_type = dict(zip(_OF_PROTOCOL, schemas, strict=True))
    made: Schema = {
        "openapi": "3.1.0",
        "info": {
            "title": "keras_recipes",
            "version": version("keras_recipes"),
            "description": "Classic neural nets that answer over HTTP.",
        },
        "paths": {**_of_protocol(known, by_type), **_predictions(known), **_streams(known)},
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }
    made["paths"] |= {
        "/metrics": _get("Counters for Prometheus", _answer("Counters", "text/plain")),
        "/openapi.json": _get("This description", _answer("OpenAPI", "application/json")),
        "/index.json": _get("What is where", _answer("Addresses", "application/json")),
        "/": _get("The page that draws the nets", _answer("A page", "text/html")),
    }
    return json.dumps(made, indent=1).encode()


def _of_protocol(known: Iterable[Served], by_type: dict[Any, Schema]) -> Schema:
    paths: Schema = {
        "/v2/health/live": _get("Whether the server lives", {"description": "It does."}),
        "/v2/health/ready": _get("Whether the server is ready", {"description": "It is."}),
        "/v2": _get("What the server is", _json("The server", by_type[protocol.ServerMetadata])),
    }
    nets = [served.name for served in known if served.takes]
    everything = [served.name for served in known]
    for prefix in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
        of = [_model(everything), *([_version()] if "version" in prefix else [])]
        paths[prefix] = _get(
            "What a model takes and gives",
            _json("The model", by_type[protocol.ModelMetadata]),
            of,
        )
        paths[f"{prefix}/ready"] = _get(
            "Whether a model is ready", _json("It is.", by_type[protocol.ModelReady]), of
        )
        if nets:
            paths[f"{prefix}/infer"] = _post(
                "The outputs of a net for a batch of inputs",
                {"application/json": {"schema": by_type[protocol.InferRequest]}},
                _json("The outputs", by_type[protocol.InferResponse]),
                [_model(nets), *of[1:]],
            )
    return paths


def _predictions(known: Iterable[Served]) -> Schema:
    return {
        f"/predict/{served.name}": _post(
            f"The rows that `recipes predict {served.name} --format jsonl` prints",
            {kind: {"schema": _content(kind)} for kind in contents.expected(served)},
            _answer("Rows", "text/plain" if served.writes else "application/x-ndjson"),
            _options(served),
        )
        for served in known
    }


def _streams(known: Iterable[Served]) -> Schema:
    return {
        f"/predict/{served.name}/streams/{{stream}}": _post(
            "Rows about lines, as they arrive",
            {kind: {"schema": {"type": "string"}} for kind in ("text/plain", contents.LINES[0])},
            _answer("Rows", "application/x-ndjson"),
            [
                {
                    "name": "stream",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"},
                },
                *_options(served),
            ],
        )
        for served in known
        if served.streams
    }


def _content(kind: str) -> Schema:
    if kind == contents.FORM:
        one = {"type": "string", "format": "binary"}
        return {"type": "object", "properties": {"file": one}, "required": ["file"]}
    if kind == contents.JSON:
        return {"type": "array"}
    return {"type": "string", "format": "binary"} if kind == "image/*" else {"type": "string"}


def _options(served: Served) -> list[Schema]:
    """Return the options of a model as parameters of the query."""
    if served.recipe is None or served.card is None:
        return []
    meanings = options.descriptions(served.recipe)
    known = options.of(served.recipe, "predict", served.card.learned)
    return [
        {
            "name": name,
            "in": "query",
            "description": f"{meanings[name]} Expected: {option.expected}{option.unset}.",
            "schema": _of_option(option),
        }
        for name, option in known.items()
        if option.stays or name in NO_FILES
    ]


def _of_option(option: options.Option) -> Schema:
    if option.choices:
        return {"enum": list(option.choices)}
    kinds = {int: "integer", float: "number", bool: "boolean", str: "string"}
    return {"type": kinds[option.kind]}


def _model(names: list[str]) -> Schema:
    return {"name": "model", "in": "path", "required": True, "schema": {"enum": names}}


def _version() -> Schema:
    return {"name": "version", "in": "path", "required": True, "schema": {"enum": [VERSION]}}


def _answer(description: str, kind: str) -> Schema:
    return {"description": description, "content": {kind: {"schema": {}}}}


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _get(summary: str, answer: Schema, parameters: Iterable[Schema] = ()) -> Schema:
    return {
        "get": {
            "summary": summary,
            "parameters": list(parameters),
            "responses": {"200": answer, "default": _REFUSED},
        }
    }


def _post(summary: str, content: Schema, answer: Schema, parameters: Iterable[Schema]) -> Schema:
    return {
        "post": {
            "summary": summary,
            "parameters": list(parameters),
            "requestBody": {"required": True, "content": content},
            "responses": {"200": answer, "default": _REFUSED},
        }
    }
