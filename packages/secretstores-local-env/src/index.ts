import { fields, string, throwIfAborted } from '@outrigger/kit'
import { ComponentError, defineSecretStore, type ComponentContext, type SecretStore } from '@outrigger/spec'
import { readable, secretNames, type Environment } from './environment.ts'

const metadata = fields({
  prefix: string({
    description:
      'Only variables whose names begin with this are read, and secrets are named without it. Upper and lower case differ, except on Windows.',
    example: 'MYAPP_',
  }),
})

// Read anew with each call, as the variables of a process can change.
async function create(
  context: ComponentContext<{ readonly prefix: string | undefined }>,
): Promise<SecretStore> {
  const environment: Environment = { variables: process.env, ignoreCase: process.platform === 'win32' }
  const prefix = context.metadata.prefix ?? ''
  let closed = false

  function check(signal: AbortSignal | undefined): void {
    if (closed) throw new ComponentError('CLOSED', 'the secret store was closed')
    throwIfAborted(signal)
  }

  return {
    capabilities: new Set(),
    async get({ name }, { signal }) {
      check(signal)
      const variable = prefix + name
      if (!readable(variable)) {
        context.logger.warn('this environment variable is never given out as a secret', { variable })
        return undefined
      }
      // Own properties only: the object inherits from Object.prototype.
      if (!Object.hasOwn(environment.variables, variable)) return undefined
      return Object.fromEntries([[name, environment.variables[variable]!]])
    },
    async bulkGet(_metadata, { signal }) {
      check(signal)
      const secrets = Array.from(secretNames(environment, prefix), ([name, variable]) => {
        return [name, Object.fromEntries([[name, environment.variables[variable] ?? '']])] as const
      })
      return Object.fromEntries(secrets)
    },
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}

export default defineSecretStore({
  type: 'secretstores.local.env',
  title: 'Environment variables',
  description: 'Secrets in the environment variables of the process, for development.',
  versions: { v1: { metadata, capabilities: [], create } },
})
