import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stateStoreConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'outrigger-state-sqlite-'))

stateStoreConformance(definition, {
  properties: () => ({ connectionString: join(folder, 'state.db') }),
  teardown: () => rmSync(folder, { recursive: true, force: true }),
})
