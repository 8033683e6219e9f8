// Loaded into a child with --import: writes the URL of every module that is resolved from here on, ES modules and
// CommonJS, to the file that RECORD_MODULES names, one a line.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    appendFileSync(process.env['RECORD_MODULES'], `${resolved.url}\n`)
    return resolved
  },
})
