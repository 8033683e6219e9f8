/**
 * A function that collects what is young and dead, in less than a millisecond: among it the buffers of data that
 * was read and passed on. Changes a flag of the process, so it is for executables only.
 */
export function youngCollector(): () => void {
  let collect: ((options: { type: 'minor' }) => void) | undefined
  return () => {
    if (collect === undefined) {
      // Most processes never stream, and these modules take memory.
      process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc')
      // Contexts that are made from now on have it; the one that is here has not.
      collect = process.getBuiltinModule('node:vm').runInNewContext('gc') as typeof collect
    }
    collect!({ type: 'minor' })
  }
}
