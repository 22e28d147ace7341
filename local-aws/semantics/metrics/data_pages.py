"""Pages of GetMetricData: at most MaxDatapoints of all points in a row. What lies before the page is left out; a metric that goes on is
PartialData.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

_POINTS = 100_800


def page(queries: list[dict], found: dict[str, dict[int, float]], asked: dict) -> dict:
    """Timestamps are seconds."""
    first, room = int(asked.get("NextToken") or 0), int(asked.get("MaxDatapoints") or _POINTS)
    results, passed = [], 0
    for one in queries:
        if one.get("ReturnData", True) is False:
            continue
        points = sorted(found[one["Id"]].items(), reverse=asked.get("ScanBy") != "TimestampAscending")
        shown = points[max(0, first - passed):max(0, first + room - passed)]
        passed += len(points)
        results.append({
            "Id": one["Id"],
            "Label": one.get("Label", one["Id"]),
            "Timestamps": [at for at, _value in shown],
            "Values": [value for _at, value in shown],
            "StatusCode": "PartialData" if passed > first + room else "Complete",
        })
    return {"MetricDataResults": results, **({"NextToken": str(first + room)} if passed > first + room else {})}
