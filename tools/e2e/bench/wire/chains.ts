import { join } from 'node:path'
import { Contender } from '../harness/process.ts'
import type { Certificates } from './certificates.ts'
import { startHaproxy } from './haproxy.ts'

/** What lies between a client and the application; the first hop is the one to call. */
export interface Chain {
  readonly name: string
  readonly port: number
  readonly hops: readonly Contender[]
}

export type Between = 'http2' | 'grpc'

const conditions = '--conditions=@outrigger/source'
const program = (name: string): string => join(import.meta.dirname, `servers/${name}.ts`)

export function startApplication(): Promise<Contender> {
  return Contender.listening(process.execPath, (port) => [conditions, program('application'), `${port}`])
}

/** Two processes of ours; with certificates over mutual TLS between them. */
export async function startOurs(between: Between, application: number, files?: Certificates): Promise<Chain> {
  const { tls, scheme } = transport(files)
  const second = await Contender.listening(process.execPath, (port) => [
    conditions,
    program('second-hop'),
    `${port}`,
    `http://127.0.0.1:${application}`,
    ...tls,
  ])
  const first = await Contender.listening(process.execPath, (port) => [
    conditions,
    program('first-hop'),
    between,
    `${port}`,
    `${scheme}://127.0.0.1:${second.port}`,
    ...tls,
  ])
  return chain(`outrigger, ${between} between`, [first, second])
}

/** Two processes that pass bytes on; with certificates over mutual TLS between them. */
export async function startRaw(application: number, files?: Certificates): Promise<Chain> {
  const { tls } = transport(files)
  const start = (kind: string, target: number): Promise<Contender> =>
    Contender.listening(process.execPath, (port) => [
      program('raw-hop'),
      kind,
      `${port}`,
      `${target}`,
      ...tls,
    ])
  const second = await start(files === undefined ? 'plain' : 'accept', application)
  return chain('raw sockets', [await start(files === undefined ? 'plain' : 'dial', second.port), second])
}

export async function startHaproxies(
  folder: string,
  files: Certificates,
  application: number,
): Promise<Chain> {
  return chain('haproxy', await startHaproxy(folder, files, application))
}

function transport(files: Certificates | undefined): { tls: readonly string[]; scheme: string } {
  return files === undefined
    ? { tls: [], scheme: 'http' }
    : { tls: [files.ca, files.cert, files.key], scheme: 'https' }
}

function chain(name: string, hops: readonly Contender[]): Chain {
  return { name, port: hops[0]!.port, hops }
}
