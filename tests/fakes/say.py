"""Prints what it is given: `python -m tests.fakes.say %s TEXT`, for an engine whose interpreter is ours."""

import sys

if __name__ == "__main__":
    print(sys.argv[1] % sys.argv[2])
