import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localAlgorithms } from '@outrigger/common-crypto'
import { cryptoConformance } from '@outrigger/conformance'
import { tempFolder, type TempFolder } from '@outrigger/testkit'
import definition from './index.ts'

const secrets = Object.fromEntries(
  [16, 24, 32, 48, 64].map((length) => [`sym${length}`, randomBytes(length)]),
)
const pairs: Readonly<Record<string, string>> = {
  'rsa.pem': pem(generateKeyPairSync('rsa', { modulusLength: 2048 })),
  'p256.pem': pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  'p384.pem': pem(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  'p521.pem': pem(generateKeyPairSync('ec', { namedCurve: 'P-521' })),
  'ed25519.pem': pem(generateKeyPairSync('ed25519')),
}

function pem({ privateKey }: ReturnType<typeof generateKeyPairSync>): string {
  return (privateKey as { export(options: object): string }).export({ type: 'pkcs8', format: 'pem' })
}

function keyFor(algorithm: string): string {
  if (/^[RP]S/.test(algorithm)) return 'rsa.pem'
  if (algorithm === 'EdDSA') return 'ed25519.pem'
  if (algorithm.startsWith('ES')) return `p${algorithm === 'ES512' ? '521' : algorithm.slice(2)}.pem`
  const hash = /-HS(\d+)$/.exec(algorithm)?.[1]
  return `sym${hash !== undefined ? Number(hash) / 8 : algorithm.includes('C20P') ? 32 : Number(algorithm.slice(1, 4)) / 8}`
}

let folder: TempFolder

cryptoConformance(definition, {
  properties: async () => {
    folder = await tempFolder()
    for (const [name, content] of [...Object.entries(secrets), ...Object.entries(pairs)])
      await writeFile(join(folder.path, name), content)
    return { path: folder.path }
  },
  keys: Object.fromEntries(
    [...localAlgorithms.encrypt, ...localAlgorithms.wrap, ...localAlgorithms.sign].map((each) => [
      each,
      keyFor(each),
    ]),
  ),
  symmetricKey: 'sym32',
  secrets,
  teardown: () => folder.remove(),
})
