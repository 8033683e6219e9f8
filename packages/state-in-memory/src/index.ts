import { fields } from '@outrigger/kit'
import { defineStateStore } from '@outrigger/spec'
import { MemoryStore } from './store.ts'

/** `state.in-memory`: a state store in the memory of one runtime; what it holds ends with the process. */
export default defineStateStore({
  type: 'state.in-memory',
  title: 'In-memory',
  description:
    'Keeps state in the memory of the runtime. For development and tests: it ends with the process.',
  versions: {
    v1: {
      metadata: fields({}),
      capabilities: ['etag', 'transactional', 'ttl', 'keysLike', 'deleteWithPrefix', 'actor'],
      create: (context) => Promise.resolve(new MemoryStore(context.clock)),
    },
  },
})
