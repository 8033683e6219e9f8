/** A process under measurement: does what it is told over IPC and answers each order once. */
export type Order = 'used' | 'connections' | 'open' | 'echo' | 'finish' | 'close'
export interface Command {
  readonly order: Order
  readonly count?: number
}
export type Answer = { readonly value: number } | { readonly error: string }

/** Bytes in use after several collections: what finalizers free is gone, too. Needs --expose-gc. */
async function used(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    globalThis.gc!()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

export function serveOrders(
  orders: Partial<Record<Order, (count: number) => number | void | Promise<number | void>>>,
): void {
  process.on('disconnect', () => process.exit())
  process.on('message', ({ order, count = 0 }: Command) => {
    const run = order === 'used' ? used : orders[order]
    Promise.resolve()
      .then(() => run!(count))
      .then(
        (value) => process.send!({ value: value ?? 0 } satisfies Answer),
        (error: unknown) =>
          process.send!({ error: error instanceof Error ? error.stack! : String(error) } satisfies Answer),
      )
  })
}
