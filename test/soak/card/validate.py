"""Validates ML-BOMs strictly: python validate.py <file> …. Prints a JSON list with an error, or null, a file."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_7)
found = [validator.validate_str(open(path, encoding="utf-8").read()) for path in sys.argv[1:]]
print(json.dumps([None if error is None else str(error)[:500] for error in found]))
