import { bool, duration, fields, list, oneOf, quantity, string } from '@outrigger/kit'

const pem = 'PEM text, or the path of a file that holds it'

export const metadata = fields({
  url: string({
    description: 'The base URL, http or https. What `path` of a request names is below it.',
    required: true,
    example: 'https://api.example.com/v1',
  }),
  responseTimeoutMs: duration({
    name: 'responseTimeout',
    description:
      'How long a request may take until its answer is read to the end; without it there is no limit.',
    example: '10s',
    minimum: 1,
  }),
  maxResponseBodySize: quantity({
    description:
      'How much of an answer is read, in bytes after decompression; what is beyond is cut off. 0 is no limit.',
    default: '100Mi',
  }),
  rootCA: string({
    name: 'MTLSRootCA',
    description: `Certificates of the authorities that the server's is checked against, instead of those of the system: ${pem}.`,
    example: '/etc/certs/ca.pem',
  }),
  clientCert: string({
    name: 'MTLSClientCert',
    description: `Certificate that the binding shows to the server: ${pem}. Goes with MTLSClientKey.`,
    example: '/etc/certs/client.pem',
  }),
  clientKey: string({
    name: 'MTLSClientKey',
    description: `Private key of MTLSClientCert: ${pem}.`,
    sensitive: true,
  }),
  renegotiation: oneOf(['RenegotiateNever', 'RenegotiateOnceAsClient', 'RenegotiateFreelyAsClient'], {
    name: 'MTLSRenegotiation',
    description:
      'Whether a server may renegotiate a TLS 1.2 connection. The number of times is not counted, so once is the same as freely.',
    default: 'RenegotiateNever',
  }),
  securityToken: string({
    description: 'A token that each request carries in the header that securityTokenHeader names.',
    sensitive: true,
  }),
  securityTokenHeader: string({
    description: 'The header of securityToken; `Authorization: Bearer` puts that word before the token.',
    example: 'X-Security-Token',
  }),
  errorIfNot2XX: bool({
    description: 'Whether an answer whose status is not 2xx is an error. A request can say otherwise.',
    default: 'true',
  }),
  direction: list({
    description: 'The direction of the binding; this one is an output. Read by the runtime.',
    example: 'output',
  }),
})

export interface HttpMetadata {
  readonly url: string
  readonly responseTimeoutMs: number | undefined
  readonly maxResponseBodySize: number
  readonly rootCA: string | undefined
  readonly clientCert: string | undefined
  readonly clientKey: string | undefined
  readonly renegotiation: 'RenegotiateNever' | 'RenegotiateOnceAsClient' | 'RenegotiateFreelyAsClient'
  readonly securityToken: string | undefined
  readonly securityTokenHeader: string | undefined
  readonly errorIfNot2XX: boolean
}
