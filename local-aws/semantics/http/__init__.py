"""What calls functions by HTTP: API Gateway, load balancers, SageMaker’s endpoints."""
