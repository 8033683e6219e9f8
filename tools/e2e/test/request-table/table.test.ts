import { createRuntime, type Runtime } from '@outrigger/runtime'
import { recordingLogger } from '@outrigger/testkit'
import { describeWithService, say } from '@outrigger/services'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { modulesPath } from '../../src/index.ts'
import { problemOf } from './compare.ts'
import { grpcDriver } from './grpc-driver.ts'
import { httpDriver } from './http-driver.ts'
import { inProcessDriver } from './in-process-driver.ts'
import type { Driver, Row } from './operations.ts'
import { rawRows, problemOfRaw } from './raw-rows.ts'
import { rows, stateRows } from './rows.ts'
import { emptyFolder, folderFor, launch, resources, type Launched } from './sidecars.ts'

const genuine = process.env['OUTRIGGER_GENUINE_DAPRD']
const stores = ['memory', 'sqlite', 'redis'] as const

interface Subject {
  readonly full: Launched
  readonly empty: Launched
}

describeWithService('redis', 'the request table', (get) => {
  const started: Launched[] = []
  const drivers: { close(): void }[] = []
  const runtimes: Runtime[] = []

  beforeAll(async () => {
    await say(get(), 'SET colour red')
    await say(get(), 'SET size large')
  })

  afterAll(async () => {
    for (const driver of drivers) driver.close()
    for (const sidecar of started) await sidecar.stop()
    for (const runtime of runtimes) await runtime.stop()
  })

  async function start(program?: string): Promise<Subject> {
    const subject = {
      full: await launch(await folderFor(get()), program === undefined ? 'table' : 'genuine', program),
      empty: await launch(await emptyFolder(), program === undefined ? 'table' : 'genuine', program),
    }
    started.push(subject.full, subject.empty)
    return subject
  }

  const overGrpc = ({ grpcPort }: Launched): Driver => {
    const driver = grpcDriver(grpcPort)
    drivers.push(driver)
    return driver
  }

  async function inProcess(): Promise<{ full: Driver; empty: Driver }> {
    const make = async (list: readonly string[]): Promise<Driver> => {
      const runtime = createRuntime({
        appId: 'inside',
        modulesPaths: [modulesPath],
        resources: list,
        logger: recordingLogger(),
      })
      runtimes.push(runtime)
      await runtime.start()
      return inProcessDriver(runtime)
    }
    const folder = await folderFor(get())
    return { full: await make([resources(folder, get())]), empty: await make([]) }
  }

  function runTable(caller: string, full: () => Driver, empty: () => Driver, judge: typeof judgeOurs): void {
    describe.each(stores)('state: %s', (store) => {
      test.each(stateRows(store, caller))('$name', (row) => judge(row, full()))
    })
    test.each(rows)('$name', (row) => judge(row, row.empty === true ? empty() : full()))
  }

  async function judgeOurs(row: Row, driver: Driver): Promise<void> {
    // What a policy forbids is asked of a sidecar with a Configuration.
    if (driver.face === 'in-process' && row.fails === 'SECRET_PERMISSION_DENIED') return
    if (driver.face === 'in-process' && row.when.op === 'getBulkSecret' && row.fails === undefined) return
    expect(await problemOf(row, driver)).toBeUndefined()
  }

  describe('ours', () => {
    let subject: Subject
    let http: { full: Driver; empty: Driver }
    let grpc: { full: Driver; empty: Driver }
    let inside: { full: Driver; empty: Driver }

    beforeAll(async () => {
      subject = await start()
      http = { full: httpDriver(subject.full.url), empty: httpDriver(subject.empty.url) }
      grpc = { full: overGrpc(subject.full), empty: overGrpc(subject.empty) }
      inside = await inProcess()
    })

    describe('over HTTP', () => {
      runTable(
        'http',
        () => http.full,
        () => http.empty,
        judgeOurs,
      )
      test.each(rawRows)('$name', async (row) => {
        expect(await problemOfRaw(row, subject.full.url)).toBeUndefined()
      })
    })
    describe('over gRPC', () => {
      runTable(
        'grpc',
        () => grpc.full,
        () => grpc.empty,
        judgeOurs,
      )
    })
    describe('in-process', () => {
      runTable(
        'inside',
        () => inside.full,
        () => inside.empty,
        judgeOurs,
      )
    })
  })

  describe.skipIf(genuine === undefined)('a genuine daprd (OUTRIGGER_GENUINE_DAPRD)', () => {
    const differences: string[] = []
    let subject: Subject
    let http: { full: Driver; empty: Driver }
    let grpc: { full: Driver; empty: Driver }

    beforeAll(async () => {
      subject = await start(genuine)
      http = { full: httpDriver(subject.full.url), empty: httpDriver(subject.empty.url) }
      grpc = { full: overGrpc(subject.full), empty: overGrpc(subject.empty) }
    })
    afterAll(() => {
      console.log(`${differences.length} differences from the genuine daprd\n${differences.join('\n')}`)
    })

    const judge = async (row: Row, driver: Driver): Promise<void> => {
      const problem = await problemOf(row, driver)
      const { differs } = row
      const may = differs !== undefined && (differs.on ?? driver.face) === driver.face
      if (problem !== undefined)
        differences.push(`${may ? 'known' : 'NEW'} ${driver.face}: ${row.name}: ${problem}`)
      if (!may) expect(problem).toBeUndefined()
    }

    describe('over HTTP', () => {
      runTable(
        'http',
        () => http.full,
        () => http.empty,
        judge,
      )
      test.each(rawRows)('$name', async (row) => {
        const problem = await problemOfRaw(row, subject.full.url)
        if (problem !== undefined)
          differences.push(`${row.differs === undefined ? 'NEW' : 'known'} HTTP: ${row.name}: ${problem}`)
        if (row.differs === undefined) expect(problem).toBeUndefined()
      })
    })
    describe('over gRPC', () => {
      runTable(
        'grpc',
        () => grpc.full,
        () => grpc.empty,
        judge,
      )
    })
  })
})
