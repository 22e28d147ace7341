"""Runs LocalStack with this project's additions, on the loopback interface only, for as long as its parent lives."""

import os
import signal
import sys

# Last: beside ``semantics`` lies a folder of the name of LocalStack's own package.
sys.path.append(os.environ["MODELS_SEMANTICS"])

from semantics import lifetime, loopback  # noqa: E402

loopback.install()  # before LocalStack opens any socket
lifetime.install()

from . import everything  # noqa: E402  (the guards above must come first)


def main() -> None:
    from localstack.runtime import main as localstack

    everything.install()
    localstack.main()


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: lifetime.end())
    main()
