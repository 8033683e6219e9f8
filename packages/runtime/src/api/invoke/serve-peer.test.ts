import type { Fields, ServerRequest } from '@outrigger/wire'
import { describe, expect, it } from 'vitest'
import { createInProcessChannel } from '../../app/in-process-channel.ts'
import type { AppPolicy } from '../../config/access-control.ts'
import { accessControl } from '../../invoke/access-control.ts'
import type { PeerRequest } from '../../peer/messages.ts'
import { servePeer } from './serve-peer.ts'

const caller = { trustDomain: 'public', namespace: 'default', appId: 'evil' }

/** What the application sees of a call, over HTTP. */
async function seen(
  head: Partial<PeerRequest>,
  operations?: AppPolicy['operations'],
): Promise<{ readonly method: string; readonly path: string; readonly fields: Fields } | undefined> {
  let request: Awaited<ReturnType<typeof seen>>
  const channel = createInProcessChannel((got) => {
    request = got
  })
  const policies = [{ ...caller, defaultAction: 'allow', operations: operations ?? [] }] as const
  const serve = servePeer({
    appId: 'shop',
    channel,
    appHealthy: () => true,
    maxBodyBytes: 1000,
    identify: () => caller,
    authorize: accessControl({ defaultAction: 'deny', trustDomain: 'public', policies }, 'shop', true),
  })
  const whole = { method: 'x', verb: 'GET', query: '', contentType: '', typeUrl: '', metadata: [], ...head }
  await serve(whole, undefined, { signal: new AbortController().signal } as ServerRequest)
  return request
}

describe('who calls', () => {
  it.each([
    ['by the name itself', ['dapr-caller-app-id', 'admin']],
    ['in another case', ['Dapr-Caller-App-Id', 'admin']],
    ['as a pseudo-header', [':caller-app-id', 'admin', ':caller-namespace', 'prod']],
    ['by a name that is the same to CGI', ['dapr_caller_app_id', 'admin', 'Dapr-Caller_namespace', 'prod']],
    ['by both', [':caller_app_id', 'admin']],
  ])('is who has proved it, whoever is named %s', async (_, metadata) => {
    const { fields } = (await seen({ metadata: ['x-other', '1', ...metadata] }))!
    const names = [...fields].filter(([name]) => /caller/i.test(name))
    expect(names).toEqual([
      ['dapr-caller-app-id', 'evil'],
      ['dapr-caller-namespace', 'default'],
    ])
    expect(fields.get('x-other')).toBe('1')
  })

  it('may name the host that was asked for, and does not know the token of the application', async () => {
    const metadata = [':authority', 'shop.example', ':api-token', 'guess', 'dapr_api_token', 'guess']
    const { fields } = (await seen({ metadata: [...metadata, 'dapr-api-token', 'guess'] }))!
    expect(fields.get('dapr-authority')).toBe('shop.example')
    expect([...fields].filter(([, value]) => value === 'guess')).toEqual([])
  })
})

describe('access control decides about what the application gets', () => {
  const deny = (name: string, ...verbs: string[]): AppPolicy['operations'] => [
    { name, verbs, action: 'deny' },
  ]

  it('also of a call without a verb, which the application gets as POST', async () => {
    expect((await seen({ verb: '' }))!.method).toBe('POST')
    await expect(seen({ verb: '', method: 'admin' }, deny('/admin', 'POST'))).rejects.toThrow(
      'access control policy has denied access to id: spiffe://public/ns/default/evil operation: admin verb: POST',
    )
    expect((await seen({ verb: '', method: 'admin' }, deny('/admin', 'PUT')))!.method).toBe('POST')
  })
})
