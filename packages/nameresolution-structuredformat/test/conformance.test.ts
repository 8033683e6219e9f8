import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nameResolutionConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'outrigger-nameresolution-structuredformat-'))
const list = {
  appInstances: {
    orders: [
      { ipv4: '10.0.0.1', port: 1 },
      { ipv4: '10.0.0.1', port: 1 },
      { ipv6: '2001:db8::1', port: 2 },
      { domain: 'localhost', port: 3 },
    ],
    empty: [],
  },
}

nameResolutionConformance(definition, {
  properties: () => {
    writeFileSync(join(folder, 'instances.json'), JSON.stringify(list))
    return { structuredType: 'jsonFile', filePath: 'instances.json' }
  },
  baseDirectory: folder,
  known: {
    orders: [
      { host: '10.0.0.1', port: 1 },
      { host: '2001:db8::1', port: 2 },
      { host: '127.0.0.1', port: 3 },
    ],
    empty: [],
  },
  teardown: () => rmSync(folder, { recursive: true, force: true }),
})
