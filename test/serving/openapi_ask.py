"""Asks a running server through the client that openapi-python-client made of its own description, by its types alone.

    python openapi_ask.py <folder with the package `client`> <url>
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from client import Client  # noqa: E402
from client.api.foo import infer_foo, invocations_foo  # noqa: E402
from client.api.foo_version import infer_foo_version  # noqa: E402
from client.api.models_server import server_metadata  # noqa: E402
from client.api.server import version_infer_server  # noqa: E402
from client.models import (  # noqa: E402
    FooColumns,
    FooInput1,
    FooInput2,
    FooInstances,
    FooRequest,
    FooRow,
    FooVersionInput1,
    FooVersionRequest,
    FooWhole,
    ServerInput1,
    ServerRequest,
)

client = Client(base_url=sys.argv[2])
rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
a = FooInput1(name="a", datatype="FP32", shape=[2, 3], data=rows)
b = FooInput2(name="b", datatype="FP32", shape=[2, 1], data=[10.0, 20.0])


def plain(answer):
    return {"kind": type(answer).__name__, **answer.to_dict()}


def foo(body):
    return plain(invocations_foo.sync(client=client, body=body))


print(
    json.dumps(
        {
            "infer": plain(infer_foo.sync(client=client, body=FooRequest(inputs=[b, a], id="7"))),
            "refused": plain(infer_foo.sync(client=client, body=FooRequest(inputs=[a]))),
            "rows": foo(FooInstances(instances=[FooRow(a=rows[0], b=10.0), FooRow(a=rows[1], b=20.0)])),
            "whole": foo(FooWhole(inputs=FooColumns(a=rows, b=[10.0, 20.0]))),
            "text": plain(
                infer_foo_version.sync(
                    client=client,
                    body=FooVersionRequest(
                        inputs=[FooVersionInput1(name="x", datatype="BYTES", shape=[1], data=["you"])]
                    ),
                )
            ),
            "version": plain(
                version_infer_server.sync(
                    client=client,
                    version="1",
                    body=ServerRequest(inputs=[ServerInput1(name="x", datatype="FP32", shape=[1, 2], data=[1.0, 2.0])]),
                )
            ),
            "server": plain(server_metadata.sync(client=client)),
        }
    )
)
