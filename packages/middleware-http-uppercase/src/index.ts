import { fields, oneOf } from '@outrigger/kit'
import { defineHttpMiddleware } from '@outrigger/spec'
import { createUppercase } from './uppercase.ts'

export default defineHttpMiddleware({
  type: 'middleware.http.uppercase',
  title: 'Uppercase',
  description: 'Turns bodies into capital letters, to try pipelines out.',
  versions: {
    v1: {
      metadata: fields({
        direction: oneOf(['request', 'response', 'both'], {
          description: 'Whose body is changed.',
          default: 'request',
        }),
      }),
      capabilities: [],
      create: createUppercase,
    },
  },
})
