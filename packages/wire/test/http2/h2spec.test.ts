import { spawn } from 'node:child_process'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findProgram, mustRun, selfSigned, serve } from './setup.ts'
import type { Pair } from './setup.ts'

const hint = 'go install github.com/summerwind/h2spec/cmd/h2spec@latest'
const h2spec = findProgram('h2spec', hint, [join(homedir(), 'go', 'bin')])
const missing = typeof h2spec === 'string' ? ` [skipped: ${h2spec}]` : ''
const pair = selfSigned()

async function run(section: string, tls: Pair | undefined): Promise<string> {
  const { port } = await serve(
    async (request, response) => response.send(200, [], `${(await request.body.bytes()).length} bytes`),
    {},
    tls,
  )
  const args = [section, '-h', '127.0.0.1', '-p', String(port), ...(tls === undefined ? [] : ['-t', '-k'])]
  const child = spawn((h2spec as { path: string }).path, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await new Promise((resolve) => child.on('close', resolve))
  return output
}

describe.skipIf(typeof h2spec === 'string' && !mustRun)(`h2spec${missing}`, () => {
  it('is there', () => expect(h2spec).toHaveProperty('path'))

  const sections = ['generic', 'http2', 'hpack']
  const cases = sections.flatMap((section) => ['h2c', 'TLS'].map((over): [string, string] => [section, over]))

  it.each(cases)('passes in full: %s over %s', async (section, over) => {
    if (over === 'TLS' && pair === undefined) {
      if (mustRun) throw new Error('openssl is not installed')
      return
    }
    const output = await run(section, over === 'TLS' ? pair : undefined)
    const totals = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(output)
    console.log(`h2spec ${section} over ${over}: ${totals?.[0] ?? output}`)
    expect(totals, output).not.toBeNull()
    expect(totals!.slice(2), output).toEqual([totals![1], '0', '0'])
  })
})
