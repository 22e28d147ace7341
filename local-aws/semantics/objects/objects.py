"""Objects of S3 as large as S3's: their bodies are on disk, not in this process's memory, and are sent as they are read; a range
of a version is a range.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
"""

import os
import shutil
import tempfile

from ministack import app
from ministack.services import s3

from .. import patch

_SMALL = 1024 * 1024  # kept in memory
_CHUNK = 1024 * 1024


class OnDisk:
    """Bytes that are read as they are asked for."""

    def __init__(self, file: str, start: int, size: int, owner=None):
        self._path, self._start, self._size, self._owner = file, start, size, owner

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _step = part.indices(self._size)
        with open(self._path, "rb") as file:
            file.seek(self._start + start)
            return file.read(max(0, end - start))

    def range(self, start: int, end: int):
        """Some of it, on disk as well; its file stays until whoever reads it is done."""
        return OnDisk(self._path, self._start + start, end - start, self)


class Stored(OnDisk):
    """Bytes in a file of this process; the file goes with the object."""

    def __init__(self, bodies):
        handle, path = tempfile.mkstemp(prefix="object-", dir=os.environ["TMPDIR"])
        with os.fdopen(handle, "wb") as out:
            for body in bodies:
                if isinstance(body, Stored):
                    with open(body._path, "rb") as part:
                        shutil.copyfileobj(part, out, _CHUNK)
                else:
                    out.write(body)
            super().__init__(path, 0, out.tell())

    def __del__(self, unlink=os.unlink):
        try:
            unlink(self._path)
        except OSError:
            pass  # the folder has gone before


def sliced(body, start: int, end: int):
    return body.range(start, end) if isinstance(body, OnDisk) and end - start > _SMALL else body[start:end]


def stored(body):
    """*body*, moved to disk if it is not small."""
    return Stored([body]) if isinstance(body, bytes) and len(body) > _SMALL else body


def install() -> None:
    s3._joined = lambda bodies: Stored(bodies) if sum(map(len, bodies)) > _SMALL else b"".join(bodies)
    s3._on_disk = lambda bucket_name, key, obj: obj["body"]
    s3._ranged = _ranged
    s3._sliced = sliced
    patch.wrap(s3, "_build_object_record", _record)
    patch.wrap(s3, "_upload_part", _part)
    patch.wrap(s3, "_record_object_version", _version)
    # Whoever else reads a body gets bytes: copies, Lambda's code, templates.
    patch.wrap(s3, "_read_body", _bytes)
    patch.wrap(s3, "_version_body", _bytes)
    patch.source(
        s3,
        "_complete_multipart_upload",
        ('hashlib.md5(stored["body"]).digest()', 'bytes.fromhex(stored["etag"].strip(\'"\'))'),
        ('b"".join(combined_parts)', "_joined(combined_parts)"),
    )
    patch.source(
        s3,
        "_get_object",
        ("body = _read_body(bucket_name, key, obj)", "body = _on_disk(bucket_name, key, obj)"),
        ("slice_body = body[start : end + 1]", "slice_body = _sliced(body, start, end + 1)"),
        ("body = _version_body(bucket, bucket_name, key, v)", 'body = v.get("data")'),
        ("                return 200, resp_headers, body\n", "                return _ranged(headers, vobj, resp_headers, body, bucket_name, key)\n"),
    )
    patch.wrap(app, "_send_response", _send)


def _record(original):
    def build(body, headers, *rest, **named):
        record = original(body, headers, *rest, **named)
        return {**record, "body": stored(record["body"])}

    return build


def _part(original):
    def upload(bucket_name, key, body, query_params, headers):
        answer = original(bucket_name, key, body, query_params, headers)
        if answer[0] == 200:
            part = s3._multipart_uploads[s3._qp(query_params, "uploadId")]["parts"][int(s3._qp(query_params, "partNumber"))]
            part["body"] = stored(part["body"])
        return answer

    return upload


def _version(original):
    def record(bucket_name, key, prior_obj, obj, data):
        return original(bucket_name, key, prior_obj, obj, obj["body"] if isinstance(obj["body"], Stored) else data)

    return record


def _bytes(original):
    def read(*args):
        body = original(*args)
        return body[:] if isinstance(body, Stored) else body

    return read


def _ranged(headers, record, response_headers, body, bucket_name, key):
    """The answer to a read of a version, with or without a range."""
    if not headers.get("range"):
        return 200, response_headers, body
    found = s3._parse_range(headers["range"], record["size"])
    if found is None:
        refused = {"Content-Type": "application/xml", "Content-Range": f"bytes */{record['size']}"}
        return 416, refused, s3._xml_body(s3._range_error_xml(bucket_name, key))
    start, end = found
    # The checksum is of the whole.
    kept = {name: value for name, value in response_headers.items() if not name.lower().startswith("x-amz-checksum-")}
    extent = {"Content-Length": str(end - start + 1), "Content-Range": f"bytes {start}-{end}/{record['size']}"}
    return 206, {**kept, **extent}, sliced(body, start, end + 1)


def _send(original):
    async def send_response(send, status, headers, body, *, head=False):
        if not isinstance(body, OnDisk):
            return await original(send, status, headers, body, head=head)
        await send({"type": "http.response.start", "status": status, "headers": app._asgi_header_list(headers)})
        for start in range(0, len(body), _CHUNK):
            await send({"type": "http.response.body", "body": body[start:start + _CHUNK], "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_response
