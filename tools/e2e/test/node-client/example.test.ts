import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@outrigger/testkit'
import { expect, test } from 'vitest'
import { place } from '../cli/outrigger.ts'

const example = fileURLToPath(new URL('../../../../examples/orders-fastify', import.meta.url))

test('the example with Fastify takes orders, ships and reports them', async () => {
  const here = await place()
  const port = await freePort()
  const { child, ended } = here.outrigger([
    'run',
    '--app-id=orders',
    `--app-port=${port}`,
    // Its data goes to the folder of the test; its packages are found beside its resources.
    `--resources-path=${join(example, 'resources')}`,
    '--',
    process.execPath,
    '--conditions=@outrigger/source',
    join(example, 'orders.js'),
  ])
  await child.line("You're up and running!")
  const url = `http://127.0.0.1:${port}/orders`
  const order = JSON.stringify({ item: 'canoe', quantity: 1 })
  const taken = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: order,
  })
  expect(taken.status).toBe(201)
  await child.line('orders | order 1 taken: 1 x canoe')
  await child.line('orders | order 1 shipped: 1 x canoe')
  expect(await (await fetch(`${url}/1`)).json()).toMatchObject({ item: 'canoe', status: 'shipped' })
  expect((await fetch(`${url}/2`)).status).toBe(404)
  await child.line('orders | 1 orders so far')
  process.kill(child.pid, 'SIGINT')
  await ended()
})
