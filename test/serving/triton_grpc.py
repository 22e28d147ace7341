"""NVIDIA's own gRPC client, unchanged, against a host.

    python triton_grpc.py <host:port> <model> < {"inputs": […], "outputs": […], "messages": {…}}

Standard input has a request and the expected answer, both as the protocol's JSON, and the messages that other tests
write: fields by their names, with number and type. Prints a line a check; fails with the first that does not hold.
"""

import sys
import time

import grpc
import numpy as np
import tritonclient.grpc as triton
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import (
    InferenceServerException,
    np_to_triton_dtype,
    triton_to_np_dtype,
)

from triton_case import array, case, check

url, name = sys.argv[1:3]


def equal(got, tensor):
    wanted = array(tensor)
    if got.shape != wanted.shape:
        return False
    if wanted.dtype == np.object_:
        return list(got.ravel()) == list(wanted.ravel())
    return np_to_triton_dtype(got.dtype) == tensor["datatype"] and np.allclose(got, wanted, rtol=1e-5, atol=1e-6)


def inputs_of():
    inputs = []
    for tensor in case["inputs"]:
        made = triton.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        made.set_data_from_numpy(array(tensor))
        inputs.append(made)
    return inputs


def infer(client, named=True, **options):
    outputs = [triton.InferRequestedOutput(t["name"]) for t in case["outputs"]] if named else None
    return client.infer(name, inputs_of(), outputs=outputs, **options)


def refused(call, status, code):
    try:
        call()
    except InferenceServerException as error:
        return error.status() == f"StatusCode.{status}" and error.message().startswith(f"{code}: ")
    return False


def fits(result, request_id=""):
    answer = result.get_response()
    listed = [(t.name, t.datatype, list(t.shape)) for t in answer.outputs]
    wanted = [(t["name"], t["datatype"], t["shape"]) for t in case["outputs"]]
    return (
        answer.model_name == name
        and answer.id == request_id
        and listed == wanted
        and all(equal(result.as_numpy(t["name"]), t) for t in case["outputs"])
    )


# The field of the contents that has a datatype; FP16 has none.
FIELDS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(["INT8", "INT16", "INT32"], "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(["UINT8", "UINT16", "UINT32"], "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def in_contents():
    """The protocol's other form, which the client does not send; read by its own messages."""
    request = service_pb2.ModelInferRequest(model_name=name, id="c")
    for tensor in case["inputs"]:
        made = request.inputs.add(name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"])
        if tensor["datatype"] == "FP16":
            return True
        values = array(tensor).ravel().tolist()
        getattr(made.contents, FIELDS[tensor["datatype"]]).extend(values)
    with grpc.insecure_channel(url) as channel:
        answer = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(request)
    if any(t["datatype"] == "FP16" for t in case["outputs"]):
        return len(answer.raw_output_contents) == len(case["outputs"])
    for got, tensor in zip(answer.outputs, case["outputs"], strict=True):
        values = getattr(got.contents, FIELDS[tensor["datatype"]])
        kind = triton_to_np_dtype(tensor["datatype"])
        if not equal(np.array(list(values), dtype=kind).reshape(list(got.shape)), tensor):
            return False
    return answer.id == "c" and not answer.raw_output_contents


DESCRIBED = service_pb2.DESCRIPTOR.message_types_by_name
ANY = DESCRIBED["InferParameter"].fields[0]
KINDS = {getattr(ANY, key): key.removeprefix("TYPE_").lower() for key in dir(ANY) if key.startswith("TYPE_")}


def known(messages):
    """Do the messages have the numbers and types of those that NVIDIA's client was made from?"""
    for path, fields in messages.items():
        first, *rest = path.split(".")[1:]
        message = DESCRIBED[first]
        for part in rest:
            message = message.nested_types_by_name[part]
        for key, (number, kind) in fields.items():
            field = message.fields_by_name[key]
            own = KINDS[field.type]
            if (field.number, own) != (number, kind):
                return False
    return len(messages) > 15


with triton.InferenceServerClient(url) as client:
    check("the messages of the tests", known(case["messages"]))
    check("live", client.is_server_live())
    check("ready", client.is_server_ready())
    check("model ready", client.is_model_ready(name))
    server = client.get_server_metadata(as_json=True)
    check("server metadata", {"name", "version", "extensions"} <= server.keys())
    model = client.get_model_metadata(name)
    check("model metadata", model.name == name and len(model.versions) > 0)
    for key in ("inputs", "outputs"):
        declared = [(t.name, t.datatype, len(t.shape)) for t in getattr(model, key)]
        wanted = [(t["name"], t["datatype"], len(t["shape"])) for t in case[key]]
        check(f"{key} of the signature", declared == wanted)
    check("raw", fits(infer(client)))
    check("all outputs unasked", fits(infer(client, named=False)))
    check("contents", in_contents())
    check("request id", fits(infer(client, request_id="a-1"), "a-1"))
    check("parameters", fits(infer(client, parameters={"text": "x", "whole": 1, "yes": True})))
    for coding in ("gzip", "deflate"):
        check(f"{coding} request", fits(infer(client, compression_algorithm=coding)))
    version = model.versions[0]
    check("ready by version", client.is_model_ready(name, version))
    check("metadata by version", client.get_model_metadata(name, version).name == name)
    check("infer by version", fits(infer(client, model_version=version)))
    waiting = [[] for _ in range(8)]
    for heard in waiting:
        client.async_infer(name, inputs_of(), lambda result, error, into=heard: into.append((result, error)))
    until = time.monotonic() + 60
    while time.monotonic() < until and not all(waiting):
        time.sleep(0.01)
    check("eight at once", all(error is None and fits(result) for [(result, error)] in waiting))
    check("unknown model", refused(lambda: client.get_model_metadata("no-such-model"), "NOT_FOUND", "NOT_FOUND"))
    wrong = triton.InferInput("no-such-input", [1], "FP32")
    wrong.set_data_from_numpy(np.zeros(1, np.float32))
    check("unknown input", refused(lambda: client.infer(name, [wrong]), "INVALID_ARGUMENT", "UNKNOWN_INPUT"))
