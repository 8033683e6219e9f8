"""Calls of secrets, configuration, locks, cryptography, and of the sidecar itself."""

import asyncio

from sdk import call, failure, kind, make, run


@call
async def get_secret(client):
    found = await client.get_secret('vault', 'password', {'a': 'b'})
    return {
        'secret': found.secret,
        'absent': await failure(client.get_secret('vault', 'absent')),
        'nosuch': await failure(client.get_secret('nosuch', 'password')),
    }


@call
async def get_bulk_secret(client):
    found = await client.get_bulk_secret('vault')
    return {
        'secrets': {name: dict(secret) for name, secret in found.secrets.items()},
        'nosuch': await failure(client.get_bulk_secret('nosuch')),
    }


@call
async def get_configuration(client):
    found = await client.get_configuration('settings', ['colour', 'absent'], {'a': 'b'})
    return {
        'items': {key: item.value for key, item in found.items.items()},
        'nosuch': await failure(client.get_configuration('nosuch', ['colour'])),
    }


async def heard_changes(client):
    """Follows an item that changes all the time until a change comes, and ends that."""
    heard = []
    id = await client.subscribe_configuration(
        'settings', ['tick'], lambda id, items: heard.append([id, *items.items]), {'a': 'b'}
    )
    while not heard:
        await asyncio.sleep(0.01)
    ended = await client.unsubscribe_configuration('settings', id)
    return {'told': heard[0] == [id, 'tick'], 'ended': ended}


@call
async def subscribe_configuration(client):
    return await heard_changes(client)


@call
async def unsubscribe_configuration(client):
    unknown = await client.unsubscribe_configuration('settings', 'unknown')
    return {**await heard_changes(client), 'unknown': unknown}


@call
async def try_lock(client):
    taken = await client.try_lock('locks', 'taken', 'me', 60)
    other = await client.try_lock('locks', 'taken', 'you', 60)
    return {
        'success': [taken.success, other.success],
        'nosuch': await failure(client.try_lock('nosuch', 'r', 'me', 60)),
    }


@call
async def unlock(client):
    async def status(owner):
        return (await client.unlock('locks', 'it', owner)).status.name

    before = await status('me')
    await client.try_lock('locks', 'it', 'me', 60)
    return {'statuses': [before, await status('you'), await status('me')]}


async def sealed(client, plain, **options):
    from dapr.clients.grpc._crypto import EncryptOptions

    stream = await client.encrypt(plain, EncryptOptions('keys', 'aes.key', 'A256KW', **options))
    return await run(stream.read)


async def opened(client, data, **options):
    from dapr.clients.grpc._crypto import DecryptOptions

    return await run((await client.decrypt(data, DecryptOptions('keys', **options))).read)


@call
async def encrypt(client):
    plain = bytes(range(256)) * 1000
    secret = await sealed(client, plain, data_encryption_cipher='chacha20-poly1305')
    return {'scheme': secret[:15].decode(), 'same': await opened(client, secret) == plain}


@call
async def decrypt(client):
    secret = await sealed(client, 'text', omit_decryption_key_name=True)
    return {
        'text': (await opened(client, secret, key_name='aes.key')).decode(),
        'unnamed': await failure(opened(client, secret)),
        'plain': await failure(opened(client, 'plain', key_name='aes.key')),
    }


@call
async def get_metadata(client):
    found = await client.get_metadata()
    components = [part for part in found.registered_components if part.name == 'store']
    return {
        'id': found.application_id,
        'store': [[part.type, part.version, 'ETAG' in part.capabilities] for part in components],
        'actors': found.active_actors_count,
    }


@call
async def set_metadata(client):
    await client.set_metadata('mark', kind)
    return {'mark': (await client.get_metadata()).extended_metadata['mark']}


@call
async def wait(client):
    return {'waited': await client.wait(25)}


@call
async def get_credentials(client):
    return {'made': await client.get_credentials() is not None}


@call
async def close(_):
    whole = make()
    await run(whole.get_metadata)
    return {'closed': [await run(whole.close) for _ in range(2)]}


@call
async def shutdown(client):
    await client.shutdown()
    return {}
