"""What Application Auto Scaling does by itself, by the local clock: due scheduled actions, and what target tracking asks for.
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

import logging
import threading
import time

from ministack.core.responses import AccountRegionScopedDict, _request_account_id, _request_region
from ministack.services import lambda_svc

from . import occurrences, tracking

logger = logging.getLogger("scaling")
# By resource id: the target as the API shows it, and what hangs on it and goes with it.
targets = AccountRegionScopedDict()
# Held by whoever reads or changes a target.
lock = threading.Lock()
# Seconds between two looks at what is to be done.
_LOOK = 1.0
_looker: threading.Thread | None = None


def look_from_now_on() -> None:
    global _looker
    if _looker is None:
        _looker = threading.Thread(target=_loop, name="autoscaling", daemon=True)
        _looker.start()


def _loop() -> None:
    while True:
        time.sleep(_LOOK)
        with lock:
            for (account, region, _name), target in list(targets.to_dict().items()):
                tokens = _request_account_id.set(account), _request_region.set(region)
                try:
                    look(target)
                except Exception:
                    logger.exception("scalable target %s", target["ResourceId"])
                finally:
                    _request_account_id.reset(tokens[0])
                    _request_region.reset(tokens[1])


def look(target: dict) -> None:
    now = time.time()
    for action in target["actions"].values():
        since, action["seen"] = max(action["seen"], action.get("StartTime", 0)), now
        until = min(now, action.get("EndTime", now))
        origin = action.get("StartTime", action["CreationTime"])
        where = occurrences.zone(action.get("Timezone", "UTC"))
        if since < until and occurrences.due(action["Schedule"], where, since, until, origin):
            if not target["SuspendedState"]["ScheduledScalingSuspended"]:
                _act(target, action)
    current = capacity(target)
    wishes = [tracking.wanted(policy, current, target["scaled_at"]) for policy in target["policies"].values()] if current else []
    known = [wish for wish in wishes if wish is not None]
    # The largest capacity wins; inwards only when every policy agrees.
    if known and max(known) > current and not target["SuspendedState"]["DynamicScalingOutSuspended"]:
        scale(target, max(known))
    elif known and len(known) == len(wishes) and max(known) < current and not target["SuspendedState"]["DynamicScalingInSuspended"]:
        scale(target, max(known))


def _act(target: dict, action: dict) -> None:
    change = action["ScalableTargetAction"]
    least, most = change.get("MinCapacity", target["MinCapacity"]), change.get("MaxCapacity", target["MaxCapacity"])
    if least > most:
        logger.warning("%s of %s would set a minimum of %s above the maximum of %s", action["ScheduledActionName"], target["ResourceId"], least, most)
        return
    target.update(MinCapacity=least, MaxCapacity=most)
    scale(target, capacity(target))


def capacity(target: dict) -> int:
    """Provisioned concurrency of the target's version or alias as asked for; 0 where it has none."""
    name, qualifier = target["ResourceId"].split(":")[1:]
    held = (lambda_svc._functions.get(name) or {}).get("provisioned_concurrency", {}).get(qualifier)
    return held["RequestedProvisionedConcurrentExecutions"] if held else 0


def scale(target: dict, wish: int) -> None:
    """Brings the capacity to *wish*, within the target's bounds. None is no configuration: Lambda's least is 1."""
    name, qualifier = target["ResourceId"].split(":")[1:]
    amount = min(max(wish, target["MinCapacity"]), target["MaxCapacity"])
    if amount == capacity(target):
        return
    if amount == 0:
        answer = lambda_svc._delete_provisioned_concurrency(name, qualifier)
    else:
        answer = lambda_svc._put_provisioned_concurrency(name, qualifier, {"ProvisionedConcurrentExecutions": amount})
    if answer[0] >= 400:
        logger.warning("%s: provisioned concurrency cannot be %s: %s", target["ResourceId"], amount, answer[2])
        return
    target["scaled_at"] = time.time()
    logger.info("%s: provisioned concurrency is now %s", target["ResourceId"], amount)
