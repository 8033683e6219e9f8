"""What the programs beside it need of the SDK: a client any of whose methods can be awaited."""

import asyncio
import inspect
import sys

import grpc

#: Which client: `sync` or `async`.
kind = sys.argv[1]


def make():
    """A client that finds the sidecar by the variables of the environment."""
    if kind == 'async':
        from dapr.aio.clients import DaprClient
    else:
        from dapr.clients import DaprClient
    return DaprClient()


async def run(function, *args, **kwargs):
    """The outcome of something that may block, or be asynchronous."""
    if inspect.iscoroutinefunction(function):
        return await function(*args, **kwargs)
    outcome = await asyncio.to_thread(function, *args, **kwargs)
    return await outcome if inspect.isawaitable(outcome) else outcome


#: What a program can be asked to call, by name.
calls = {}


def call(function):
    """Makes a function one of the calls: it gets a client and returns what came back."""
    calls[function.__name__] = function
    return function


class Client:
    def __init__(self):
        self.whole = make()
        self.methods = [
            name
            for name in dir(self.whole)
            if not name.startswith('_') and callable(getattr(self.whole, name))
        ]

    def __getattr__(self, name):
        return lambda *args, **kwargs: run(getattr(self.whole, name), *args, **kwargs)


async def failure(awaitable):
    """The code of a failure, and its reason where the SDK tells it."""
    try:
        await awaitable
    except grpc.RpcError as error:
        reason = [error.error_code()] if hasattr(error, 'error_code') else []
        return [error.code().name, *reason]
    except Exception as error:
        return [type(error).__name__, str(error)]
    return []
