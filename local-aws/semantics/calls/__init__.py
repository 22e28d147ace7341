"""What is asked of the local AWS, and what it answers, against AWS's own service models (botocore's data)."""
