"""GetMetricData as CloudWatch answers it: metrics with exactly their dimensions, expressions, pages, and the latest point first.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from ministack.services import cloudwatch

from .. import patch
from . import alarms, data_pages

_QUERIES = 500


def install() -> None:
    patch.wrap(cloudwatch, "_get_metric_data", _data)


def _data(original):
    def data(params, asked, is_cbor, is_json=False):
        if not (is_cbor or is_json):
            return original(params, asked, is_cbor, is_json)
        queries = asked.get("MetricDataQueries") or []
        start, end = cloudwatch._parse_ts(asked.get("StartTime")), cloudwatch._parse_ts(asked.get("EndTime"))
        wrong = None
        if len(queries) > _QUERIES:
            wrong = f"The collection MetricDataQueries must not have a size greater than {_QUERIES}."
        elif start is None or end is None or start >= end:
            wrong = "The parameter StartTime must be less than the parameter EndTime."
        try:
            found = {} if wrong else alarms.query(queries, start, end)
        except ValueError as error:
            wrong = str(error)
        if wrong:
            return cloudwatch._error("ValidationError", wrong, 400, use_json=is_json, use_cbor=is_cbor)
        answer = data_pages.page(queries, found, asked)
        for result in answer["MetricDataResults"]:
            result["Timestamps"] = [cloudwatch._ts_iso(at) for at in result["Timestamps"]]
        if is_cbor:
            results = [cloudwatch._cbor_metric_data_result(one) for one in answer["MetricDataResults"]]
            return cloudwatch._cbor_ok({**answer, "MetricDataResults": results})
        return cloudwatch._json_ok(answer)

    return data
