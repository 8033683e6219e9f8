import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { waitFor } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { networks, startChild, startNetwork, startPair } from './support.ts'

describe.skipIf(!networks)('in networks of their own (needs the right to make network namespaces)', () => {
  test('machines on a network find each other, on all interfaces', async () => {
    const [a, b] = await startPair()
    const there = await startChild({ register: { appId: 'orders', host: '10.77.0.2' } }, b)
    const here = await startChild({ watch: 'orders' }, a)
    const address = await there.hears('registered')
    await here.ends('told', [address])
    there.tell('unhealthy')
    await here.ends('told', [])
    there.tell('healthy')
    await here.ends('told', [address])
    expect(await there.leave()).toBe(0)
    await here.ends('told', [])
  })

  test('a machine without a network starts with a warning, and finds others when there is one', async () => {
    const network = await startNetwork()
    const child = await startChild({ register: { appId: 'orders', host: '0.0.0.0' } }, network)
    expect(child.said('warn')).toEqual([
      'multicast cannot be used (there is no network interface), so other applications are neither found nor can they find this one: allow UDP port 5353, or use another name resolution, such as sqlite',
    ])
    child.tell('resolve orders')
    expect(await child.hears('failed')).toBe('UNAVAILABLE')
    network.run('ip', 'link', 'set', 'lo', 'up')
    expect(await child.hears('info')).toBe('multicast can be used again')
    const other = await startChild({ watch: 'orders' }, network)
    await other.ends('told', [await child.hears('registered')])
    expect([child.said('warn').length, await child.leave()]).toEqual([1, 0])
  })

  test('where somebody keeps the port to himself it starts with a warning', async () => {
    const network = await startNetwork()
    network.run('ip', 'link', 'set', 'lo', 'up')
    const greedy = `require('node:dgram').createSocket('udp4').bind(5353, () => console.log('bound'))`
    const [program, ...args] = [...network.enter, process.execPath, '-e', greedy]
    const holder = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    const child = await startChild(
      { register: { appId: 'orders', host: '127.0.0.1' }, interfaces: '127.0.0.1' },
      network,
    )
    expect(child.said('warn')).toEqual([expect.stringContaining('multicast cannot be used (EADDRINUSE)')])
    expect(await child.leave()).toBe(0)
  })

  const genuine = process.env['OUTRIGGER_GENUINE_DAPRD']

  test.skipIf(genuine === undefined)(
    'a genuine daprd and this find each other (OUTRIGGER_GENUINE_DAPRD)',
    { timeout: 120_000 },
    async () => {
      const [a, b] = await startPair()
      const ours = await startChild({ register: { appId: 'ours', host: '10.77.0.1' }, watch: 'theirs' }, a)
      const [program, ...args] = [
        ...b.enter,
        genuine!,
        '--app-id=theirs',
        '--dapr-http-port=3500',
        '--dapr-grpc-port=50001',
        '--dapr-internal-grpc-port=50002',
        '--enable-metrics=false',
      ]
      const daprd = spawn(program!, args, {
        stdio: 'ignore',
        env: { ...process.env, DAPR_HOST_IP: '10.77.0.2' },
      })
      onTestFinished(() => void daprd.kill('SIGKILL'))
      await ours.ends('told', ['10.77.0.2 50002'])
      // One that starts later asks for it.
      const later = await startChild({ watch: 'theirs' }, a)
      await later.ends('told', ['10.77.0.2 50002'])

      const ask = (path: string): string =>
        b.run(
          process.execPath,
          '-e',
          `fetch('http://127.0.0.1:3500/v1.0/${path}').then(async (r) => console.log(r.status, await r.text()))`,
        )
      await waitFor(() => ask('healthz/outbound').startsWith('204'), { everyMs: 200 })
      // It finds ours and calls where ours listens; there is nobody who speaks its protocol.
      expect(ask('invoke/ours/method/x')).toMatch(/^500/)
      await ours.hears('called')
      expect(ask('invoke/nobody/method/x')).toContain("couldn't find service: nobody")

      const gone = once(daprd, 'exit')
      daprd.kill('SIGTERM')
      await gone
      for (const child of [ours, later]) await child.ends('told', [])
    },
  )
})
