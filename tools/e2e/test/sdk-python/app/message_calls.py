"""Calls of publishing, subscribing, bindings and invocation."""

import asyncio

from dapr.clients.grpc._response import TopicEventResponse
from google.protobuf.wrappers_pb2 import StringValue
from sdk import call, failure, kind, run


@call
async def publish_event(client):
    ttl = {'ttlInSeconds': '100'}
    await client.publish_event('broker', 'orders', 'text', ttl, data_content_type='text/plain')
    await client.publish_event('broker', 'orders', b'{"n":1}', data_content_type='application/json')
    return {'nosuch': await failure(client.publish_event('nosuch', 'orders', 'x'))}


@call
async def publish_events(client):
    from dapr.clients import BulkPublishEntry

    entries = ['"first"', BulkPublishEntry('{"second":2}', metadata={'partitionKey': 'a'}, entry_id='7')]
    answer = await client.publish_events('broker', 'orders', entries, {'a': 'b'}, 'application/json')
    return {
        'failed': [entry.entry_id for entry in answer.failed_entries],
        'nosuch': await failure(client.publish_events('nosuch', 'orders', entries)),
    }


@call
async def subscribe(client):
    stream = await client.subscribe('broker', 'stream', dead_letter_topic='stream-dead')
    dead = await client.subscribe('broker', 'stream-dead')
    got = []
    for text in ('"good"', '"bad"'):
        await client.publish_event('broker', 'stream', text, data_content_type='application/json')
        message = await run(stream.next_message)
        got.append([message.data(), message.topic(), message.pubsub_name(), message.data_content_type()])
        await run(stream.respond_success if text == '"good"' else stream.respond_drop, message)
    buried = await run(dead.next_message)
    await run(dead.respond_success, buried)
    got.append([buried.data(), buried.topic(), buried.pubsub_name(), buried.spec_version()])
    await run(stream.close)
    await run(dead.close)
    refused = await failure(client.subscribe('nosuch', 'stream'))
    return {'got': got, 'refused': refused[0]}


async def follow(client, topic, handle):
    """Follows a topic with a function that may be called at any time. Returns what ends that."""

    async def handle_async(message):
        return handle(message)

    handler = handle_async if kind == 'async' else handle
    return await client.subscribe_with_handler('broker', topic, handler)


@call
async def subscribe_with_handler(client):
    got = []

    def handle(message):
        got.append(message.data())
        return TopicEventResponse('retry' if len(got) == 1 else 'success')

    close = await follow(client, 'handled', handle)
    await client.publish_event('broker', 'handled', '{"n":1}', data_content_type='application/json')
    while len(got) < 2:
        await asyncio.sleep(0.01)
    await run(close)
    return {'got': got}


@call
async def outlive(client):
    """Follows a topic beyond the end of the sidecar, which somebody must start again."""
    got = set()

    def handle(message):
        got.add(message.data())
        return TopicEventResponse('success')

    async def published(text):
        return await failure(client.publish_event('broker', 'kept', text, data_content_type='text/plain'))

    close = await follow(client, 'kept', handle)
    first = await published('before')
    while 'before' not in got:
        await asyncio.sleep(0.01)
    await client.shutdown()
    while not await published('between'):
        await asyncio.sleep(0.01)
    while 'after' not in got:
        await published('after')
        await asyncio.sleep(0.05)
    await run(close)
    return {'first': first, 'got': sorted(got - {'between'})}


@call
async def invoke_binding(client):
    metadata = {'fileName': 'some.txt'}
    await client.invoke_binding('files', 'create', 'two words', metadata)
    read = await client.invoke_binding('files', 'get', binding_metadata=metadata)
    return {'text': read.text(), 'nosuch': await failure(client.invoke_binding('nosuch', 'get'))}


async def invoked(invoke):
    posted = await invoke('own', 'echo', '{"n":1}', 'application/json', http_verb='POST')
    got = await invoke('own', 'echo', b'', http_verb='GET', http_querystring=(('a', '1'),))
    return {
        'posted': [posted.json(), posted.content_type],
        'got': got.json(),
        'absent': await failure(invoke('own', 'absent', b'', http_verb='GET')),
    }


@call
async def invoke_method(client):
    return await invoked(client.invoke_method)


@call
async def invoke_method_async(client):
    return await invoked(client.invoke_method_async)


@call
async def app_typed(client):
    """A message of a type of its own, which travels as `google.protobuf.Any`."""
    answer = await client.invoke_method('py', 'typed', StringValue(value='there'))
    back = StringValue()
    answer.unpack(back)
    return {'value': back.value}


@call
async def app_methods(client):
    """Calls the methods of `grpc_app.py` through the sidecar."""
    mark = (('mark', 'here'),)
    answer = await client.invoke_method('py', 'echo', 'text', 'text/plain', mark, http_verb='POST')
    return {
        'answer': [answer.json(), answer.content_type],
        'made-by': dict(answer.headers).get('made-by'),
        'nothing': (await client.invoke_method('py', 'nothing', b'x', http_verb='POST')).data.hex(),
        'fails': await failure(client.invoke_method('py', 'fails', b'', http_verb='POST')),
        'absent': await failure(client.invoke_method('py', 'absent', b'', http_verb='POST')),
    }


@call
async def app_service(client):
    """Calls the application's own service through the sidecar."""
    channel = client.whole._channel
    to = (('dapr-app-id', 'py'), ('mark', '!'))
    say = channel.unary_unary('/demo.Echo/Say')
    each = channel.stream_stream('/demo.Echo/Each')
    messages = [b'one', b'x' * 100_000, b'']
    if kind == 'async':
        said = await say(b'hello', metadata=to)
        streamed = [message async for message in each(iter(messages), metadata=to)]
    else:
        said = say(b'hello', metadata=to)
        streamed = list(each(iter(messages), metadata=to))

    return {'said': said.decode(), 'streamed': streamed == messages}
