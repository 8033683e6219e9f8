type Collect = (options: { type: 'minor' } | { type: 'major'; flavor: 'last-resort' }) => void

/** Collects garbage at the moment that somebody says. */
export interface Collectors {
  /** What is young and dead: less than a millisecond. Among it are the buffers of data that was read and passed on. */
  readonly young: () => void
  /** Everything that is dead, and gives free pages back: some ten milliseconds, more with a large heap. */
  readonly everything: () => void
}

/** Changes a flag of the process when it is first used, so it is for executables only. */
export function collectors(): Collectors {
  let collect: Collect | undefined
  const prepared = (): Collect => {
    if (collect === undefined) {
      // Most processes never stream, and these modules take memory.
      process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
      // Contexts that are made from now on have it; the one that is here has not.
      collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as Collect
    }
    return collect
  }
  return {
    young: () => prepared()({ type: 'minor' }),
    everything: () => prepared()({ type: 'major', flavor: 'last-resort' }),
  }
}

/** A function that collects what is young and dead, see `Collectors`. */
export function youngCollector(): () => void {
  return collectors().young
}
