import type { Latencies } from '../wire/steady.ts'

/** Makes calls at a steady rate, whether or not answers come back in time, and waits for all. */
export async function steadyCalls(
  perSecond: number,
  seconds: number,
  call: (index: number) => Promise<unknown>,
): Promise<Latencies> {
  const total = perSecond * seconds
  const latencies = new Float64Array(total)
  const pending: Promise<void>[] = []
  const startedAt = performance.now()
  while (pending.length < total) {
    const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000))
    while (pending.length < due) {
      const index = pending.length
      const sentAt = performance.now()
      pending.push(
        call(index).then(() => {
          latencies[index] = performance.now() - sentAt
        }),
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
  return latencies.sort()
}
