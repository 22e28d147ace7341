"""EventBridge, its Scheduler, and SQS."""
