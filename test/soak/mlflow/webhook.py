"""Makes a webhook, and moves an alias, which MLflow's server then tells: python webhook.py <url> <secret>."""

import sys

import mlflow
from mlflow.entities.webhook import WebhookAction, WebhookEntity, WebhookEvent

client = mlflow.MlflowClient()
event = WebhookEvent(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)
client.create_webhook(name="deploy", url=sys.argv[1], events=[event], secret=sys.argv[2])
client.set_registered_model_alias("churn", "champion", "2")
