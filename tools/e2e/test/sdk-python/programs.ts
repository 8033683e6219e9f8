import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { childEnv } from '../../src/index.ts'

const folder = fileURLToPath(new URL('app', import.meta.url))
/** Only ends what hangs. */
const callsMs = 60_000

/** A program of the folder `app`. */
function start(python: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(python, ['-B', '-W', 'ignore', ...args], {
    cwd: folder,
    env: childEnv(env),
    stdio: 'pipe',
  })
  const said = { errors: '' }
  child.stderr.on('data', (chunk: Buffer) => (said.errors = (said.errors + chunk.toString()).slice(-4000)))
  return { child, said }
}

/** An application, which ends with the tests, however these end. */
export class PythonApp {
  readonly #started: ReturnType<typeof start>

  constructor(python: string, ...args: readonly string[]) {
    this.#started = start(python, args)
    this.#started.child.stdout.resume()
  }

  /** @throws Error with what it wrote, when it has ended by itself */
  async stop(): Promise<void> {
    const { child, said } = this.#started
    if (child.exitCode !== null) throw new Error(`the application has ended: ${said.errors}`)
    child.stdin.end()
    await once(child, 'close')
  }
}

/** The variables by which the SDK finds a sidecar. */
export function portsOf(sidecar: { readonly httpPort: number; readonly grpcPort: number }) {
  return { DAPR_HTTP_PORT: String(sidecar.httpPort), DAPR_GRPC_PORT: String(sidecar.grpcPort) }
}

export interface Outcomes {
  /** All methods that the client has. */
  readonly methods: readonly string[]
  /** What came back, by the name of the call: `result`, or `failed` with the reason. */
  readonly calls: Readonly<Record<string, unknown>>
}

/** Runs `calls.py` to its end. */
export async function call(
  python: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Outcomes> {
  const { child, said } = start(python, ['calls.py', ...args], env)
  const timer = setTimeout(() => child.kill('SIGKILL'), callsMs)
  const ended = once(child, 'close')
  let methods: readonly string[] = []
  const calls: Record<string, unknown> = {}
  for await (const line of createInterface({ input: child.stdout })) {
    // The SDK prints texts of its own as well.
    if (!line.startsWith('{')) continue
    const { call: name, ...outcome } = JSON.parse(line) as { call?: string; methods?: readonly string[] }
    if (name === undefined) methods = outcome.methods ?? []
    else calls[name] = outcome
  }
  const [code, signal] = (await ended) as [number | null, string | null]
  clearTimeout(timer)
  if (code !== 0) throw new Error(`calls.py ended with ${signal ?? code}: ${said.errors}`)
  return { methods, calls }
}
