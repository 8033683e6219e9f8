import { expect, test } from 'vitest'
import { startChild, type Child } from './support.ts'

const appId = `orders-${crypto.randomUUID()}`
const interfaces = 'lo'
const register = { appId, host: '127.0.0.1' }

async function addresses(children: readonly Child[]): Promise<string[]> {
  const all = await Promise.all(children.map((child) => child.hears('registered')))
  return (all as string[]).toSorted()
}

test('processes of one machine find each other, see who falls ill and who leaves', async () => {
  const watcher = await startChild({ interfaces, watch: appId })
  expect(watcher.said('told')).toEqual([[]])
  const children = await Promise.all([1, 2, 3].map(() => startChild({ interfaces, register, watch: appId })))
  const all = await addresses(children)
  for (const child of [watcher, ...children]) await child.ends('told', all)
  const late = await startChild({ interfaces })
  for (let count = 1; ; count++) {
    late.tell(`resolve ${appId}`)
    const found = (await late.hears('found', count)) as string[]
    // Those that answer a little later are found the next time.
    if (found.length === all.length) expect(found).toEqual(all)
    else expect(all).toEqual(expect.arrayContaining(found))
    if (found.length === all.length) break
  }

  const [ill, leaving] = children as [Child, Child, Child]
  ill.tell('unhealthy')
  await ill.hears('done')
  const healthy = await addresses(children.slice(1))
  for (const child of [watcher, ...children]) await child.ends('told', healthy)
  ill.tell('healthy')
  for (const child of [watcher, ...children]) await child.ends('told', all)
  expect(await leaving.leave()).toBe(0)
  const left = await addresses(children.filter((child) => child !== leaving))
  await watcher.ends('told', left)
  expect(await late.leave()).toBe(0)
})
