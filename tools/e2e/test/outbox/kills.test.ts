import { seededRandom, tempFolder } from '@outrigger/testkit'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { Consumer, endConsumers, endSidecars, startSidecar, type Sidecar } from '../../src/index.ts'
import { seedOf } from '../delivery/course.ts'
import { durable } from './stores.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

/** A transaction of two writes, one of which has an event of its own; one that is refused has an ETag that cannot be. */
async function transact(sidecar: Sidecar, id: string, refused: boolean): Promise<number> {
  const answer = await fetch(`${sidecar.url}/v1.0/state/store/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      operations: [
        { operation: 'upsert', request: { key: id, value: { id } } },
        ...(refused
          ? [{ operation: 'upsert', request: { key: `${id}-stale`, value: { id }, etag: '987654' } }]
          : [{ operation: 'delete', request: { key: `${id}-other` } }]),
      ],
    }),
  })
  await answer.arrayBuffer()
  return answer.status
}

async function isSaved(sidecar: Sidecar, id: string): Promise<boolean> {
  const answer = await fetch(`${sidecar.url}/v1.0/state/store/${id}`)
  await answer.arrayBuffer()
  expect([200, 204]).toContain(answer.status)
  return answer.status === 200
}

durable((resources) => {
  test.each(['false', 'true'])(
    'under kills of the sidecar every committed transaction is published, and no other (discard %s)',
    async (outboxDiscardWhenMissingState) => {
      const random = seededRandom(seedOf(20261122))
      const { path, remove } = await tempFolder()
      onTestFinished(remove)
      const consumer = await Consumer.start()
      const sidecar = await startSidecar({
        appPort: consumer.port,
        resources: resources(path, { outboxDiscardWhenMissingState }),
      })
      const tried: string[] = []
      const acknowledged = new Set<string>()
      const refusals = new Set<string>()
      const kills = 4
      for (let life = 0; life < kills; life++) {
        const killAt = tried.length + 40 + Math.floor(random.next() * 80)
        let dead = false
        const writers = Array.from({ length: 6 }, async (_, writer) => {
          for (let index = 0; !dead; index++) {
            const id = `${life}-${writer}-${index}`
            const refused = index % 5 === 4
            tried.push(id)
            try {
              const status = await transact(sidecar, id, refused)
              if (status === 204) acknowledged.add(id)
              else refusals.add(id)
            } catch {
              return
            }
          }
        })
        await sidecar.child.waitUntil(() => tried.length >= killAt, `${killAt} transactions`)
        await sidecar.kill()
        dead = true
        await Promise.all(writers)
        sidecar.start()
        await sidecar.ready()
      }
      const committed = new Set<string>()
      for (const id of tried) if (await isSaved(sidecar, id)) committed.add(id)
      const missing = (): string[] => {
        const done = new Set(consumer.done)
        return [...committed].filter((id) => !done.has(id))
      }
      await sidecar.child
        .waitUntil(() => missing().length === 0, 'every committed transaction was published')
        .catch(() => undefined)
      const undecided = tried.length - acknowledged.size - refusals.size
      console.log(
        `${tried.length} transactions: ${acknowledged.size} acknowledged, ${refusals.size} refused, ` +
          `${undecided} cut off by ${kills} kills; ${committed.size} committed, ${consumer.done.length} deliveries, ` +
          `${missing().length} missing`,
      )
      expect(missing()).toEqual([])
      expect([...acknowledged].filter((id) => !committed.has(id))).toEqual([])
      expect(consumer.done.filter((id) => !committed.has(id))).toEqual([])
      // Without these nothing was shown.
      expect(refusals.size).toBeGreaterThan(0)
      expect(undecided).toBeGreaterThan(0)
    },
    120_000,
  )
})
