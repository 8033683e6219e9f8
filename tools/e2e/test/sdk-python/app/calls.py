"""Calls what it is told to, and prints a line of JSON for each: what came back.

usage: calls.py sync|async <name>..., with the ports of the sidecar in the variables that the SDK reads.
"""

import asyncio
import json
import sys

import item_calls  # noqa: F401
import message_calls  # noqa: F401
import state_calls  # noqa: F401
from sdk import Client, calls

#: What each of them may take.
seconds = 30


async def main():
    client = Client()
    print(json.dumps({'methods': client.methods}), flush=True)
    for name in sys.argv[2:]:
        try:
            outcome = {'result': await asyncio.wait_for(calls[name](client), seconds)}
        except Exception as error:
            outcome = {'failed': f'{type(error).__name__}: {error}'}
        print(json.dumps({'call': name, **outcome}, default=dict), flush=True)
    await client.close()


asyncio.run(main())
