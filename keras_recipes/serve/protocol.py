"""The Open Inference Protocol, version 2, over REST: health, metadata and `infer`.

Tensors are JSON, or binary data after the JSON as `tritonclient.http` sends them. The header
`Inference-Header-Content-Length` is then the length of the JSON.
https://github.com/kserve/open-inference-protocol
"""

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from keras_recipes.serve import tensors
from keras_recipes.serve.limits import Bodies, Limits, Receive, Scope, Send, busy
from keras_recipes.serve.models import VERSION, Models, Served
from keras_recipes.serve.refusals import Refusal

JSON = "application/json"
BINARY = "application/octet-stream"
HEADER_LENGTH = "inference-header-content-length"
MOST_NUMBERS = 2**53

Axis = Annotated[int, msgspec.Meta(ge=0, le=MOST_NUMBERS)]


class Parameters(msgspec.Struct, omit_defaults=True):
    """The parameters of a tensor or of a request that mean something here."""

    binary_data_size: Axis | None = None
    binary_data: bool | None = None
    binary_data_output: bool | None = None


class Input(msgspec.Struct):
    """A tensor of a request; without `data` it is binary."""

    name: str
    shape: Annotated[list[Axis], msgspec.Meta(max_length=tensors.MOST_AXES)]
    datatype: str
    data: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b""))
    parameters: Parameters | None = None


class Output(msgspec.Struct):
    """A tensor that a request asks for."""

    name: str
    parameters: Parameters | None = None


class InferRequest(msgspec.Struct):
    """A request of `infer`."""

    inputs: list[Input]
    id: str | None = None
    outputs: list[Output] | None = None
    parameters: Parameters | None = None


class Answered(msgspec.Struct, omit_defaults=True):
    """A tensor of an answer; without `data` it is binary."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: Parameters | None = None


class InferResponse(msgspec.Struct, omit_defaults=True):
    """An answer of `infer`."""

    model_name: str
    model_version: str
    outputs: list[Answered]
    id: str | None = None


class ModelMetadata(msgspec.Struct):
    """What is known about a model: its tensors, and what computes it."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[tensors.Spec]
    outputs: list[tensors.Spec]


class ServerMetadata(msgspec.Struct):
    """What is known about the server."""

    name: str
    version: str
    extensions: list[str]


class ModelReady(msgspec.Struct):
    """Whether a model is ready; all are, from the start."""

    name: str
    ready: bool


_request = msgspec.json.Decoder(InferRequest)
_encoder = msgspec.json.Encoder()


