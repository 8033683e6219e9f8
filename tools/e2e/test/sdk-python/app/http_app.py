"""An application over HTTP made with an extension of the SDK; `GET /heard` tells what its handlers got.

usage: http_app.py fastapi|flask <port>
"""

import json
import logging
import sys

import lifeline  # noqa: F401

framework, port = sys.argv[1], int(sys.argv[2])
heard = {}


def hear(name, event):
    heard.setdefault(name, []).append([event['data'], event['type'], event['topic']])


if framework == 'fastapi':
    import uvicorn
    from dapr.ext.fastapi import DaprApp
    from fastapi import Body, FastAPI

    app = FastAPI()
    dapr_app = DaprApp(app)

    def serve():
        uvicorn.run(app, host='127.0.0.1', port=port, log_level='error')

    def handler(name, answer):
        def handle(event=Body()):
            hear(name, event)
            return answer()

        return handle
else:
    from flask import Flask, request
    from flask_dapr import DaprApp

    app = Flask('app')
    dapr_app = DaprApp(app)
    logging.getLogger('werkzeug').disabled = True

    def serve():
        app.run('127.0.0.1', port)

    def handler(name, answer):
        def handle():
            hear(name, json.loads(request.data))
            return answer()

        return handle


def again():
    return {'status': 'RETRY' if len(heard['tried']) == 1 else 'DROP'}


app.get('/heard')(lambda: heard)
dapr_app.subscribe('pubsub', 'plain')(handler('plain', lambda: {'success': True}))
routed = dapr_app.subscribe('pubsub', 'routed', metadata={'a': 'b'}, route='/own/route')
routed(handler('routed', lambda: {}))
dapr_app.subscribe('pubsub', 'tried', dead_letter_topic='dead')(handler('tried', again))
dapr_app.subscribe('pubsub', 'dead')(handler('dead', lambda: {}))
serve()
