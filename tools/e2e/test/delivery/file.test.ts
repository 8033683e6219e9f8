import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@outrigger/testkit'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Child, Consumer, endConsumers, endSidecars, startSidecar } from '../../src/index.ts'
import { inMemory, publish, sqlite } from './brokers.ts'
import { Course, sidecarProcess } from './course.ts'

afterEach(async () => {
  await endSidecars()
  await endConsumers()
})

async function folder(): Promise<string> {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  return path
}

/** What SQLite finds wrong with the file. */
function damage(path: string): unknown {
  const database = new DatabaseSync(`${path}/messages.db`)
  try {
    return database.prepare('PRAGMA integrity_check').all()
  } finally {
    database.close()
  }
}
const sound = [{ integrity_check: 'ok' }]

describe('pubsub.sqlite has no server that could be killed, but a file', () => {
  test('processes that are killed while they write large messages leave it whole', async () => {
    const course = new Course(1973)
    const path = await folder()
    const consumer = await Consumer.start()
    const sidecar = await startSidecar({ appPort: consumer.port, resources: sqlite.resources(path, 'soon') })
    // Each is many pages, so that a kill finds some of them written.
    course.publish((id) => publish(sidecar, id, 'orders', { pad: 'x'.repeat(200_000) }), 6)
    for (let kill = 0; kill < 4; kill++) {
      await course.kill([sidecarProcess(sidecar)], async () => expect(damage(path)).toEqual(sound))
    }
    await course.finish(() => consumer)
    expect(damage(path)).toEqual(sound)
  })

  test('what was written in a transaction that never ended is not there, and its lock is gone', async () => {
    const path = await folder()
    const consumer = await Consumer.start()
    const sidecar = await startSidecar({ appPort: consumer.port, resources: sqlite.resources(path, 'soon') })
    expect(await publish(sidecar, 'before')).toBe(true)
    await consumer.child.line('done before')
    const log = (): number => statSync(`${path}/messages.db-wal`).size
    const before = log()
    const program = fileURLToPath(new URL('interrupted-writer.ts', import.meta.url))
    const writer = new Child(program, [`${path}/messages.db`, 'orders'])
    await writer.line('in the middle')
    expect(log()).toBeGreaterThan(before + 200_000)
    // It has to wait for the lock.
    let published = false
    const during = publish(sidecar, 'during').then((taken) => {
      published = true
      return taken
    })
    expect(await fetch(`${sidecar.url}/v1.0/metadata`).then(({ status }) => status)).toBe(200)
    expect(published).toBe(false)
    await writer.end('SIGKILL')
    expect(await during).toBe(true)
    await consumer.child.line('done during')
    expect(consumer.got).toEqual(['before', 'during'])
    expect(damage(path)).toEqual(sound)
  })
})

inMemory((broker) => {
  test('what it holds ends with the sidecar, as it says, and the next one begins anew', async () => {
    const consumer = await Consumer.start({ hold: true })
    const sidecar = await startSidecar({ appPort: consumer.port, resources: broker.resources('', 'usual') })
    expect(await publish(sidecar, 'lost')).toBe(true)
    await consumer.child.line('got lost')
    await sidecar.kill()
    await consumer.kill()
    await consumer.restart()
    sidecar.start()
    await sidecar.ready()
    expect(await publish(sidecar, 'new')).toBe(true)
    await consumer.child.line('done new')
    expect(consumer.done).toEqual(['new'])
    console.log(
      '2 acknowledged, 1 kill of the sidecar between them, 1 processed: the broker lives within the sidecar',
    )
  })
})
