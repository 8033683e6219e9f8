import type { Logger } from '@outrigger/spec'
import { isWireError, type BoundAddress, type Server } from '@outrigger/wire'
import { StartupError } from '../config/startup-error.ts'

/** What listens, and the flags that say where. */
export interface Listener {
  readonly api: string
  readonly flag: string
  readonly addressFlag: string
}

/**
 * Opens one port on every address, `undefined` being all of this machine, IPv6 as well; with port 0 all of them get
 * the port that the first one was given. Of several, those that this machine does not have are left out: machines
 * without IPv6 are told to listen on `[::1],127.0.0.1` too.
 * @throws StartupError for a port that is taken, and when no address is left
 */
export async function listenOn(
  server: Server,
  what: Listener,
  addresses: readonly (string | undefined)[],
  port: number,
  logger: Logger,
): Promise<BoundAddress[]> {
  const bound: BoundAddress[] = []
  const missing: StartupError[] = []
  for (const host of addresses) {
    const wanted = bound[0]?.port ?? port
    try {
      bound.push(await server.listen(host === undefined ? { port: wanted } : { host, port: wanted }))
    } catch (error) {
      const problem = listenError(error, what, host === undefined ? `port ${wanted}` : `${host}:${wanted}`)
      if (!absent.has(codeOf(error))) throw problem
      missing.push(problem)
    }
  }
  if (bound.length === 0) throw new StartupError(missing.flatMap(({ lines }) => lines))
  for (const { message } of missing) logger.warn(message)
  logger.info(`${what.api} is listening on ${bound.map(shown).join(', ')}`)
  return bound
}

/** This machine has no such address, or none of its family. */
const absent: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

function shown({ host, port }: BoundAddress): string {
  return host?.includes(':') === true ? `[${host}]:${port}` : `${host}:${port}`
}

/** Says what is the matter and which flag helps. */
export function listenError(error: unknown, what: Listener, address: string): StartupError {
  const other = `choose another with --${what.flag}`
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: `it is in use: ${other}`,
    EACCES: `it is not permitted, or there is no such folder: ${other}`,
    EADDRNOTAVAIL: `this machine has no such address: correct --${what.addressFlag}`,
    EAFNOSUPPORT: `this machine has no IPv6: correct --${what.addressFlag}`,
    ENOTFOUND: `there is no such address: correct --${what.addressFlag}`,
  }
  const code = codeOf(error)
  const text = known[code] ?? `${textOf(error)}: ${other}`
  return new StartupError([`${what.api} cannot listen on ${address}: ${text}`], {
    cause: error,
    portFlag: code === 'EADDRINUSE' ? what.flag : undefined,
  })
}

function codeOf(error: unknown): string {
  const cause = isWireError(error) ? (error.cause ?? error) : error
  return (cause as NodeJS.ErrnoException).code ?? ''
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
