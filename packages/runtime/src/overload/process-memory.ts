import { totalmem } from 'node:os'
import type { Collectors } from '@outrigger/host'
import { onBulk, shedBodies } from '@outrigger/wire'
import type { ProcessMemory } from './guard.ts'

/** So much of what streams through may lie dead in memory. */
const bulkBytes = 8 * 1024 * 1024
/** How often to look at memory while much comes in. */
const lookBytes = 2 * 1024 * 1024

/** The memory of this process, for its owner. Frees what was streamed through from the start. */
export function processMemory({ young, everything }: Collectors): ProcessMemory {
  let looks = 0
  onBulk(bulkBytes, young)
  return {
    limitBytes: systemLimit(process.constrainedMemory(), totalmem()),
    use: () => process.memoryUsage(),
    heapLimitBytes: () => process.getBuiltinModule('node:v8').getHeapStatistics().heap_size_limit,
    collect: everything,
    onBulk: (look) =>
      onBulk(lookBytes, () => {
        if (++looks % (bulkBytes / lookBytes) === 0) young()
        look()
      }),
    shedBodies,
  }
}

/** What a control group allows; without one the system tells none, or a number beyond all memory. */
export function systemLimit(told: number, total: number): number | undefined {
  return told > 0 && told < total ? told : undefined
}
