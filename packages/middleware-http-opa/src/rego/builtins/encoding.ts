import {
  createHash,
  createHmac,
  createPublicKey,
  timingSafeEqual,
  verify,
  X509Certificate,
  type KeyObject,
} from 'node:crypto'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { RegoError } from '../error.ts'
import { fromJson, isArray, Obj, type Value } from '../values.ts'
import { items, object, text, whole } from './arguments.ts'
import { of, type CallContext, type Table } from './types.ts'

const hash = (name: string) => of(1, ([value]) => createHash(name).update(text(value)).digest('hex'))
const hmac = (name: string) =>
  of(2, ([value, key]) => createHmac(name, text(key)).update(text(value)).digest('hex'))

function decoded(value: string, alphabet: 'base64' | 'base64url'): string {
  const sign = alphabet === 'base64' ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9_-]*={0,2}$/
  if (!sign.test(value)) throw new Error('is not base64')
  return Buffer.from(value, alphabet).toString('utf8')
}

interface Jwt {
  readonly header: Obj
  readonly payload: Obj
  readonly signed: string
  readonly signature: Buffer
}

function jwt(token: string): Jwt {
  const [header, payload, signature, ...more] = token.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
    throw new Error('is no JWT')
  const fields = object(fromJson(JSON.parse(decoded(header, 'base64url'))))
  if (fields.get('cty') === 'JWT') throw new RegoError('tokens within tokens are not supported')
  return {
    header: fields,
    payload: object(fromJson(JSON.parse(decoded(payload, 'base64url')))),
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, 'base64url'),
  }
}

/** Keys of a certificate, a key in PEM, or JWKs. */
function keysIn(source: string, kid: Value | undefined): KeyObject[] {
  if (source.trimStart().startsWith('{')) {
    const json = JSON.parse(source) as { keys?: { kid?: string }[] }
    const all = json.keys ?? [json as { kid?: string }]
    const fitting = all.filter((each) => kid === undefined || each.kid === undefined || each.kid === kid)
    return fitting.map((each) => createPublicKey({ key: each as never, format: 'jwk' }))
  }
  if (source.includes('BEGIN CERTIFICATE')) return [new X509Certificate(source).publicKey]
  return [createPublicKey(source)]
}

const pss = { RS: undefined, PS: 6, ES: undefined } as const

function isSigned({ header, signed, signature }: Jwt, algorithm: string, source: string): boolean {
  const digest = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('HS')) {
    const expected = createHmac(digest, source).update(signed).digest()
    return expected.length === signature.length && timingSafeEqual(expected, signature)
  }
  const family = algorithm.slice(0, 2) as keyof typeof pss
  return keysIn(source, header.get('kid')).some((key) => {
    const isEc = key.asymmetricKeyType === 'ec'
    if (isEc !== (family === 'ES')) return false
    const padding = pss[family]
    const how = isEc
      ? { key, dsaEncoding: 'ieee-p1363' as const }
      : padding === undefined
        ? key
        : { key, padding, saltLength: -1 }
    return verify(digest, Buffer.from(signed), how, signature)
  })
}

const algorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
]

const verifiers: Table = Object.fromEntries(
  algorithms.map((name) => [
    `io.jwt.verify_${name.toLowerCase()}`,
    of(2, ([token, source]) => {
      const parsed = jwt(text(token))
      return parsed.header.get('alg') === name && isSigned(parsed, name, text(source))
    }),
  ]),
)

const refused: Value = [false, new Obj(), new Obj()]

/** Signature and claims at once. */
function decodeVerify(token: string, constraints: Obj, { now }: CallContext): Value {
  let parsed: Jwt
  try {
    parsed = jwt(token)
  } catch {
    return refused
  }
  const { header, payload } = parsed
  const algorithm = header.get('alg')
  if (typeof algorithm !== 'string' || !algorithms.includes(algorithm)) return refused
  const wanted = constraints.get('alg')
  if (wanted !== undefined && wanted !== algorithm) return refused
  // Extensions that must be understood are not.
  if (header.has('crit')) return refused
  const source = constraints.get(algorithm.startsWith('HS') ? 'secret' : 'cert')
  if (typeof source !== 'string') throw new Error('has no key')
  if (!isSigned(parsed, algorithm, source)) return refused
  const issuer = constraints.get('iss')
  if (issuer !== undefined && payload.get('iss') !== issuer) return refused
  const audience = constraints.get('aud')
  const given = payload.get('aud')
  const all = given === undefined ? [] : typeof given === 'string' ? [given] : items(given)
  // Who names an audience wants it, and a token for somebody is for nobody else.
  if ((audience !== undefined || all.length > 0) && !all.includes(audience!)) return refused
  const time = constraints.get('time')
  const seconds = typeof time === 'number' ? time / 1e9 : now / 1000
  const [until, from] = [payload.get('exp'), payload.get('nbf')]
  if (typeof until === 'number' && seconds >= until) return refused
  if (typeof from === 'number' && seconds < from) return refused
  return [true, header, payload]
}