class Protocol:
    """The addresses of the protocol.

    Args:
        models: The models of the server.
        bodies: Reads the bodies of requests.
        limits: The limits of the server.
    """

    def __init__(self, models: Models, bodies: Bodies, limits: Limits) -> None:
        self._models, self._bodies, self._limits = models, bodies, limits

    async def healthy(self, request: Request) -> Response:
        """Answer that the server is live, and ready for its models."""
        return Response()

    async def server(self, request: Request) -> Response:
        """Answer what the server is."""
        metadata = ServerMetadata("keras_recipes", version("keras_recipes"), ["binary_tensor_data"])
        return _as_json(metadata)

    async def model(self, request: Request) -> Response:
        """Answer what a model takes and gives."""
        served = self._model(request.path_params)
        takes, gives = ([end] if end else [] for end in (served.takes, served.gives))
        return _as_json(ModelMetadata(served.name, [VERSION], served.platform, takes, gives))

    async def ready(self, request: Request) -> Response:
        """Answer that a model is ready."""
        return _as_json(ModelReady(self._model(request.path_params).name, True))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `infer`: the outputs of a net for a batch of inputs."""
        served = self._model(scope["path_params"])
        try:
            async with asyncio.timeout(self._limits.seconds):
                body = await self._bodies.read(scope, receive)
                asked, binary = _decoded(scope, body)
                x = _input(served, asked, binary)
                assert served.batcher is not None
                content, length = _encoded(served, asked, await served.batcher.answer(x))
        except TimeoutError:
            raise busy(f"no answer in {self._limits.seconds:g} seconds") from None
        headers = [
            (b"content-type", JSON.encode() if length is None else BINARY.encode()),
            (b"content-length", str(len(content)).encode()),
        ]
        if length is not None:
            headers.append((HEADER_LENGTH.encode(), str(length).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _model(self, parameters: dict[str, str]) -> Served:
        served = self._models.named(parameters["model"])
        if parameters.get("version", VERSION) != VERSION:
            raise Refusal(404, f"{served.name}: expected version {VERSION}, the only one")
        return served


def _as_json(value: msgspec.Struct) -> Response:
    return Response(_encoder.encode(value), media_type=JSON)


def _decoded(scope: Scope, body: bytes) -> tuple[InferRequest, memoryview]:
    """Return the request, and the binary data that follows its JSON."""
    length = len(body)
    for name, value in scope["headers"]:
        if name == HEADER_LENGTH.encode():
            if not value.isdigit() or int(value) > len(body):
                raise Refusal(
                    400, "Inference-Header-Content-Length: expected the length of the JSON"
                )
            length = int(value)
    text = body if length == len(body) else body[:length]
    try:
        return _request.decode(text), memoryview(body)[length:]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"expected a request of infer as JSON: {error}") from None


def _input(served: Served, asked: InferRequest, binary: memoryview) -> np.ndarray:
    """Return the tensor of a request."""
    spec = served.takes
    if spec is None:
        raise Refusal(400, f"{served.name}: is no net by itself; ask POST /predict/{served.name}")
    if len(asked.inputs) != 1 or asked.inputs[0].name != spec.name:
        raise Refusal(400, f"{served.name}: expected one input with the name {spec.name!r}")
    given = asked.inputs[0]
    if given.datatype != spec.datatype or not spec.fits(given.shape) or not given.shape[0]:
        raise Refusal(
            400,
            f"{spec.name}: expected {spec.datatype} of the shape {spec.shape}, received "
            f"{given.datatype} of the shape {given.shape}",
        )
    x = _numbers(spec, given, binary)
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise Refusal(400, f"{spec.name}: expected finite numbers, received NaN or infinity")
    return x


def _numbers(spec: tensors.Spec, given: Input, binary: memoryview) -> np.ndarray:
    size = given.parameters.binary_data_size if given.parameters else None
    if bytes(given.data) and size is None and not len(binary):
        return tensors.of_json(spec, given.shape, given.data)
    if not bytes(given.data) and size == len(binary):
        return tensors.of_bytes(spec, given.shape, binary)
    raise Refusal(
        400,
        f"{spec.name}: expected data, or binary_data_size and as many bytes after the JSON; "
        "shared memory is not taken",
    )


def _encoded(served: Served, asked: InferRequest, outputs: np.ndarray) -> tuple[bytes, int | None]:
    """Return the body of an answer, and the length of its JSON if binary data follows."""
    assert served.gives is not None
    binary = _wants_binary(served.gives, asked)
    content = outputs.astype(tensors.DTYPES[served.gives.datatype], copy=False)
    tensor = Answered(served.gives.name, served.gives.datatype, list(outputs.shape))
    if binary:
        tensor.parameters = Parameters(binary_data_size=content.nbytes)
    else:
        tensor.data = content.ravel().tolist()
    text = _encoder.encode(InferResponse(served.name, VERSION, [tensor], asked.id))
    return (text + content.tobytes(), len(text)) if binary else (text, None)


def _wants_binary(spec: tensors.Spec, asked: InferRequest) -> bool:
    wanted = asked.parameters and asked.parameters.binary_data_output
    for output in asked.outputs or ():
        if output.name != spec.name:
            raise Refusal(400, f"expected the output {spec.name!r}, received {output.name!r}")
        if output.parameters and output.parameters.binary_data is not None:
            wanted = output.parameters.binary_data
    return bool(wanted)
