import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtProgram, resultsOf, type BuiltProgram, type Started } from './built-program.ts'
import type { Address, Certificate, Server } from './peer.ts'

const clientMs = 120_000

/** A peer that is a program in another language, built when it is first needed. */
export interface Program {
  /** Why it cannot be built here. */
  readonly missing: string | undefined
  serve(certificate?: Certificate): Promise<Server>
  /** Runs all cases; what went wrong by the name of the case, empty when nothing did. */
  callAll(address: Address): Promise<ReadonlyMap<string, string>>
  /** What it reports when it is run like that; throws what it writes to stderr. */
  report(...args: readonly string[]): AsyncIterable<Record<string, unknown>>
}

export const go = programOf(
  builtProgram({
    name: 'go',
    sources: folderOf('go'),
    tools: [['go', 'version']],
    build: (to) => ['go', 'build', '-trimpath', '-o', join(to, 'peer'), '.'],
    command: (built) => [join(built, 'peer')],
  }),
)

export const java = programOf(
  builtProgram({
    name: 'java',
    sources: folderOf('java'),
    tools: [
      ['mvn', '-version'],
      ['java', '-version'],
    ],
    build: (to) => ['mvn', '-q', '-B', `-Dout=${to}`, 'compile', 'dependency:copy-dependencies'],
    command: (built) => [
      'java',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `${join(built, 'classes')}:${join(built, 'lib/*')}`,
      'outrigger.interop.Main',
    ],
  }),
)

function folderOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

function programOf(program: BuiltProgram): Program {
  return {
    missing: program.missing,
    serve: async (certificate) => {
      const files = certificate === undefined ? [] : [certificate.certFile, certificate.keyFile]
      return serverOf(await program.start(['server', '0', ...files]))
    },
    callAll: async ({ port, certificate }) => {
      const files = certificate === undefined ? [] : [certificate.certFile]
      return resultsOf(await program.start(['client', `127.0.0.1:${port}`, ...files]), clientMs)
    },
    async *report(...args) {
      const { child, lines, ended } = await program.start(args)
      const timer = setTimeout(() => child.kill('SIGKILL'), clientMs)
      try {
        yield* lines
        const errors = await ended
        if (errors !== '') throw new Error(errors)
      } finally {
        clearTimeout(timer)
        child.kill()
      }
    },
  }
}

/** The program ends with its input, so it ends with the tests however these end. */
async function serverOf({ child, lines, ended }: Started): Promise<Server> {
  for await (const line of lines) {
    const port = line['ready']
    if (typeof port !== 'number') break
    return {
      port,
      close: async () => {
        child.stdin!.end()
        await ended
      },
    }
  }
  throw new Error(`the server did not start: ${await ended}`)
}
