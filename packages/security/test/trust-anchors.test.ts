import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@outrigger/host'
import { recordingLogger, tempFolder, waitFor } from '@outrigger/testkit'
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createAuthority } from '../src/authority.ts'
import { x509 } from '../src/authority/library.ts'
import { openTrustAnchors, type TrustAnchorOptions, type TrustAnchors } from '../src/index.ts'

/** The machine's time, forty times as fast. */
const clock = {
  ...systemClock,
  schedule: (ms: number, callback: () => void) => systemClock.schedule(ms / 40, callback),
}

/** A root as Dapr makes them, whose name is the trust domain. */
async function sameName(): Promise<string> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ])
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'O=localhost',
    keys,
    signingAlgorithm,
  })
  return `${root.toString('pem')}\n`
}

describe('trust anchors', () => {
  const logger = recordingLogger()
  let folder: string
  let one: string
  let two: string
  const make = async (): Promise<string> => {
    const options = { trustDomain: 'localhost', namespace: 'default', now: Date.now(), clockSkewMs: 0 }
    return (await createAuthority(options)).trustAnchors
  }
  const open = async (options: Partial<TrustAnchorOptions>): Promise<TrustAnchors> => {
    const anchors = await openTrustAnchors({ clock, logger, ...options })
    onTestFinished(() => anchors.close())
    return anchors
  }
  const count = (pem: string): number => pem.match(/BEGIN CERTIFICATE/g)?.length ?? 0

  beforeAll(async () => {
    one = await make()
    two = await make()
  })
  beforeEach(async () => {
    const temp = await tempFolder()
    onTestFinished(temp.remove)
    folder = temp.path
  })

  it('are given as text, in which only certificates count', async () => {
    const { current } = await open({ pem: `the first\n${one}\nthe second\n${two}` })
    expect(count(current)).toBe(2)
    expect(current).not.toContain('the first')
  })

  it('come with a warning when two have the same name', async () => {
    const own = recordingLogger()
    expect(count((await open({ pem: one + two + one, logger: own })).current)).toBe(2)
    expect(own.messages()).toEqual([])
    await open({ pem: (await sameName()) + (await sameName()), logger: own })
    expect(own.messages('warn')[0]).toMatch(
      /^Two roots in DAPR_TRUST_ANCHORS have the same name \(O=localhost\)/,
    )
  })

  it('are asked for by name when they are missing, given twice or none at all', async () => {
    await expect(open({})).rejects.toThrow(/DAPR_TRUST_ANCHORS_FILE to the ca.crt of sentry/)
    await expect(open({ pem: '' })).rejects.toThrow(/needs trust anchors/)
    await expect(open({ pem: one, file: 'ca.crt' })).rejects.toThrow(/given twice/)
    await expect(open({ pem: 'nothing' })).rejects.toThrow(/DAPR_TRUST_ANCHORS has no certificate/)
  })

  it('are waited for while the file is not there', async () => {
    const file = join(folder, 'ca.crt')
    let opened = false
    const opening = open({ file }).then((anchors) => {
      opened = true
      return anchors
    })
    await waitFor(() => logger.messages('warn').some((line) => line.includes(file)))
    expect(opened).toBe(false)
    await writeFile(file, one)
    expect(count((await opening).current)).toBe(1)
  })

  it('are no longer waited for after the signal', async () => {
    const end = new AbortController()
    const opening = open({ file: join(folder, 'ca.crt'), signal: end.signal })
    end.abort(new Error('enough'))
    await expect(opening).rejects.toThrow('enough')
  })

  it('change with their file, and stay as they were when it cannot be used', async () => {
    const file = join(folder, 'ca.crt')
    await writeFile(file, one)
    const anchors = await open({ file })
    let told = 0
    anchors.onChange(() => told++)
    await writeFile(file, one + two)
    await waitFor(() => told === 1)
    expect(count(anchors.current)).toBe(2)
    await writeFile(file, 'broken')
    await waitFor(() => logger.messages('warn').some((line) => line.includes('stay as they were')))
    expect(count(anchors.current)).toBe(2)
    await rm(file)
    await waitFor(() => logger.messages('warn').some((line) => line.includes('ENOENT')))
    expect(count(anchors.current)).toBe(2)
    await writeFile(file, two)
    await waitFor(() => told === 2)
    expect(count(anchors.current)).toBe(1)
  })

  it('may be behind a link that is replaced, as Kubernetes mounts them', async () => {
    const [first, second, file] = ['first', 'second', 'ca.crt'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(first, one)
    await writeFile(second, one + two)
    await symlink(first, file)
    const anchors = await open({ file })
    await rm(file)
    await symlink(second, file)
    await waitFor(() => count(anchors.current) === 2)
  })
})
