import { readFile } from 'node:fs/promises'

/** Who vouches for a token; numbers as in the protocol. */
export const validators = { default: 0, insecure: 1, kubernetes: 2, jwks: 3 } as const
export type Validator = keyof typeof validators

export interface SentryToken {
  /** Empty where none is needed. */
  readonly token: string
  readonly validator: Validator
}

/** Where Kubernetes puts a pod's token for sentry, and where it puts those for everything. */
export const kubernetesTokenFiles = [
  '/var/run/secrets/dapr.io/sentrytoken/token',
  '/var/run/secrets/kubernetes.io/serviceaccount/token',
] as const

const longestToken = 64 * 1024

export interface TokenOptions {
  /** Of DAPR_SENTRY_TOKEN_FILE. */
  readonly tokenFile?: string | undefined
  /** Whether Kubernetes vouches for tokens. */
  readonly kubernetes?: boolean | undefined
  /** Where tokens of Kubernetes are looked for; for tests. */
  readonly kubernetesFiles?: readonly string[] | undefined
}

/**
 * The token to show to sentry. Read anew for every certificate: whoever issues tokens replaces the file.
 * @throws Error that names the file, never what is in it
 */
export async function readSentryToken(options: TokenOptions): Promise<SentryToken> {
  const { tokenFile, kubernetes = false, kubernetesFiles = kubernetesTokenFiles } = options
  if (tokenFile !== undefined) {
    if (tokenFile === '') {
      throw new Error('DAPR_SENTRY_TOKEN_FILE is set and empty: name the file with the token, or unset it')
    }
    let token: string
    try {
      token = await read(tokenFile)
    } catch (cause) {
      const reason = (cause as Error).message
      throw new Error(`the token for sentry (DAPR_SENTRY_TOKEN_FILE) cannot be read: ${reason}`, { cause })
    }
    if (token === '') throw new Error(`the file ${tokenFile} (DAPR_SENTRY_TOKEN_FILE) has no token`)
    return { token, validator: kubernetes ? 'kubernetes' : 'jwks' }
  }
  if (kubernetes) {
    for (const file of kubernetesFiles) {
      const token = await read(file).catch(() => '')
      if (token !== '') return { token, validator: 'kubernetes' }
    }
  }
  return { token: '', validator: 'default' }
}

async function read(file: string): Promise<string> {
  const text = await readFile(file, 'utf8')
  if (text.length > longestToken) throw new Error(`${file} is longer than ${longestToken} characters`)
  return text.trim()
}
