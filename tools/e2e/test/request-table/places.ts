import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createRuntime, type Runtime } from '@outrigger/runtime'
import { startService } from '@outrigger/services'
import { freePort, recordingLogger } from '@outrigger/testkit'
import { App, modulesPath } from '../../src/index.ts'
import { grpcDriver } from './grpc-driver.ts'
import { httpDriver } from './http-driver.ts'
import { inProcessDriver } from './in-process-driver.ts'
import type { Driver, DriverOptions, Place } from './operations.ts'
import { ownDefinitions, ownResources } from './own.ts'
import { emptyFolder, folderFor, launch, resources } from './sidecars.ts'

/** What an API is reached by; `url` and `grpcPort` are absent in-process. */
export interface Reached {
  readonly url?: string
  readonly grpcPort?: number
  readonly runtime?: Runtime
}

export type Places = Partial<Record<Place, Reached>>

/** Every place for one or two sidecars and for a runtime of this process. */
export class World {
  readonly #ends: (() => unknown)[] = []
  #app!: App
  /** Folders whose keys go when the servers go. */
  readonly #broken: string[] = []
  readonly ours: Places = {}
  readonly inside: Places = {}
  readonly genuine: Places = {}

  /** Starts everything, then ends the servers and removes the files of the broken ones. */
  static async start(redis: { readonly port: number }, genuine: string | undefined): Promise<World> {
    const world = new World()
    try {
      await world.#start(redis, genuine)
      return world
    } catch (error) {
      await world.end()
      throw error
    }
  }

  async end(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }

  async #start(redis: { readonly port: number }, genuine: string | undefined): Promise<void> {
    const doomed = await startService('redis')
    this.#ends.push(() => doomed.stop())
    this.#app = await App.start()
    this.#ends.push(() => this.#app.stop())
    await this.#sidecars(this.ours, redis, doomed)
    if (genuine !== undefined) await this.#sidecars(this.genuine, redis, doomed, genuine)
    await this.#runtimes(redis, doomed)
    await doomed.stop()
    for (const folder of this.#broken) await rm(join(folder, 'keys/gone.key'))
  }

  async #sidecars(
    places: Places,
    redis: { readonly port: number },
    doomed: { readonly port: number },
    program?: string,
  ): Promise<void> {
    const appId = program === undefined ? 'table' : 'genuine'
    const start = async (folder: string, appPort?: number): Promise<Reached> => {
      const sidecar = await launch(folder, { appId, program, appPort })
      this.#ends.push(() => sidecar.stop())
      return sidecar
    }
    places.full = await start(await folderFor(redis))
    places.empty = await start(await emptyFolder())
    places.served = await start(await folderFor(redis), this.#app.port)
    // Nothing ever listens there.
    places.waiting = await start(await emptyFolder(), await freePort())
    const broken = await folderFor(doomed)
    this.#broken.push(broken)
    places.broken = await start(broken, this.#app.port)
  }

  async #runtimes(redis: { readonly port: number }, doomed: { readonly port: number }): Promise<void> {
    const make = async (
      folder: string,
      options: Partial<Parameters<typeof createRuntime>[0]>,
    ): Promise<Runtime> => {
      const runtime = createRuntime({
        appId: 'inside',
        modulesPaths: [modulesPath],
        configPaths: [join(folder, 'config.yaml')],
        logger: recordingLogger(),
        ...options,
      })
      await runtime.start()
      this.#ends.push(() => runtime.stop())
      return runtime
    }
    const folder = await folderFor(redis)
    const full = { runtime: await make(folder, { resources: [resources(folder, redis)] }) }
    Object.assign(this.inside, { full, served: full, empty: { runtime: await make(folder, {}) } })
    const broken = await folderFor(doomed)
    this.#broken.push(broken)
    this.inside.broken = { runtime: await make(broken, { resources: [resources(broken, doomed)] }) }
    const own = await make(folder, {
      definitions: ownDefinitions,
      resources: [ownResources(folder)],
      listen: true,
      httpPort: 0,
      grpcPort: 0,
      listenAddresses: ['127.0.0.1'],
      appPort: this.#app.port,
    })
    const { http, grpcPort } = own.addresses
    this.inside.own = { runtime: own }
    this.ours.own = { url: `http://127.0.0.1:${http[0]!.port}`, grpcPort: grpcPort! }
  }

  /** Drivers of all places over one protocol, each made when it is first asked for. */
  drivers(
    face: Driver['face'],
    places: Places,
    options: DriverOptions = {},
  ): (place: Place) => Driver | undefined {
    const made = new Map<Place, Driver>()
    return (place) => {
      const there = places[place]
      if (there === undefined) return undefined
      const driver = made.get(place) ?? this.#driver(face, there, options)
      made.set(place, driver)
      return driver
    }
  }

  #driver(face: Driver['face'], { url, grpcPort, runtime }: Reached, options: DriverOptions): Driver {
    if (face === 'HTTP') return httpDriver(url!, options)
    if (face === 'in-process') return inProcessDriver(runtime!)
    const driver = grpcDriver(grpcPort!, options)
    this.#ends.push(() => driver.close())
    return driver
  }
}
