import { generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto'
import { localAlgorithms } from '@outrigger/common-crypto'
import { cryptoConformance } from '@outrigger/conformance'
import definition from './index.ts'

const secrets = Object.fromEntries(
  [16, 24, 32, 48, 64].map((length) => [`sym${length}`, randomBytes(length)]),
)
const keys: readonly object[] = [
  ...Object.entries(secrets).map(([kid, secret]) => ({ kty: 'oct', kid, k: secret.toString('base64url') })),
  { ...jwk(generateKeyPairSync('rsa', { modulusLength: 2048 })), kid: 'rsa' },
  { ...jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' })), kid: 'p256' },
  { ...jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' })), kid: 'p384' },
  { ...jwk(generateKeyPairSync('ec', { namedCurve: 'P-521' })), kid: 'p521' },
  { ...jwk(generateKeyPairSync('ed25519')), kid: 'ed25519' },
]

function jwk({ privateKey }: ReturnType<typeof generateKeyPairSync>): JsonWebKey {
  return (privateKey as { export(options: object): JsonWebKey }).export({ format: 'jwk' })
}

function keyFor(algorithm: string): string {
  if (/^[RP]S/.test(algorithm)) return 'rsa'
  if (algorithm === 'EdDSA') return 'ed25519'
  if (algorithm.startsWith('ES')) return `p${algorithm === 'ES512' ? '521' : algorithm.slice(2)}`
  const hash = /-HS(\d+)$/.exec(algorithm)?.[1]
  return `sym${hash !== undefined ? Number(hash) / 8 : algorithm.includes('C20P') ? 32 : Number(algorithm.slice(1, 4)) / 8}`
}

cryptoConformance(definition, {
  properties: () => ({ jwks: JSON.stringify({ keys }) }),
  keys: Object.fromEntries(
    [...localAlgorithms.encrypt, ...localAlgorithms.wrap, ...localAlgorithms.sign].map((each) => [
      each,
      keyFor(each),
    ]),
  ),
  symmetricKey: 'sym32',
  secrets,
})
