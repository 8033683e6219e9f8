// One state operation after the other in the process of the runtime: prints ns for each.
import { createRuntime } from '@outrigger/runtime'
import state from '@outrigger/state-in-memory'

const runtime = createRuntime({
  appId: 'bench',
  definitions: [state],
  resources: [
    {
      apiVersion: 'dapr.io/v1alpha1',
      kind: 'Component',
      metadata: { name: 'store' },
      spec: { type: 'state.in-memory', version: 'v1' },
    },
  ],
})
await runtime.start()
const { state: api } = runtime.api
const bytes = Buffer.from('{"number":7}')
const options = {}
const metadata = {}
await api.save('store', [{ key: 'key', value: { bytes, kind: 'json' } }], options)
const time = async (count: number): Promise<number> => {
  const startedAt = performance.now()
  for (let index = 0; index < count; index++) await api.get('store', 'key', undefined, metadata, options)
  return ((performance.now() - startedAt) * 1e6) / count
}
await time(100_000)
const rounds = [await time(100_000), await time(100_000), await time(100_000)].sort((a, b) => a - b)
process.stdout.write(String(rounds[1]))
await runtime.stop()
