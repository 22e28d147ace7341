"""Metrics as CloudWatch keeps and gives them: exactly their dimensions, expressions, percentiles, pages, the latest point first. LocalStack
counts series with more dimensions along, fails at expressions, and writes one row of a database a value.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

import time
from datetime import UTC, datetime

from localstack.aws.api.cloudwatch import InvalidParameterValueException
from localstack.services.cloudwatch.provider_v2 import CloudwatchProvider, ValidationException, _validate_parameters_for_put_metric_data
from semantics.metrics import alarm_queries, data_pages

from . import patch
from .series import Key, Series, key

kept = Series()
_QUERIES = 500


def install() -> None:
    for name, own in (("put_metric_data", _put), ("get_metric_data", _data), ("get_metric_statistics", _statistics), ("list_metrics", _list)):
        patch.wrap(CloudwatchProvider, name, lambda _original, own=own: own)


def _put(self, context, namespace, metric_data=None, *rest, **named) -> None:
    _validate_parameters_for_put_metric_data(metric_data or [])
    for datum in metric_data or []:
        where = key(context.account_id, context.region, namespace, datum["MetricName"], datum.get("Dimensions"))
        at, unit = datum.get("Timestamp"), datum.get("Unit")
        stamp = at.timestamp() if at else time.time()
        if datum.get("StatisticValues"):
            kept.add_set(where, stamp, datum["StatisticValues"], unit)
        else:
            values = datum.get("Values") or [datum.get("Value") or 0.0]
            kept.add(where, stamp, [float(value) for value in values], datum.get("Counts"), unit)


def query(account: str, region: str, queries: list[dict], start: float, end: float, origin: float = 0) -> dict[str, dict[int, float]]:
    """Every query by its id; raises ValueError for what AWS refuses."""
    found = {}
    for one in queries:
        stat = one.get("MetricStat")
        if stat:
            metric = stat["Metric"]
            where = key(account, region, metric.get("Namespace"), metric.get("MetricName"), metric.get("Dimensions"))
            found[one["Id"]] = kept.by_period(where, int(stat.get("Period", 60)), stat.get("Stat", "Average"), start, end, origin)
    return alarm_queries.evaluated(queries, found, start, end, origin)


def _data(self, context, metric_data_queries, start_time, end_time, next_token=None, scan_by=None, max_datapoints=None, **named):
    if len(metric_data_queries) > _QUERIES:
        raise ValidationException(f"The collection MetricDataQueries must not have a size greater than {_QUERIES}.")
    if start_time >= end_time:
        raise ValidationException("The parameter StartTime must be less than the parameter EndTime.")
    try:
        found = query(context.account_id, context.region, metric_data_queries, start_time.timestamp(), end_time.timestamp())
    except ValueError as error:
        raise ValidationException(str(error)) from error
    asked = {"NextToken": next_token, "ScanBy": scan_by, "MaxDatapoints": max_datapoints}
    page = data_pages.page(metric_data_queries, found, asked)
    for result in page["MetricDataResults"]:
        result["Timestamps"] = [datetime.fromtimestamp(at, UTC) for at in result["Timestamps"]]
    return page


def _statistics(
    self, context, namespace, metric_name, start_time, end_time, period, dimensions=None, statistics=None, extended_statistics=None, unit=None, **named
):
    start, end = start_time.timestamp(), end_time.timestamp()
    if start >= end:
        raise InvalidParameterValueException("The parameter StartTime must be less than the parameter EndTime.")
    where = key(context.account_id, context.region, namespace, metric_name, dimensions)
    points: dict[int, dict] = {}
    for stat in [*(statistics or []), *(extended_statistics or [])]:
        for at, value in kept.by_period(where, period, stat, start, end).items():
            point = points.setdefault(at, {"Timestamp": datetime.fromtimestamp(at, UTC), "Unit": kept.unit(where)})
            if stat in (statistics or []):
                point[stat] = value
            else:
                point.setdefault("ExtendedStatistics", {})[stat] = value
    return {"Label": metric_name, "Datapoints": list(points.values())}


def _list(self, context, namespace=None, metric_name=None, dimensions=None, **named):
    def fits(one: Key) -> bool:
        own = dict(one.dimensions)
        return (
            (one.account, one.region) == (context.account_id, context.region)
            and namespace in (None, one.namespace)
            and metric_name in (None, one.name)
            and all(wanted["Name"] in own and wanted.get("Value") in (None, own[wanted["Name"]]) for wanted in dimensions or [])
        )

    found = [
        {"Namespace": one.namespace, "MetricName": one.name, "Dimensions": [{"Name": name, "Value": value} for name, value in one.dimensions]}
        for one in kept.keys()
        if fits(one)
    ]
    return {"Metrics": found}
