import module from 'node:module'
import { requireNode } from '@outrigger/host/guard'

// The rest is imported only when this Node.js can read it.
if (requireNode('22.18.0', 'sentry')) {
  module.enableCompileCache()
  void import('./main.ts').then(({ main }) => main(process.argv.slice(2)))
}
