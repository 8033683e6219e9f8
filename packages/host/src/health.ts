/** One thing that must be ready for the process to be. */
export interface HealthTarget {
  readonly name: string
  ready(): void
  /** @param reason shown to whoever asks why; never a secret */
  notReady(reason: string): void
  /** No longer counts. */
  remove(): void
}

export interface Health {
  /** Registers a target; it is not ready until it says so. Names are unique. */
  target(name: string, reason?: string): HealthTarget
  /** Whether every target is ready. Without any target: yes. */
  isReady(): boolean
  /** Names of the targets that are not ready, in the order of registration. */
  unready(): string[]
  /** Name and reason of each target that is not ready. */
  reasons(): { readonly name: string; readonly reason: string }[]
  /** Resolves when all are ready; rejects with the signal's reason. */
  whenReady(signal?: AbortSignal): Promise<void>
  /** Called whenever `isReady()` changes. @returns takes the listener away again */
  onChange(listener: (ready: boolean) => void): () => void
}

export function createHealth(): Health {
  return new TargetHealth()
}

class TargetHealth implements Health {
  /** Reason of not being ready, or `undefined`. */
  private readonly targets = new Map<string, string | undefined>()
  private readonly listeners = new Set<(ready: boolean) => void>()
  private last = true

  target(name: string, reason = 'starting'): HealthTarget {
    if (this.targets.has(name)) throw new Error(`the health target ${name} is registered already`)
    this.set(name, reason)
    const set = (value: string | undefined): void => {
      if (this.targets.has(name)) this.set(name, value)
    }
    return {
      name,
      ready: () => set(undefined),
      notReady: (why) => set(why),
      remove: () => {
        this.targets.delete(name)
        this.changed()
      },
    }
  }

  isReady(): boolean {
    for (const reason of this.targets.values()) if (reason !== undefined) return false
    return true
  }

  unready(): string[] {
    return this.reasons().map(({ name }) => name)
  }

  reasons(): { name: string; reason: string }[] {
    const found: { name: string; reason: string }[] = []
    for (const [name, reason] of this.targets) if (reason !== undefined) found.push({ name, reason })
    return found
  }

  whenReady(signal?: AbortSignal): Promise<void> {
    if (this.isReady()) return Promise.resolve()
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        off()
        reject(signal?.reason as Error)
      }
      const off = this.onChange((ready) => {
        if (!ready) return
        off()
        signal?.removeEventListener('abort', aborted)
        resolve()
      })
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }

  onChange(listener: (ready: boolean) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private set(name: string, reason: string | undefined): void {
    this.targets.set(name, reason)
    this.changed()
  }

  private changed(): void {
    const ready = this.isReady()
    if (ready === this.last) return
    this.last = ready
    for (const listener of [...this.listeners]) listener(ready)
  }
}
