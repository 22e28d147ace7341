"""cold.mjs for Python: `python cold.py <event.json>` answers one event with onnx_handler and ends."""

import json
import os
import sys

import onnx_handler

with open(sys.argv[1]) as file:
    event = json.load(file)
os.write(3, (json.dumps(onnx_handler.handler(event, None)) + "\n").encode())
os._exit(0)
