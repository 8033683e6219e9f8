// npm run bench: builds what is stale and runs the benchmarks.
import { buildAll } from './src/build.ts'
import { node, run, exitAs } from './src/run.ts'

const built = await buildAll({ quiet: true })
exitAs(built.code === 0 ? await run(node, ['tools/e2e/bench/main.ts', ...process.argv.slice(2)]) : built)
