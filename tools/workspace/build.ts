// npm run build: builds and type-checks what is stale.
import { buildAll } from './src/build.ts'
import { exitAs } from './src/run.ts'

exitAs(await buildAll({ quiet: false, args: process.argv.slice(2) }))
