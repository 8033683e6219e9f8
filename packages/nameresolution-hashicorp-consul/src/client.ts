import { readdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseBool, parseHostPort } from '@outrigger/kit'
import { ComponentError } from '@outrigger/spec'
import { invalid, Reader } from './read.ts'

export interface TlsSettings {
  readonly ca?: string | readonly string[] | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servername?: string | undefined
  readonly rejectUnauthorized: boolean
}

/** Where the agent is, and how it is spoken to. */
export interface ClientSettings {
  readonly host: string
  readonly port: number
  /** Absent where the agent is spoken to in the clear. */
  readonly tls?: TlsSettings | undefined
  readonly datacenter?: string | undefined
  readonly token?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly waitTimeMs?: number | undefined
}

/** The variables that every client of Consul knows. */
export type Environment = Readonly<Record<string, string | undefined>>

export function readEnvironment(): Environment {
  // oxlint-disable-next-line no-restricted-properties -- Consul's own chain of credentials
  return process.env
}

async function readText(field: string, path: string, baseDirectory: string): Promise<string> {
  try {
    return await readFile(resolve(baseDirectory, path), 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new ComponentError(
      'INVALID_METADATA',
      `${field} ${path} cannot be read (${code ?? 'unknown reason'})`,
      {
        cause,
      },
    )
  }
}

async function readFolder(field: string, path: string, baseDirectory: string): Promise<string[]> {
  const folder = resolve(baseDirectory, path)
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new ComponentError('INVALID_METADATA', `${field} ${path} cannot be read`, { cause })
  })
  return Promise.all(names.toSorted().map((name) => readText(field, resolve(folder, name), baseDirectory)))
}

async function readTls(tls: Reader, env: Environment, baseDirectory: string): Promise<TlsSettings> {
  const caFile = tls.text('caFile') ?? env['CONSUL_CACERT']
  const caPath = tls.text('caPath') ?? env['CONSUL_CAPATH']
  const certFile = tls.text('certFile') ?? env['CONSUL_CLIENT_CERT']
  const keyFile = tls.text('keyFile') ?? env['CONSUL_CLIENT_KEY']
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw invalid('client.tlsConfig', 'must have certFile and keyFile, or neither')
  }
  const file = (field: string, path: string | undefined): Promise<string> | undefined =>
    path === undefined ? undefined : readText(`client.tlsConfig.${field}`, path, baseDirectory)
  const verify = parseBool(env['CONSUL_HTTP_SSL_VERIFY'] ?? 'true') ?? true
  return {
    ca:
      caFile !== undefined
        ? await file('caFile', caFile)
        : caPath !== undefined
          ? await readFolder('client.tlsConfig.caPath', caPath, baseDirectory)
          : undefined,
    cert: await file('certFile', certFile),
    key: await file('keyFile', keyFile),
    servername: tls.text('address') ?? env['CONSUL_TLS_SERVER_NAME'],
    rejectUnauthorized: !(tls.bool('insecureSkipVerify') ?? !verify),
  }
}

/** Reads `client`, and the variables for what it leaves out. @throws `INVALID_METADATA` */
export async function readClient(
  value: unknown,
  env: Environment,
  baseDirectory: string,
): Promise<ClientSettings> {
  const client = new Reader(value, 'client')
  const address = client.text('address') ?? env['CONSUL_HTTP_ADDR'] ?? '127.0.0.1:8500'
  const match = /^(?:([a-z]+):\/\/)?(.*?)\/?$/i.exec(address)!
  const written = match[1]?.toLowerCase()
  const secured = parseBool(env['CONSUL_HTTP_SSL'] ?? 'false') === true ? 'https' : 'http'
  const scheme = written ?? client.text('scheme')?.toLowerCase() ?? secured
  const place = parseHostPort(match[2]!)
  if (!['http', 'https'].includes(scheme))
    throw invalid('client.scheme', `must be http or https, got "${scheme}"`)
  if (place === undefined) {
    throw invalid(
      'client.address',
      `must be a host and a port, such as 127.0.0.1:8500, got ${JSON.stringify(address)}`,
    )
  }
  const tokenFile = client.text('tokenFile') ?? env['CONSUL_HTTP_TOKEN_FILE']
  const token =
    client.text('token') ??
    (tokenFile === undefined
      ? env['CONSUL_HTTP_TOKEN']
      : (await readText('client.tokenFile', tokenFile, baseDirectory)).trim())
  const auth = client.object('httpAuth')
  const [username, ...password] = (env['CONSUL_HTTP_AUTH'] ?? '').split(':')
  return {
    host: place.host,
    port: place.port ?? (scheme === 'https' ? 8501 : 8500),
    tls: scheme === 'https' ? await readTls(client.object('tlsConfig'), env, baseDirectory) : undefined,
    datacenter: client.text('datacenter'),
    token: token === '' ? undefined : token,
    username: auth.text('username') ?? (username === '' ? undefined : username),
    password: auth.text('password') ?? (password.length === 0 ? undefined : password.join(':')),
    waitTimeMs: client.durationMs('waitTime'),
  }
}
