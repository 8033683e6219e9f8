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

/** Says which flag chooses another port. */
export function listenError(
  error: unknown,
  what: { readonly api: string; readonly flag: string },
  address: string,
): StartupError {
  const reason = isWireError(error) || error instanceof Error ? error.message : String(error)
  return new StartupError(
    [`${what.api} cannot listen on ${address}: ${reason}; choose another port with --${what.flag}`],
    { cause: error },
  )
}
