import type { StateCapability, StateStore, StateStoreDefinition } from '@outrigger/spec'
import { commonCases } from '../common.ts'
import { registerSuite, type Suite } from '../suite.ts'
import { bulkCases } from './bulk.ts'
import { etagCases } from './etags.ts'
import { keyCases } from './keys.ts'
import { lifecycleCases } from './lifecycle.ts'
import type { StateSuiteOptions } from './options.ts'
import { queryCases } from './query.ts'
import { transactionCases } from './transactions.ts'
import { ttlCases } from './ttl.ts'
import { valueCases } from './values.ts'

export const stateSuite: Suite<StateCapability, StateStore, StateSuiteOptions> = {
  kind: 'state store',
  cases: [
    ...commonCases<StateCapability, StateStore, StateSuiteOptions>({
      contract: 'state/1',
      typePrefix: 'state',
      capabilities: [
        'etag',
        'transactional',
        'ttl',
        'query',
        'keysLike',
        'deleteWithPrefix',
        'actor',
        'partitionKey',
      ],
      methods: {
        transactional: ['transact'],
        query: ['query'],
        keysLike: ['keysLike'],
        deleteWithPrefix: ['deleteWithPrefix'],
      },
    }),
    ...valueCases,
    ...etagCases,
    ...bulkCases,
    ...transactionCases,
    ...ttlCases,
    ...keyCases,
    ...queryCases,
    ...lifecycleCases,
  ],
}

/** Registers the tests that a state store must pass. */
export function stateStoreConformance(definition: StateStoreDefinition, options: StateSuiteOptions): void {
  registerSuite(stateSuite, definition, options)
}
