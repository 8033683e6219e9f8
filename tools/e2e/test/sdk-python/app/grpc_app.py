"""An application over gRPC that has a handler of every kind; its method `heard` tells what they got.

usage: grpc_app.py <port>
"""

import json
import sys

import grpc
import lifeline  # noqa: F401
from dapr.ext.grpc import App, InvokeMethodResponse, Rule, TopicEventResponse
from google.protobuf.wrappers_pb2 import StringValue

try:
    from dapr.ext.grpc import SubscriptionMessage
except ImportError:
    # The older SDK has events of another library only.
    SubscriptionMessage = None

app = App()
heard = {}


def hear(name, what):
    heard.setdefault(name, []).append(what)


@app.method('echo')
def echo(request):
    metadata = dict(request.metadata)
    found = {name: metadata.get(name) for name in ('mark', 'dapr-caller-app-id')}
    text = json.dumps({'text': request.text(), 'type': request.content_type, **found})
    answer = InvokeMethodResponse(text, 'application/json')
    answer.headers = (('made-by', 'python'),)
    return answer


@app.method('typed')
def typed(request):
    message = StringValue()
    request.unpack(message)
    return StringValue(value=f'{message.value} and back')


@app.method('nothing')
def nothing(_):
    return None


@app.method('fails')
def fails(_):
    # With a blank at its end, which gRPC sends as it is.
    raise ValueError('as it should: ')


@app.method('heard')
def tell(_):
    return json.dumps(heard)


@app.subscribe('pubsub', 'plain')
def plain(event):
    # The declared subscription `bulk` leads here as well.
    if event.Subject() == 'bulk':
        return hear(f'bulk {event.data.decode()}', True)
    traced = {'traceparent', '_metadata_traceparent'} <= event.Extensions().keys()
    hear('plain', [event.data.decode(), event.ContentType(), event.EventType(), event.Subject(), traced])


if SubscriptionMessage is not None:

    @app.subscribe('pubsub', 'message')
    def message(event: SubscriptionMessage):
        traced = 'traceparent' in event.extensions() and 'traceparent' in event.metadata()
        hear('message', [event.data(), event.data_content_type(), event.type(), event.topic(), traced])


@app.subscribe('pubsub', 'tried', metadata={'a': 'b'}, dead_letter_topic='dead')
def tried(event):
    hear('tried', event.data.decode())
    return TopicEventResponse('retry' if len(heard['tried']) == 1 else 'drop')


@app.subscribe('pubsub', 'dead')
def dead(event):
    hear('dead', event.data.decode())


@app.subscribe('pubsub', 'ruled', rule=Rule('event.type == "order"', 2))
def order(event):
    hear('order', [event.EventID(), event.EventType(), event.Source(), event.Extensions().get('colour')])


@app.subscribe('pubsub', 'ruled', rule=Rule('has(event.data.big)', 1))
def big(event):
    hear('big', event.data.decode())


@app.subscribe('loose', 'any', disable_topic_validation=True)
def loose(event):
    hear('loose', event.data.decode())


@app.binding('ticks')
def ticks(request):
    hear('ticks', sorted(request.binding_metadata))


class Echo:
    """A service of its own, for calls that the sidecar passes on; its messages are plain bytes."""

    def service(self, call):
        metadata = dict(call.invocation_metadata)
        if call.method == '/demo.Echo/Say':
            mark = metadata.get('mark', '').encode()
            return grpc.unary_unary_rpc_method_handler(lambda request, _: request + mark)
        if call.method == '/demo.Echo/Each':
            return grpc.stream_stream_rpc_method_handler(lambda requests, _: requests)
        return None


app.add_external_service(lambda echo, server: server.add_generic_rpc_handlers((echo,)), Echo())
if hasattr(app, 'register_health_check'):
    app.register_health_check(lambda: heard.setdefault('health', True))
# On all addresses: the older SDK knows no other way.
app.run(int(sys.argv[1]))
