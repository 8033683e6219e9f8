import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pubsubConformance } from '@outrigger/conformance'
import definition from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'outrigger-pubsub-sqlite-'))

pubsubConformance(definition, {
  properties: () => ({
    connectionString: join(folder, 'pubsub.db'),
    visibilityTimeout: '1500ms',
    redeliverInterval: '20ms',
  }),
  leaseMs: 1500,
  durable: true,
  topicEndings: ['a', 'A', 'a.b', 'a/b', 'ä', '%', '_', '*', "'", '"'],
  teardown: () => rmSync(folder, { recursive: true, force: true }),
})
