import { fields } from '@outrigger/kit'
import { defineLockStore } from '@outrigger/spec'
import { MemoryLockStore } from './store.ts'

/** `lock.in-memory`: locks in the memory of one runtime; they end with the process. */
export default defineLockStore({
  type: 'lock.in-memory',
  title: 'In-memory',
  description:
    'Locks among the callers of one runtime. For development and tests: other instances do not see them.',
  versions: {
    v1: {
      metadata: fields({}),
      capabilities: [],
      create: (context) => Promise.resolve(new MemoryLockStore(context.clock)),
    },
  },
})
