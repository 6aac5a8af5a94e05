"""The Open Inference Protocol: NVIDIA's own client works unchanged, and errors are its errors."""

import json
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipes import open_model
from tests.serve.pictures import digits
from tests.serve.servers import Server

INFER = "/v2/models/lenet5/infer"
CLIENT = """
import json, sys
import numpy as np
import tritonclient.http as http

client = http.InferenceServerClient(sys.argv[1], concurrency=4)
x = np.load("x.npy")
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready("lenet5") and client.is_model_ready("lenet5", "1")
assert client.get_server_metadata()["name"] == "keras_recipes"
metadata = client.get_model_metadata("lenet5")
(takes,), (gives,) = metadata["inputs"], metadata["outputs"]
tensor = http.InferInput(takes["name"], list(x.shape), takes["datatype"])

def ask(binary, outputs=None, **more):
    tensor.set_data_from_numpy(x, binary_data=binary)
    return client.infer("lenet5", [tensor], outputs=outputs, **more)

found = [
    ask(True),
    ask(False),
    ask(True, [http.InferRequestedOutput(gives["name"], binary_data=False)]),
    ask(False, [http.InferRequestedOutput(gives["name"], binary_data=True)]),
    ask(True, model_version="1", request_id="mine"),
    *[one.get_result() for one in [client.async_infer("lenet5", [tensor]) for _ in range(3)]],
]
assert found[4].get_response()["id"] == "mine"
np.save("found.npy", np.stack([one.as_numpy(gives["name"]) for one in found]))
try:
    client.infer("nothing", [tensor])
except http.InferenceServerException as error:
    print(error.status(), error.message())
"""


def request(x: np.ndarray, **other: object) -> dict[str, object]:
    tensor = {"name": "input", "shape": list(x.shape), "datatype": "UINT8", "data": x.tolist()}
    return {"inputs": [{**tensor, **other}]}


def test_nvidias_client_gets_the_outputs_of_the_net(server: Server) -> None:
    pytest.importorskip("tritonclient")
    x = digits(5)[..., None]
    np.save("x.npy", x)
    # In a process of its own, because importing gevent changes this one.
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, server.host], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = open_model("lenet5").runtime.outputs(x)
    for found in np.load("found.npy"):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    assert "no model 'nothing'" in done.stdout


def test_the_metadata_say_what_a_model_takes_and_gives(server: Server) -> None:
    found = server.ask("/v2/models/mnist-mlp").json
    assert found["inputs"][0]["shape"][0] == found["outputs"][0]["shape"][0] == -1
    assert found["outputs"][0]["shape"][1] == 10
    assert found["versions"] == ["1"]
    assert server.ask("/v2/models/mnist-mlp/versions/1").json == found


def test_numbers_may_be_flat_or_nested(server: Server) -> None:
    x = digits(2)[..., None]
    nested = server.ask(INFER, request(x)).json
    flat = server.ask(INFER, request(x, data=x.ravel().tolist())).json
    assert nested == flat
    assert len(flat["outputs"][0]["data"]) == 20


def test_many_at_once_get_the_answers_that_each_gets_alone(server: Server) -> None:
    x = digits(64)[..., None]
    alone = [server.ask(INFER, request(one[None])).json for one in x]
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        found[number] = server.ask(INFER, request(x[number : number + 1])).json

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(x))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, one in enumerate(alone):
        np.testing.assert_allclose(
            found[number]["outputs"][0]["data"], one["outputs"][0]["data"], atol=1e-5
        )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "expected a request of infer as JSON"),
        (b"[]", "Expected `object`"),
        (b"", "expected a request"),
        (b"\xff\xfe", "expected a request"),
        (b"[" * 100_000, "expected a request"),
        ({"inputs": []}, "expected one input with the name 'input'"),
        (request(np.zeros((1, 28, 28, 1), int), name="x"), "with the name 'input'"),
        (request(np.zeros((1, 28, 28, 1), int), datatype="FP32"), "received FP32"),
        (request(np.zeros((1, 27, 28, 1), int)), "of the shape [1, 27, 28, 1]"),
        (request(np.zeros((0, 28, 28, 1), int)), "of the shape [0, 28, 28, 1]"),
        (request(np.zeros((1, 28, 28, 1), int), shape=[-1, 28, 28, 1]), "shape"),
        (request(np.zeros((1, 28, 28, 1), int), shape=[2**60, 28, 28, 1]), "shape"),
        (request(np.zeros((1, 28, 28, 1), int), data=[1, 2]), "expected UINT8 numbers"),
        (request(np.zeros((1, 28, 28, 1)) + 0.5), "expected UINT8 numbers"),
        (request(np.zeros((1, 28, 28, 1), int) + 256), "expected UINT8 numbers"),
        (request(np.zeros((1, 28, 28, 1), int), data=["1"] * 784), "expected UINT8 numbers"),
        (request(np.zeros((1, 28, 28, 1), int), data=None), "expected"),
        ({**request(np.zeros((1, 28, 28, 1), int)), "outputs": [{"name": "no"}]}, "'output'"),
    ],
)
def test_what_is_no_such_tensor_is_refused(server: Server, body: object, said: str) -> None:
    answer = server.ask(INFER, body, "application/json")
    assert answer.status == 400
    assert said in answer.error


@pytest.mark.parametrize(
    ("length", "data", "size"),
    [("none", b"", 784), ("999999", b"", 784), (None, b"\0" * 783, 784), (None, b"\0" * 9, 9)],
)
def test_binary_data_of_another_size_is_refused(
    server: Server, length: str | None, data: bytes, size: int
) -> None:
    head = (
        b'{"inputs":[{"name":"input","shape":[1,28,28,1],"datatype":"UINT8",'
        b'"parameters":{"binary_data_size":%d}}]}' % size
    )
    headers = {"Inference_Header_Content_Length": length or str(len(head))}
    answer = server.ask(INFER, head + data, "application/octet-stream", **headers)
    assert answer.status == 400
    assert answer.error


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["inputs", "name", "shape", "datatype", "data", "parameters"]),
                inner,
            )
        ),
    )
)
def test_whatever_json_comes_the_server_does_not_fail(server: Server, body: object) -> None:
    answer = server.ask(INFER, json.dumps(body).encode(), "application/json")
    assert answer.status == 400
    assert answer.error
