"""Calls of the state API."""

import json

from dapr.clients.grpc._request import TransactionalStateOperation, TransactionOperationType
from dapr.clients.grpc._state import Concurrency, Consistency, StateItem, StateOptions
from sdk import call, failure


@call
async def save_state(client):
    strong = StateOptions(Consistency.strong, Concurrency.first_write)
    saved = await client.save_state(
        'store', 'saved', '{"n":1}', options=strong, state_metadata={'contentType': 'application/json'}
    )
    found = await client.get_state('store', 'saved')
    stale = client.save_state('store', 'saved', 'x', etag='4711', options=strong)
    return {
        'headers': type(saved.headers).__name__,
        'found': found.json(),
        'stale': await failure(stale),
        'value': (await client.get_state('store', 'saved')).text(),
        'nosuch': await failure(client.save_state('nosuch', 'key', 'x')),
    }


@call
async def get_state(client):
    await client.save_state('store', 'got', b'\x00\xff')
    found = await client.get_state('store', 'got', state_metadata={'consistency': 'strong'})
    absent = await client.get_state('store', 'absent')
    return {
        'data': found.data.hex(),
        'etag': found.etag != '',
        'absent': [absent.text(), absent.etag],
        'nosuch': await failure(client.get_state('nosuch', 'key')),
    }


@call
async def save_bulk_state(client):
    items = [
        StateItem('bulk-1', '1'),
        StateItem('bulk-2', '{"two":2}', metadata={'ttlInSeconds': '1000'}),
    ]
    await client.save_bulk_state('store', items)
    found = await client.get_state('store', 'bulk-2')
    return {'found': found.json(), 'nosuch': await failure(client.save_bulk_state('nosuch', items))}


@call
async def get_bulk_state(client):
    await client.save_bulk_state('store', [StateItem('many-1', 'one'), StateItem('many-2', 'two')])
    found = await client.get_bulk_state('store', ['many-1', 'many-2', 'absent'], parallelism=2)
    items = {item.key: [item.text(), item.etag != '', item.error] for item in found.items}
    return {'items': items, 'nosuch': await failure(client.get_bulk_state('nosuch', ['key']))}


@call
async def execute_state_transaction(client):
    await client.save_state('store', 'old', 'x')
    operations = [
        TransactionalStateOperation(key='new', data='y'),
        TransactionalStateOperation(key='old', data='', operation_type=TransactionOperationType.delete),
    ]
    await client.execute_state_transaction('store', operations, {'a': 'b'})
    stale = [
        TransactionalStateOperation(key='new', data='z', etag='4711'),
        TransactionalStateOperation(key='other', data='z'),
    ]
    return {
        'stale': await failure(client.execute_state_transaction('store', stale)),
        'values': [(await client.get_state('store', key)).text() for key in ('new', 'old', 'other')],
        'nosuch': await failure(client.execute_state_transaction('nosuch', operations)),
    }


@call
async def delete_state(client):
    await client.save_state('store', 'gone', 'x')
    first = StateOptions(Consistency.eventual, Concurrency.first_write)
    stale = await failure(client.delete_state('store', 'gone', etag='4711', options=first))
    before = (await client.get_state('store', 'gone')).text()
    await client.delete_state('store', 'gone')
    after = (await client.get_state('store', 'gone')).text()
    return {'stale': stale, 'before': before, 'after': after}


@call
async def query_state(client):
    json_type = {'contentType': 'application/json'}
    items = [
        StateItem('q1', '{"org":"a","n":1}', metadata=json_type),
        StateItem('q2', '{"org":"b","n":2}', metadata=json_type),
    ]
    await client.save_bulk_state('people', items)
    query = json.dumps({'filter': {'EQ': {'org': 'a'}}, 'sort': [], 'page': {'limit': 10}})
    found = await client.query_state('people', query)
    return {
        'found': [[item.key, item.json()] for item in found.results],
        'store': await failure(client.query_state('store', query)),
    }
