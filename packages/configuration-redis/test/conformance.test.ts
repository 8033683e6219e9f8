import { configurationConformance } from '@outrigger/conformance'
import { describeWithService, say } from '@outrigger/services'
import definition from '../src/index.ts'

describeWithService('redis', 'configuration.redis', (get) => {
  // Quoted as the server's inline commands want it.
  const quoted = (text: string): string => JSON.stringify(text)
  configurationConformance(definition, {
    properties: () => ({ redisHost: `${get().host}:${get().port}` }),
    write: async (key, value) => void (await say(get(), `SET ${quoted(key)} ${quoted(value)}`)),
    remove: async (key) => void (await say(get(), `DEL ${quoted(key)}`)),
  })
})
