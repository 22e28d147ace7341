"""NVIDIA's own client, unchanged, against an endpoint.

    python triton_client.py <host:port[/prefix]> <model> < {"inputs": […], "outputs": […]}

Standard input has a request and the expected answer, both as the protocol's JSON. Prints a line a check; fails with
the first that does not hold.
"""

import itertools
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from triton_case import array, case, check

url, name = sys.argv[1:3]


def words(values):
    return [v if isinstance(v, bytes) else str(v).encode() for v in values.ravel()]


def equal(got, tensor):
    """The answer's shape and type too; strings come as bytes in the binary form and as text in JSON."""
    wanted = array(tensor)
    if got.shape != wanted.shape:
        return False
    if wanted.dtype == np.object_:
        return words(got) == words(wanted)
    return np_to_triton_dtype(got.dtype) == tensor["datatype"] and np.allclose(got, wanted, rtol=1e-5, atol=1e-6)


def infer(client, binary_in=True, binary_out=True, named=True, **options):
    inputs = []
    for tensor in case["inputs"]:
        made = triton.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        made.set_data_from_numpy(array(tensor), binary_data=binary_in)
        inputs.append(made)
    outputs = [triton.InferRequestedOutput(t["name"], binary_data=binary_out) for t in case["outputs"]] if named else None
    return client.infer(name, inputs, outputs=outputs, **options)


def refused(call, status):
    try:
        call()
    except InferenceServerException as error:
        return error.status() == status
    return False


def fits(result, request_id=""):
    answer = result.get_response()
    listed = [(t["name"], t["datatype"], t["shape"]) for t in answer["outputs"]]
    wanted = [(t["name"], t["datatype"], t["shape"]) for t in case["outputs"]]
    return (
        answer["model_name"] == name
        and answer.get("id", "") == request_id
        and listed == wanted
        and all(equal(result.as_numpy(t["name"]), t) for t in case["outputs"])
    )


with triton.InferenceServerClient(url, connection_timeout=120, network_timeout=120) as client:
    check("live", client.is_server_live())
    check("ready", client.is_server_ready())
    check("model ready", client.is_model_ready(name))
    server = client.get_server_metadata()
    check("server metadata", {"name", "version", "extensions"} <= server.keys())
    check("binary extension is advertised", "binary_tensor_data" in server["extensions"])
    model = client.get_model_metadata(name)
    check("model metadata", model["name"] == name and len(model["versions"]) > 0)
    for key in ("inputs", "outputs"):
        declared = [(t["name"], t["datatype"], len(t["shape"])) for t in model[key]]
        wanted = [(t["name"], t["datatype"], len(t["shape"])) for t in case[key]]
        check(f"{key} of the signature", declared == wanted)
    for binary_in, binary_out in itertools.product((True, False), repeat=2):
        forms = f"{'binary' if binary_in else 'JSON'} in, {'binary' if binary_out else 'JSON'} out"
        check(forms, fits(infer(client, binary_in, binary_out)))
    check("all outputs unasked", fits(infer(client, named=False)))
    check("request id", fits(infer(client, request_id="a-1"), "a-1"))
    for coding in ("gzip", "deflate"):
        check(f"{coding} request", fits(infer(client, request_compression_algorithm=coding)))
        check(f"{coding} request, JSON", fits(infer(client, False, False, request_compression_algorithm=coding)))
        check(f"{coding} answer", fits(infer(client, response_compression_algorithm=coding)))
    version = model["versions"][0]
    check("ready by version", client.is_model_ready(name, version))
    check("metadata by version", client.get_model_metadata(name, version)["name"] == name)
    check("infer by version", fits(infer(client, model_version=version)))
    check("unknown model", refused(lambda: client.get_model_metadata("no-such-model"), "404"))
    wrong = triton.InferInput("no-such-input", [1], "FP32")
    wrong.set_data_from_numpy(np.zeros(1, np.float32))
    check("unknown input", refused(lambda: client.infer(name, [wrong]), "400"))
