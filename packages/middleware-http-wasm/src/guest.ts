import { ComponentError, type Clock, type Logger } from '@outrigger/spec'
import type { GuestExchange } from './exchange.ts'
import { httpHandler, type Host } from './host.ts'
import { Memory } from './memory.ts'
import { webAssembly, type WasmInstance, type WasmMemory, type WasmModule } from './web-assembly.ts'
import { Exit, notThere, wasi } from './wasi.ts'

export interface GuestOptions {
  readonly config: string
  readonly strict: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** A running instance of a module: for one request at a time. */
export class Guest {
  readonly #host: Host
  readonly #handleRequest: () => bigint
  readonly #handleResponse: (context: number, isError: number) => void

  private constructor(host: Host, exports: WasmInstance['exports']) {
    this.#host = host
    this.#handleRequest = exports['handle_request'] as () => bigint
    this.#handleResponse = exports['handle_response'] as (context: number, isError: number) => void
  }

  /** Features that the module asked for when it started. */
  get features(): number {
    return this.#host.features
  }

  static async start(module: WasmModule, options: GuestOptions): Promise<Guest> {
    const { clock, logger, strict } = options
    const made: { memory?: Memory } = {}
    const memory = () => made.memory!
    const host: Host = {
      memory,
      config: Buffer.from(options.config),
      logger,
      exchange: undefined,
      features: 0,
    }
    const onLine = (line: string) => logger.debug(`the module writes: ${line}`)
    const known: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      http_handler: httpHandler(host),
      wasi_snapshot_preview1: wasi({ memory, clock, strict, onLine }),
    }
    const instance = await webAssembly.instantiate(module, importsOf(module, known))
    const { exports } = instance
    made.memory = new Memory(exports['memory'] as WasmMemory)
    try {
      const start = exports['_start'] ?? exports['_initialize']
      if (typeof start === 'function') (start as () => void)()
    } catch (error) {
      // Some toolchains end `main` so.
      if (!(error instanceof Exit) || error.code !== 0) throw error
    }
    return new Guest(host, exports)
  }

  /** @returns whether the request goes on, and what the module wants to be told with the answer */
  handleRequest(exchange: GuestExchange): { readonly goesOn: boolean; readonly context: number } {
    this.#host.exchange = exchange
    try {
      const result = BigInt.asUintN(64, this.#handleRequest())
      return { goesOn: (result & 0xffff_ffffn) === 1n, context: Number(result >> 32n) | 0 }
    } finally {
      this.#host.exchange = undefined
    }
  }

  handleResponse(exchange: GuestExchange, context: number, failed: boolean): void {
    this.#host.exchange = exchange
    try {
      this.#handleResponse(context, failed ? 1 : 0)
    } finally {
      this.#host.exchange = undefined
    }
  }
}

function importsOf(
  module: WasmModule,
  known: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Record<string, Record<string, unknown>> {
  const imports: Record<string, Record<string, unknown>> = {}
  for (const { module: from, name } of webAssembly.Module.imports(module)) {
    const value = known[from]?.[name] ?? notThere
    ;(imports[from] ??= {})[name] = value
  }
  return imports
}

/** Compiles a module and checks that it can be a middleware. @throws ComponentError INVALID_METADATA */
export async function compileGuest(bytes: Uint8Array<ArrayBuffer>): Promise<WasmModule> {
  let module: WasmModule
  try {
    module = await webAssembly.compile(bytes)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ComponentError('INVALID_METADATA', `url leads to no WebAssembly module: ${reason}`, { cause })
  }
  const exports = new Map(webAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]))
  for (const [name, kind] of [
    ['handle_request', 'function'],
    ['handle_response', 'function'],
    ['memory', 'memory'],
  ] as const) {
    if (exports.get(name) !== kind)
      throw new ComponentError(
        'INVALID_METADATA',
        `the module at url has no ${kind} ${name}: it is no handler of http-wasm`,
      )
  }
  const strange = webAssembly.Module.imports(module).find(
    ({ module: from, kind }) =>
      (from !== 'http_handler' && from !== 'wasi_snapshot_preview1') || kind !== 'function',
  )
  if (strange !== undefined) {
    const { module: from, name, kind } = strange
    throw new ComponentError(
      'INVALID_METADATA',
      `the module at url needs the ${kind} ${from}.${name}, which there is not`,
    )
  }
  return module
}
