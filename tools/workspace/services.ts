// npm run services: the Debian packages of the servers that the tests need; --apt installs the missing ones.
import { exitAs, node, run } from './src/run.ts'

exitAs(await run(node, ['tools/services/src/install.ts', ...process.argv.slice(2)]))
