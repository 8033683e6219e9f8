import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempFolder } from '@outrigger/testkit'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { readSentryToken } from '../src/token.ts'

describe('the token for sentry', () => {
  let folder: string
  beforeEach(async () => {
    const temp = await tempFolder()
    onTestFinished(temp.remove)
    folder = temp.path
  })
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }

  it('is none where nobody asks for one', async () => {
    expect(await readSentryToken({})).toEqual({ token: '', validator: 'default' })
  })

  it('comes from the file that the environment names, each time anew', async () => {
    const tokenFile = await file('token', 'first\n')
    expect(await readSentryToken({ tokenFile })).toEqual({ token: 'first', validator: 'jwks' })
    await file('token', 'second')
    expect(await readSentryToken({ tokenFile })).toEqual({ token: 'second', validator: 'jwks' })
    expect(await readSentryToken({ tokenFile, kubernetes: true })).toEqual({
      token: 'second',
      validator: 'kubernetes',
    })
  })

  it('comes from Kubernetes, where it is looked for in the first place that has one', async () => {
    const kubernetesFiles = [join(folder, 'none'), await file('legacy', 'of the pod')]
    expect(await readSentryToken({ kubernetes: true, kubernetesFiles })).toEqual({
      token: 'of the pod',
      validator: 'kubernetes',
    })
    expect(await readSentryToken({ kubernetesFiles })).toEqual({ token: '', validator: 'default' })
  })

  it('is asked for by name when it is missing', async () => {
    await expect(readSentryToken({ tokenFile: '' })).rejects.toThrow(
      /DAPR_SENTRY_TOKEN_FILE is set and empty/,
    )
    await expect(readSentryToken({ tokenFile: join(folder, 'none') })).rejects.toThrow(
      /DAPR_SENTRY_TOKEN_FILE.*none/,
    )
    await expect(readSentryToken({ tokenFile: await file('empty', ' \n') })).rejects.toThrow(/has no token/)
  })

  it('is not shown when it cannot be', async () => {
    const tokenFile = await file('long', 'secret'.repeat(20_000))
    await expect(readSentryToken({ tokenFile })).rejects.toThrow(/^(?!.*secret)/)
  })
})
