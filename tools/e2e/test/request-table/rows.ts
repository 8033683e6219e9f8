import { bindingRows } from './binding-rows.ts'
import { brokenRows } from './broken-rows.ts'
import { bulkPublishRows } from './bulk-publish-rows.ts'
import { configurationRows } from './configuration-rows.ts'
import { cryptoRows } from './crypto-rows.ts'
import { lockRows } from './lock-rows.ts'
import { metadataRows } from './metadata-rows.ts'
import type { Row } from './operations.ts'
import { ownRows } from './own-rows.ts'
import { publishRows } from './publish-rows.ts'
import { secretRows } from './secret-rows.ts'
import { storeRows } from './store-rows.ts'
import { subtleRows } from './subtle-rows.ts'

export { stateRows } from './state-rows.ts'

/** Everything that is asked once, of whichever store. */
export const rows: readonly Row[] = [
  ...storeRows,
  ...publishRows,
  ...bulkPublishRows,
  ...bindingRows,
  ...secretRows,
  ...configurationRows,
  ...lockRows,
  ...cryptoRows,
  ...subtleRows,
  ...metadataRows,
  ...brokenRows,
  ...ownRows,
]
