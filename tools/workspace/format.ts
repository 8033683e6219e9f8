// npm run format: formats every file, or the given ones.
import { exitAs, node, run } from './src/run.ts'

exitAs(await run(node, ['node_modules/oxfmt/bin/oxfmt', ...process.argv.slice(2)]))
