import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { createAuthority, type AuthorityFiles } from '@outrigger/security/authority'
import { virtualClock, type VirtualClock } from '@outrigger/testkit'
import type { Security } from '@outrigger/security'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ask, caller, goodRequest, hour, open, passUntil, serve, startSentry } from './setup.ts'

const orders = { namespace: 'default', appId: 'orders' }

/** Certificates that begin a day before the clock says, which runs ahead of the machine's. */
const skew = { workloadCertTtlMs: hour / 12, allowedClockSkewMs: 24 * hour }

const make = (clock: VirtualClock): Promise<AuthorityFiles> =>
  createAuthority({
    trustDomain: 'localhost',
    namespace: 'default',
    now: clock.now(),
    clockSkewMs: 24 * hour,
  })

/** Who has issued the certificate that this one shows. */
const issuerOf = (security: Security): string =>
  new X509Certificate(security.serverTls().cert as string).issuer
const issuerIn = (files: AuthorityFiles): string => new X509Certificate(files.issuerChain).subject
const roots = (pem: string): number => pem.match(/BEGIN/g)!.length

describe('while two peers talk all the time', () => {
  it('roots and issuers are replaced, and no request fails', async () => {
    const clock = virtualClock(Date.now())
    const running = await startSentry({ clock, ...skew })
    const file = (name: string): string => join(running.folder, name)
    const old = await readFile(file('ca.crt'), 'utf8')
    const [server, client] = await Promise.all([
      open(running, 'orders', { clock }),
      open(running, 'stock', { clock }),
    ])
    const { server: listener, origin } = await serve(server)
    server.onChange(() => listener.replaceTls(server.serverTls()))
    const oldCertificate = client.clientTls(orders)

    // Every request has a connection of its own, made with what the client has at that moment.
    let stop = false
    let answered = 0
    const failures: unknown[] = []
    const talk = (async () => {
      while (!stop) {
        try {
          expect(await ask(origin, client.clientTls(orders))).toContain('stock')
          answered++
        } catch (error) {
          failures.push(error)
        }
      }
    })()
    onTestFinished(async () => {
      stop = true
      await talk
    })
    const talkOn = async (): Promise<void> => {
      const before = answered
      await passUntil(clock, () => answered > before + 5 || failures.length > 0, 'more requests', 0)
    }

    await talkOn()
    const next = await make(clock)
    await writeFile(file('ca.crt'), old + next.trustAnchors)
    const both = [server, client]
    await passUntil(clock, () => both.every((each) => roots(each.trustAnchors) === 2), 'the new root', 1_000)
    await talkOn()
    await writeFile(file('issuer.crt'), next.issuerChain)
    await writeFile(file('issuer.key'), next.issuerKey)
    await passUntil(clock, () => both.some((each) => issuerOf(each) === issuerIn(next)), 'the new issuer')
    await talkOn()
    await passUntil(
      clock,
      () => both.every((each) => issuerOf(each) === issuerIn(next)),
      'the new issuer for both',
    )
    await talkOn()
    await writeFile(file('ca.crt'), next.trustAnchors)
    await passUntil(
      clock,
      () => both.every((each) => each.trustAnchors === next.trustAnchors),
      'the end of the old root',
      1_000,
    )
    await talkOn()
    const renewed = issuerOf(client)
    const keys = both.map((each) => each.serverTls().key)
    await passUntil(
      clock,
      () => both.every((each, index) => each.serverTls().key !== keys[index]),
      'another renewal',
    )
    await talkOn()
    stop = true
    await talk

    expect(failures).toEqual([])
    expect(renewed).toBe(issuerIn(next))
    // What the old root vouched for is worth nothing now.
    await expect(ask(origin, oldCertificate)).rejects.toThrow()
    await expect(ask(origin, { ...client.clientTls(orders), ca: old })).rejects.toThrow(/certificate/)
  })
})

describe('files of the authority that change', () => {
  it('are used when they belong together, and change nothing before', async () => {
    const clock = virtualClock(Date.now())
    const running = await startSentry({ clock, ...skew })
    const { logger, folder } = running
    const file = (name: string): string => join(folder, name)
    const anchors = await running.anchors()
    const { signCertificate } = await caller({ ...running, anchors: () => Promise.resolve(anchors) })
    const issuer = async (): Promise<string> => {
      const { workloadCertificate } = await signCertificate(goodRequest())
      return new X509Certificate(workloadCertificate).issuer
    }
    const first = await issuer()
    const next = await make(clock)

    await writeFile(file('issuer.crt'), next.issuerChain)
    const complaints = (): string[] => logger.messages('error')
    await passUntil(clock, () => complaints().length === 1, 'a complaint', 1_000)
    expect(complaints()[0]).toMatch(/cannot be used; what was loaded stays: .*issuer\.key is not that of/)
    expect(await issuer()).toBe(first)

    await writeFile(file('issuer.key'), next.issuerKey)
    await passUntil(clock, () => complaints().length === 2, 'another', 1_000)
    expect(complaints()[1]).toMatch(/issued by none of the roots/)
    expect(await issuer()).toBe(first)

    for (const name of ['ca.crt', 'issuer.crt', 'issuer.key']) await rm(file(name))
    await passUntil(clock, () => complaints().length === 3, 'a third', 1_000)
    expect(complaints()[2]).toMatch(/the authority lacks/)
    expect(await issuer()).toBe(first)

    await writeFile(file('ca.crt'), next.trustAnchors)
    await writeFile(file('issuer.crt'), next.issuerChain)
    await writeFile(file('issuer.key'), next.issuerKey)
    await passUntil(
      clock,
      () => logger.messages('info').some((line) => line.includes('have changed')),
      'the new ones',
      1_000,
    )
    expect(await issuer()).toBe(issuerIn(next))
    expect(JSON.stringify(logger.records)).not.toContain('PRIVATE')
  })

  it('are refused at the start when the issuer has expired', async () => {
    const clock = virtualClock(Date.now())
    const { folder } = await startSentry({ clock })
    const later = virtualClock(Date.now() + 366 * 24 * hour)
    await expect(startSentry({ folder, clock: later })).rejects.toThrow(/expired at .*renew-certificate/)
  })
})
