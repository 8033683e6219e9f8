import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CryptoProvider, defineCryptoProvider } from '@outrigger/spec'
import { recordingLogger, type RecordingLogger } from '@outrigger/testkit'
import { createRuntime, type CreateRuntimeOptions, type Runtime } from '../../src/index.ts'
import { FakeCrypto } from './fake-crypto.ts'
import { schema, yaml } from './loading.ts'

/** A stream that Dapr wrote. */
export const vector = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../vectors/enc-v1/${name}`, import.meta.url)))

export const { privateKey } = generateKeyPairSync('ed25519')
const keys = {
  kek: Uint8Array.from({ length: 32 }, (_, index) => index),
  rsa: vector('rsa-key.pem'),
  ed25519: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
}

const definitionOf = (type: string, provider: CryptoProvider) =>
  defineCryptoProvider<{ v1: Record<string, string> }>({
    type,
    title: 'Test',
    versions: {
      v1: { metadata: schema(), capabilities: [...provider.capabilities], create: async () => provider },
    },
  })

/** Can do nothing. */
const weak: CryptoProvider = {
  capabilities: new Set(),
  algorithms: { encrypt: [], wrap: [], sign: [] },
  close: async () => {},
}

export interface CryptoRuntime {
  readonly runtime: Runtime
  readonly logger: RecordingLogger
  /** Where its alpha API is. */
  readonly url: string
}

/** A runtime on a port of its own with the providers `vault`, a FakeCrypto, and `weak`. */
export async function startCrypto(options: Partial<CreateRuntimeOptions> = {}): Promise<CryptoRuntime> {
  const logger = recordingLogger()
  const runtime = createRuntime({
    appId: 'shop',
    listen: true,
    listenAddresses: ['127.0.0.1'],
    httpPort: 0,
    grpcPort: 0,
    resources: [yaml('vault', 'crypto.test'), yaml('weak', 'crypto.weak')],
    definitions: [definitionOf('crypto.test', new FakeCrypto(keys)), definitionOf('crypto.weak', weak)],
    logger,
    ...options,
  })
  await runtime.start()
  return { runtime, logger, url: `http://127.0.0.1:${runtime.addresses.http[0]!.port}/v1.0-alpha1/` }
}
