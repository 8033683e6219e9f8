import { readFileSync } from 'node:fs'
import { readDuration } from '@outrigger/host'
import { parseAllDocuments } from 'yaml'

/** How tokens are checked against a set of keys. */
export interface JwksOptions {
  /** URL, file, or the set itself (JSON, or JSON in base64). */
  readonly source: string
  /** PEM, or the file of it, for a URL. */
  readonly caCertificate: string | undefined
  readonly minRefreshIntervalMs: number
  readonly requestTimeoutMs: number
}

/** What the section `mtls` of a Configuration says. */
export interface MtlsConfiguration {
  readonly workloadCertTtlMs: number
  readonly allowedClockSkewMs: number
  /** Absent: whoever can reach sentry gets what he asks for. */
  readonly jwks: JwksOptions | undefined
}

const hourMs = 3_600_000
export const defaultConfiguration: MtlsConfiguration = {
  workloadCertTtlMs: 24 * hourMs,
  allowedClockSkewMs: hourMs / 4,
  jwks: undefined,
}

const longestFile = 1024 * 1024

/**
 * Reads the Configuration in a file.
 * @param required whether its absence is an error; otherwise it means the defaults
 * @throws Error that names file, field and value
 */
export function readConfiguration(
  file: string,
  required: boolean,
  env: Readonly<Record<string, string | undefined>>,
): MtlsConfiguration {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    if (!required && (cause as NodeJS.ErrnoException).code === 'ENOENT') return defaultConfiguration
    throw new Error(`the configuration ${file} cannot be read: correct --config`, { cause })
  }
  if (text.length > longestFile)
    throw new Error(`the configuration ${file} is longer than ${longestFile} characters`)
  return parseConfiguration(expand(text, env), file)
}

/** Puts the environment in for `$NAME` and `${NAME}`. */
function expand(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$(?:\{(\w+)\}|([A-Za-z_]\w*))/g, (_, braced?: string, bare?: string) => {
    return env[(braced ?? bare)!] ?? ''
  })
}

export function parseConfiguration(text: string, file: string): MtlsConfiguration {
  for (const document of parseAllDocuments(text)) {
    const [problem] = document.errors
    if (problem !== undefined) throw new Error(`${file} is no YAML: ${problem.message.split('\n')[0]}`)
    const resource = part(document.toJS({ maxAliasCount: 100 }))
    if (resource['kind'] === 'Configuration') return readMtls(part(part(resource['spec'])['mtls']), file)
  }
  throw new Error(`${file} holds no resource of kind Configuration`)
}

function readMtls(mtls: Readonly<Record<string, unknown>>, file: string): MtlsConfiguration {
  const validators = mtls['tokenValidators']
  if (validators !== undefined && validators !== null && !Array.isArray(validators)) {
    throw new Error(`spec.mtls.tokenValidators in ${file} is no list`)
  }
  const { workloadCertTtlMs, allowedClockSkewMs } = defaultConfiguration
  return {
    workloadCertTtlMs:
      duration(mtls['workloadCertTTL'], 'spec.mtls.workloadCertTTL', file, 1) ?? workloadCertTtlMs,
    allowedClockSkewMs:
      duration(mtls['allowedClockSkew'], 'spec.mtls.allowedClockSkew', file, 0) ?? allowedClockSkewMs,
    jwks: ((validators ?? []) as unknown[]).map((entry) => readValidator(part(entry), file)).at(-1),
  }
}

function readValidator(entry: Readonly<Record<string, unknown>>, file: string): JwksOptions {
  const field = 'spec.mtls.tokenValidators'
  const name = String(entry['name']).toLowerCase()
  if (name === 'kubernetes' || name === 'insecure') {
    throw new Error(`${field} in ${file}: "${name}" is built in and cannot be configured; use jwks`)
  }
  if (name !== 'jwks')
    throw new Error(`${field} in ${file}: "${name.slice(0, 100)}" is no validator; use jwks`)
  const options = part(entry['options'])
  const source = options['source']
  if (typeof source !== 'string' || source === '') {
    throw new Error(`${field} in ${file}: jwks needs options.source, a URL, a file or the keys themselves`)
  }
  const ca = options['caCertificate']
  return {
    source,
    caCertificate: typeof ca === 'string' && ca !== '' ? ca : undefined,
    minRefreshIntervalMs:
      duration(options['minRefreshInterval'], `${field} options.minRefreshInterval`, file, 1000) ??
      hourMs / 6,
    requestTimeoutMs:
      duration(options['requestTimeout'], `${field} options.requestTimeout`, file, 1) ?? 30_000,
  }
}

function duration(value: unknown, field: string, file: string, least: number): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const ms = typeof value === 'string' ? readDuration(value) : undefined
  if (ms !== undefined && ms >= least) return ms
  throw new Error(`${field} in ${file} is ${JSON.stringify(value)}, which is no duration such as 24h or 15m`)
}

function part(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
