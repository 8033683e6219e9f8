import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nameResolutionConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'outrigger-nameresolution-sqlite-'))

nameResolutionConformance(definition, {
  properties: () => ({ connectionString: join(folder, 'nr.db') }),
  teardown: () => rmSync(folder, { recursive: true, force: true }),
})
