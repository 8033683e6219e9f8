import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority, readAuthority, type AuthorityFiles } from '@outrigger/security/authority'
import { tempFolder } from '@outrigger/testkit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CliFailure } from '../failure.ts'
import { exportFiles } from './export.ts'
import { readGiven, removeOldRoots, renew, type RenewOptions } from './renew.ts'
import { expiry, show } from './show.ts'

const now = Date.UTC(2026, 0, 1)
const dayMs = 86_400_000
const names = { trustAnchors: 'ca.crt', issuerChain: 'issuer.crt', issuerKey: 'issuer.key' }

const make = (at = now): Promise<AuthorityFiles> =>
  createAuthority({ trustDomain: 'shop.example', namespace: 'system', now: at, clockSkewMs: 0 })

async function write(folder: string, files: AuthorityFiles): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'ca.crt'), files.trustAnchors)
  await writeFile(join(folder, 'issuer.crt'), files.issuerChain)
  await writeFile(join(folder, 'issuer.key'), files.issuerKey, { mode: 0o600 })
}

async function read(folder: string): Promise<AuthorityFiles> {
  const text = (name: string): Promise<string> => readFile(join(folder, name), 'utf8')
  return {
    trustAnchors: await text('ca.crt'),
    issuerChain: await text('issuer.crt'),
    issuerKey: await text('issuer.key'),
  }
}

async function place() {
  const { path, remove } = await tempFolder()
  onTestFinished(remove)
  const folder = join(path, 'certs')
  const files = await make()
  await write(folder, files)
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const doRenew = (own: Partial<RenewOptions> = {}): Promise<void> =>
    renew({
      folder,
      validDays: 100,
      trustDomain: undefined,
      namespace: undefined,
      given: undefined,
      now,
      settle: () => Promise.resolve(),
      print,
      ...own,
    })
  return { path, folder, files, lines, print, renew: doRenew }
}

describe('what there is', () => {
  test('is shown with names and dates', async () => {
    const { folder } = await place()
    const text = await show(folder, now, false)
    expect(text).toMatch(
      /ca\.crt +O=shop\.example, CN=root \w+ +2026-01-01T00:00:00\.000Z +2027-01-01T00:00:00\.000Z +365\n/,
    )
    expect(text).toMatch(/issuer\.crt +O=spiffe:\/\/shop\.example\/ns\/system\/dapr-sentry, CN=issuer/)
    expect(text).toMatch(/All is well\.$/)
    expect(JSON.parse(await show(folder, now, true))).toHaveLength(2)
  })

  test('comes with a warning when it ends', async () => {
    const { folder } = await place()
    expect(await show(folder, now + 340 * dayMs, false)).toMatch(/expires in 25 days\. Renew it/)
    expect(await show(folder, now + 366 * dayMs, false)).toMatch(/has expired: nothing can be signed/)
    expect(await expiry(folder, now)).toBe('The authority expires in 365 days, at 2027-01-01T00:00:00.000Z.')
    expect(await expiry(folder, now + 364 * dayMs)).toContain('expires in 1 day,')
    expect(await expiry(folder, now + 366 * dayMs)).toMatch(/has expired at .*renew-certificate/)
  })

  test('is asked for when it is not there', async () => {
    const { path } = await place()
    await expect(show(path, now, false)).rejects.toThrow(
      /ca\.crt cannot be read: there is none; .*--issuer-credentials/,
    )
    await writeFile(join(path, 'ca.crt'), 'nothing')
    await writeFile(join(path, 'issuer.crt'), 'nothing')
    await expect(show(path, now, false)).rejects.toThrow(CliFailure)
  })
})

test('an export is for its owner alone, and over nothing that is there', async () => {
  const { path, folder, files, print } = await place()
  const out = join(path, 'out', 'here')
  await exportFiles({ folder, out, print })
  expect(await read(out)).toEqual(files)
  expect((await stat(join(out, 'issuer.key'))).mode & 0o777).toBe(0o600)
  await expect(exportFiles({ folder, out, print })).rejects.toThrow(/EEXIST/)
  await expect(exportFiles({ folder, out: folder, print })).rejects.toThrow(/--out is the folder/)
})

describe('a renewal', () => {
  test('trusts both roots before the new issuer signs', async () => {
    const { folder, files, renew: run } = await place()
    await chmod(join(folder, 'ca.crt'), 0o644)
    let between: AuthorityFiles | undefined
    await run({ settle: async () => void (between = await read(folder)) })
    expect(between).toMatchObject({ issuerChain: files.issuerChain, issuerKey: files.issuerKey })
    expect(between!.trustAnchors.startsWith(files.trustAnchors)).toBe(true)
    expect(readAuthority(between!, now, names).anchors).toHaveLength(2)
    const after = readAuthority(await read(folder), now, names)
    expect(after.anchors).toHaveLength(2)
    expect(after.expiresAt).toBe(now + 100 * dayMs)
    expect(after.chain[0]!.subject).toContain('O=spiffe://shop.example/ns/system/dapr-sentry')
    expect((await stat(join(folder, 'ca.crt'))).mode & 0o777).toBe(0o644)
    expect((await stat(join(folder, 'issuer.key'))).mode & 0o777).toBe(0o600)
  })

  test('is followed by the end of the old root', async () => {
    const { folder, files, renew: run, lines, print } = await place()
    await run()
    expect(await show(folder, now, false)).toMatch(/several roots.*remove-old-roots/)
    await removeOldRoots(folder, now, print)
    const { trustAnchors } = await read(folder)
    expect(trustAnchors).not.toContain(files.trustAnchors)
    expect(readAuthority(await read(folder), now, names).anchors).toHaveLength(1)
    await removeOldRoots(folder, now, print)
    expect(lines.at(-1)).toBe('There are no old roots.')
  })

  test('forgets roots that have expired', async () => {
    const { folder, renew: run } = await place()
    const later = now + 366 * dayMs
    await run({ now: later })
    expect(readAuthority(await read(folder), later, names).anchors).toHaveLength(1)
  })

  test('takes what is given, if it fits', async () => {
    const { path, folder, renew: run } = await place()
    const mine = await make()
    const theirs = await make()
    await write(join(path, 'mine'), mine)
    const file = (name: string): string => join(path, 'mine', name)
    const paths = { root: file('ca.crt'), issuer: file('issuer.crt'), key: file('issuer.key') }
    const given = await readGiven(paths)
    await run({ given })
    expect((await read(folder)).issuerKey).toBe(mine.issuerKey)
    await expect(run({ given: { ...mine, issuerKey: theirs.issuerKey } })).rejects.toThrow(
      /the given key is not that/,
    )
    expect((await read(folder)).issuerKey).toBe(mine.issuerKey)
    expect(await readGiven({ root: undefined, issuer: undefined, key: undefined })).toBeUndefined()
    await expect(readGiven({ ...paths, key: undefined })).rejects.toThrow(/belong together/)
    await expect(readGiven({ ...paths, key: join(path, 'none') })).rejects.toThrow(/none cannot be read/)
  })

  test('asks for the trust domain where the issuer does not say it', async () => {
    const { folder, files, renew: run } = await place()
    // A root bears no identity.
    await writeFile(join(folder, 'issuer.crt'), files.trustAnchors)
    await expect(run()).rejects.toThrow(/add --trust-domain and --namespace/)
    await run({ trustDomain: 'other.example', namespace: 'x' })
    expect(readAuthority(await read(folder), now, names).chain[0]!.subject).toContain('other.example/ns/x')
  })
})
