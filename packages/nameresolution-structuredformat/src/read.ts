import { open } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parseHostPort } from '@outrigger/kit'
import { ComponentError, type Instance } from '@outrigger/spec'

/** The instances of each application; a host may be a name. */
export type Instances = ReadonlyMap<string, readonly Instance[]>

export interface Source {
  readonly structuredType: 'json' | 'yaml' | 'jsonFile' | 'yamlFile'
  readonly stringValue: string | undefined
  readonly filePath: string | undefined
}

const largestFile = 16 * 1024 * 1024

function wrong(message: string, cause?: unknown): ComponentError {
  return new ComponentError('INVALID_METADATA', message, cause === undefined ? {} : { cause })
}

/** Reads what the metadata gives or names. @throws `INVALID_METADATA` */
export async function readInstances(source: Source, baseDirectory: string): Promise<Instances> {
  const { structuredType } = source
  const inFile = structuredType.endsWith('File')
  const [field, value] = inFile
    ? (['filePath', source.filePath] as const)
    : (['stringValue', source.stringValue] as const)
  if (value === undefined) throw wrong(`${field} is required with structuredType ${structuredType}`)
  const where = inFile ? resolve(baseDirectory, value) : 'stringValue'
  const text = inFile ? await readText(where) : value
  return checkInstances(await parse(structuredType, text, where), where)
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      if (size > largestFile) throw wrong(`${path} has ${size} bytes; at most ${largestFile} are read`)
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'INVALID_METADATA') throw error
    throw wrong(`filePath ${path} cannot be read (${code ?? 'unknown reason'})`, error)
  }
}

async function parse(type: Source['structuredType'], text: string, where: string): Promise<unknown> {
  try {
    if (type.startsWith('json')) return JSON.parse(text) as unknown
    // Only those who write YAML pay for it.
    const { parse: parseYaml } = await import('yaml')
    return parseYaml(text, { maxAliasCount: 100 }) as unknown
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0] ?? ''
    throw wrong(`${where} is no ${type.startsWith('json') ? 'JSON' : 'YAML'}: ${reason}`, error)
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Finds a field as Dapr reads JSON: without regard to case, the exact name first. */
function fieldOf(record: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(record, name)) return record[name]
  const key = Object.keys(record).find((each) => each.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : record[key]
}

function checkInstances(root: unknown, where: string): Instances {
  const applications = isRecord(root) ? fieldOf(root, 'appInstances') : undefined
  if (!isRecord(applications)) {
    throw wrong(`${where} must have an object appInstances, with a list of instances for each application`)
  }
  return new Map(
    Object.entries(applications).map(([appId, list]) => {
      const path = `${where}: appInstances[${JSON.stringify(appId)}]`
      if (!Array.isArray(list)) throw wrong(`${path} must be a list`)
      return [appId, list.map((each, index) => checkInstance(each, `${path}[${index}]`))]
    }),
  )
}

function checkInstance(value: unknown, path: string): Instance {
  if (!isRecord(value)) throw wrong(`${path} must be an object with domain, ipv4 or ipv6, and port`)
  const port = fieldOf(value, 'port')
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw wrong(`${path}.port must be a number from 1 to 65535, got ${JSON.stringify(port)}`)
  }
  const names = ['domain', 'ipv4', 'ipv6'] as const
  const name = names.find((each) => (fieldOf(value, each) ?? '') !== '')
  if (name === undefined) throw wrong(`${path} must have domain, ipv4 or ipv6`)
  const host = fieldOf(value, name)
  const fits =
    typeof host === 'string' &&
    (name === 'domain' ? parseHostPort(host)?.host === host : isIP(host) === (name === 'ipv4' ? 4 : 6))
  if (!fits) {
    const wanted = name === 'domain' ? 'a host name' : `an ${name === 'ipv4' ? 'IPv4' : 'IPv6'} address`
    throw wrong(`${path}.${name} must be ${wanted}, got ${JSON.stringify(host)}`)
  }
  return { host: host as string, port }
}
