"""Ends the program that imports it when its standard input does, which is when the tests end."""

import os
import sys
import threading


def wait():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=wait, daemon=True).start()
