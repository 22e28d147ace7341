"""What MiniStack lacks of AWS and this project needs, added to its process at start.

A folder a service; in it one module a semantic, each with an ``install()``. ``MODELS_AWS_WITHOUT=weights,memory`` leaves some out: the tests use it
to show that each of them fails without its addition.
"""
