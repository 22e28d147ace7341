"""CBOR, as CloudWatch speaks it, by botocore's own reader."""

from botocore.parsers import RpcV2CBORParser

_parser = RpcV2CBORParser()


def decode(data: bytes):
    return _parser.parse_data_item(_parser.get_peekable_stream_from_bytes(data))
