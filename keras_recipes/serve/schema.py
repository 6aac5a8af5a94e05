"""`/openapi.json`: the addresses of a server in OpenAPI 3.1, for its own models."""

import json
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from keras_recipes import catalog, options
from keras_recipes.serve import contents, examples, jobs, protocol
from keras_recipes.serve.job_child import RECIPE
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
        "paths": {
            **_of_protocol(known, by_type),
            **_predictions(known),
            **_streams(known),
            **_of_page(known),
            **_of_jobs(known),
        },
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
            f"The text that `recipes predict {served.name}` writes"
            if served.writes
            else f"The rows that `recipes predict {served.name} --format jsonl` prints",
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


def _of_page(known: Iterable[Served]) -> Schema:
    """Return the addresses that the page asks about digits and XOR."""
    given = _answer("What the page draws", "application/json")
    picture = {"image/*": {"schema": _content("image/*")}}
    return {
        "/page/models": _get("The nets that the page draws", given),
        "/page/models/{model}": _get(
            "The layers of such a net", given, [_model([served.name for served in known])]
        ),
        "/page/seen": _post("What the layers of each such net make of a picture", picture, given),
        "/page/xor": _get("The numbers of the recipe xor", given),
        **{
            f"/page/examples/{name}": _get("An example for /page/jobs", _answer("A file", kind))
            for name, (_, kind) in examples.MADE.items()
        },
    }


def _of_jobs(known: Iterable[Served]) -> Schema:
    """Return the addresses of what the page fits and judges."""
    form = {contents.FORM: {"schema": _content(contents.FORM)}}
    begun = _answer("The job's name", "application/json")
    job = {"name": "job", "in": "path", "required": True, "schema": {"type": "string"}}
    file = {"name": "file", "in": "path", "required": True, "schema": {"enum": list(jobs.FILES)}}
    share = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
    streams = [served.name for served in known if served.streams]
    start: list[Schema] = [
        {"name": "model", "in": "query", "schema": {"enum": streams} if streams else False},
        {"name": "share", "in": "query", "schema": share},
        *_of_job(jobs.OF_FIT, "Only without a model. "),
        *_of_job(jobs.OF_JUDGE, "Only with a model. "),
    ]
    state = _answer("Its state", "application/json")
    rows = {"description": "Rows", "content": {k: {"schema": {}} for k in jobs.FILES.values()}}
    return {
        "/page/jobs": {
            **_get("What can be judged and fitted", _answer("Models", "application/json")),
            **_post(
                "Judge a file by a model, or by one of its first part", form, begun, start, "202"
            ),
        },
        "/page/jobs/{job}": {
            **_get("How far a job is", state, [job]),
            "delete": _get("Stop a job, and forget it", state, [job])["get"],
        },
        "/page/jobs/{job}/rows": _post(
            "Judge the file again", {}, begun, [job, *_of_job(jobs.OF_JUDGE)], "202"
        ),
        "/page/jobs/{job}/{file}": _get("The rows of a job", rows, [job, file]),
    }


def _of_job(names: Iterable[str], when: str = "") -> list[Schema]:
    recipe = catalog.get(RECIPE)
    known, meanings = options.of(recipe), options.descriptions(recipe)
    return [_parameter(known[name], when + meanings[name]) for name in names]


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
        _parameter(option, meanings[name])
        for name, option in known.items()
        if option.stays or name in NO_FILES
    ]


def _parameter(option: options.Option, meaning: str) -> Schema:
    return {
        "name": option.name,
        "in": "query",
        "description": f"{meaning} Expected: {option.expected}{option.unset}.",
        "schema": _of_option(option),
    }


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


def _post(
    summary: str,
    content: Schema,
    answer: Schema,
    parameters: Iterable[Schema] = (),
    status: str = "200",
) -> Schema:
    """Return what a POST does; without content it has no body."""
    body = {"requestBody": {"required": True, "content": content}} if content else {}
    return {
        "post": {
            "summary": summary,
            "parameters": list(parameters),
            **body,
            "responses": {status: answer, "default": _REFUSED},
        }
    }
