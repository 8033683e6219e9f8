import type { Logger } from '@outrigger/spec'
import { isWireError, type BoundAddress, type Server } from '@outrigger/wire'
import { StartupError } from '../config/startup-error.ts'

/** Opens one port on every address, `undefined` being all of this machine, IPv6 as well; with port 0 all of them get the port that the first one was given. */
export async function listenOn(
  server: Server,
  what: { readonly api: string; readonly flag: string },
  addresses: readonly (string | undefined)[],
  port: number,
  logger: Logger,
): Promise<BoundAddress[]> {
  const bound: BoundAddress[] = []
  for (const host of addresses) {
    const wanted = bound[0]?.port ?? port
    try {
      bound.push(await server.listen(host === undefined ? { port: wanted } : { host, port: wanted }))
    } catch (error) {
      throw listenError(error, what, host === undefined ? `port ${wanted}` : `${host}:${wanted}`)
    }
  }
  logger.info(`${what.api} is listening on ${bound.map(shown).join(', ')}`)
  return bound
}

function shown({ host, port }: BoundAddress): string {
  return host?.includes(':') === true ? `[${host}]:${port}` : `${host}:${port}`
}

/** Says what is the matter and which flag helps. */
export function listenError(
  error: unknown,
  what: { readonly api: string; readonly flag: string },
  address: string,
): StartupError {
  const cause = isWireError(error) ? (error.cause ?? error) : error
  const other = `choose another with --${what.flag}`
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: `it is in use: ${other}`,
    EACCES: `it is not permitted, or there is no such folder: ${other}`,
    EADDRNOTAVAIL: 'this machine has no such address: correct --dapr-listen-addresses',
    ENOTFOUND: 'there is no such address: correct --dapr-listen-addresses',
  }
  const text = known[(cause as NodeJS.ErrnoException).code ?? ''] ?? `${textOf(error)}: ${other}`
  return new StartupError([`${what.api} cannot listen on ${address}: ${text}`], { cause: error })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
