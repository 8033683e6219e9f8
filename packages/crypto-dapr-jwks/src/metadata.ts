import { duration, fields, string } from '@outrigger/kit'

export const metadata = fields({
  jwks: string({
    description:
      'The JSON Web Key Set: its text, plain or in base64; or the path of a file, relative to the folder where the process was started; or an address that begins with http:// or https://.',
    required: true,
    sensitive: true,
    example: 'https://example.com/.well-known/jwks.json',
  }),
  requestTimeoutMs: duration({
    name: 'requestTimeout',
    description: 'How long fetching the set may take.',
    default: '30s',
  }),
  minRefreshIntervalMs: duration({
    name: 'minRefreshInterval',
    description: 'How old a set from an address may become before it is fetched again; at least a second.',
    default: '10m',
  }),
})

export interface JwksMetadata {
  readonly jwks: string
  readonly requestTimeoutMs: number
  readonly minRefreshIntervalMs: number
}