function contains(network: string, address: string): boolean {
  const [base = '', bits] = network.split('/')
  const kind = (each: string) => (isIPv6(each) ? 'ipv6' : 'ipv4')
  const [inner = '', innerBits] = address.split('/')
  if (isIP(base) === 0 || isIP(inner) === 0 || kind(base) !== kind(inner)) return false
  if (innerBits !== undefined && Number(innerBits) < Number(bits)) return false
  const list = new BlockList()
  list.addSubnet(base, Number(bits), kind(base))
  return list.check(inner, kind(inner))
}

export const encoding: Table = {
  'base64.encode': of(1, ([value]) => Buffer.from(text(value)).toString('base64')),
  'base64.decode': of(1, ([value]) => decoded(text(value), 'base64')),
  'base64.is_valid': of(1, ([value]) =>
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text(value)),
  ),
  'base64url.encode': of(1, ([value]) =>
    Buffer.from(text(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  ),
  'base64url.encode_no_pad': of(1, ([value]) => Buffer.from(text(value)).toString('base64url')),
  'base64url.decode': of(1, ([value]) => decoded(text(value), 'base64url')),
  'hex.encode': of(1, ([value]) => Buffer.from(text(value)).toString('hex')),
  'hex.decode': of(1, ([value]) => {
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(text(value))) return undefined
    return Buffer.from(text(value), 'hex').toString('utf8')
  }),
  'urlquery.encode': of(1, ([value]) => new URLSearchParams([['', text(value)]]).toString().slice(1)),
  'urlquery.decode': of(1, ([value]) => decodeURIComponent(text(value).replaceAll('+', ' '))),
  'urlquery.encode_object': of(1, ([value]) => {
    const pairs = object(value).entries.flatMap(([key, each]) =>
      (typeof each === 'string' ? [each] : items(each)).map(
        (one) => [text(key), text(one)] as [string, string],
      ),
    )
    return new URLSearchParams(pairs).toString()
  }),
  'urlquery.decode_object': of(1, ([value]) => {
    const found = new Map<string, string[]>()
    for (const [key, each] of new URLSearchParams(text(value))) {
      const values = found.get(key)
      if (values === undefined) found.set(key, [each])
      else values.push(each)
    }
    return new Obj(found)
  }),
  'crypto.md5': hash('md5'),
  'crypto.sha1': hash('sha1'),
  'crypto.sha256': hash('sha256'),
  'crypto.hmac.md5': hmac('md5'),
  'crypto.hmac.sha1': hmac('sha1'),
  'crypto.hmac.sha256': hmac('sha256'),
  'crypto.hmac.sha512': hmac('sha512'),
  'crypto.hmac.equal': of(2, ([a, b]) => {
    const [left, right] = [Buffer.from(text(a)), Buffer.from(text(b))]
    return left.length === right.length && timingSafeEqual(left, right)
  }),
  'io.jwt.decode': of(1, ([token]) => {
    const { header, payload, signature } = jwt(text(token))
    return [header, payload, signature.toString('hex')]
  }),
  ...verifiers,
  'io.jwt.decode_verify': of(2, ([token, constraints], context) =>
    decodeVerify(text(token), object(constraints), context),
  ),
  'net.cidr_contains': of(2, ([network, address]) => contains(text(network), text(address))),
  'net.cidr_intersects': of(2, ([a, b]) => contains(text(a), text(b)) || contains(text(b), text(a))),
  'net.cidr_is_valid': of(1, ([value]) => {
    const [base = '', bits, ...more] = text(value).split('/')
    return (
      isIP(base) !== 0 &&
      more.length === 0 &&
      /^\d+$/.test(bits ?? '') &&
      Number(bits) <= (isIPv6(base) ? 128 : 32)
    )
  }),
  'time.now_ns': of(0, (_, { now }) => now * 1e6),
  'time.parse_rfc3339_ns': of(1, ([value]) => {
    const found = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(text(value))
    if (found === null) return undefined
    return Date.parse(`${found[1]}${found[3]}`) * 1e6 + Math.round(Number(`0${found[2] ?? ''}`) * 1e9)
  }),
  'time.parse_duration_ns': of(1, ([value]) => duration(text(value))),
  'time.date': of(1, ([value]) => {
    const date = dateOf(value)
    return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  }),
  'time.clock': of(1, ([value]) => {
    const date = dateOf(value)
    return [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
  }),
  'time.weekday': of(1, ([value]) => weekdays[dateOf(value).getUTCDay()]),
  'time.add_date': {
    least: 4,
    most: 4,
    call: ([value, years, months, days]) => {
      const date = dateOf(value)
      date.setUTCFullYear(
        date.getUTCFullYear() + whole(years),
        date.getUTCMonth() + whole(months),
        date.getUTCDate() + whole(days),
      )
      return date.getTime() * 1e6
    },
  },
  print: { least: 0, most: 100, call: () => true },
  trace: of(1, () => true),
  'opa.runtime': of(0, () => new Obj()),
}

/** Where there is a time zone a value that is wrong would be worse than none. */
function dateOf(value: Value | undefined): Date {
  if (value !== undefined && isArray(value)) throw new RegoError('time zones are not supported')
  return new Date(whole(value) / 1e6)
}

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const unitNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
}

function duration(value: string): number | undefined {
  if (!/^-?(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(value)) return undefined
  let sum = 0
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(count) * unitNs[unit!]!
  return value.startsWith('-') ? -sum : sum
}
