"""CloudWatch: metrics, alarms, logs."""
