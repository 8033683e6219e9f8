import { writeFileSync } from 'node:fs'
import module from 'node:module'
import { requireNode } from '@outrigger/host/guard'

/** Bytes of bytecode up to which V8 optimizes a function, unless told otherwise. */
const optimizable = 60 * 1024

// The rest is imported only when this Node.js can read it.
if (requireNode('22.18.0', 'daprd')) {
  nameProcess()
  // What was compiled once need not be compiled at the next start.
  module.enableCompileCache()
  // What runs once is not worth optimizing, see docs/decisions/0010.
  optimize(0)
  void import('./main.ts').then(async ({ main }) => {
    await main(process.argv.slice(2))
    optimize(optimizable)
  })
}

/** Callers look for a process `daprd`. Unlike `process.title` this leaves the command line as it is. */
function nameProcess(): void {
  if (process.platform !== 'linux') return
  try {
    writeFileSync('/proc/self/comm', 'daprd')
  } catch {
    // Where /proc cannot be written it has the name that Node.js gives.
  }
}

function optimize(bytes: number): void {
  process.getBuiltinModule('node:v8').setFlagsFromString(`--max-optimized-bytecode-size=${bytes}`)
}
