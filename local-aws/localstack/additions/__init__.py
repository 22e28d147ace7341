"""What LocalStack's community build lacks of AWS and this project needs, added to its process at start.

A module a semantic, each with an ``install()`` and AWS's page in its first lines. What knows no emulator is shared with MiniStack's additions
(``semantics``).
"""
