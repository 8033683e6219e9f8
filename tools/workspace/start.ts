// npm start: builds what is stale and runs the example that shows the main job.
import { buildAll } from './src/build.ts'
import { node, run, exitAs } from './src/run.ts'

const built = await buildAll({ quiet: true })
exitAs(built.code === 0 ? await run(node, ['examples/hello/start.ts', ...process.argv.slice(2)]) : built)
