import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CliFailure } from '../failure.ts'
import { names, readFileOf } from './files.ts'

export interface ExportOptions {
  readonly folder: string
  readonly out: string
  readonly print: (line: string) => void
}

/** Copies the files of the authority, for their owner alone. */
export async function exportFiles({ folder, out, print }: ExportOptions): Promise<void> {
  if (resolve(out) === resolve(folder)) throw new CliFailure('--out is the folder that the files are in')
  const files = await Promise.all(
    Object.values(names).map(async (name) => [name, await readFileOf(folder, name)] as const),
  )
  try {
    await mkdir(out, { recursive: true, mode: 0o700 })
    for (const [name, text] of files) {
      await writeFile(join(out, name), text, { mode: 0o600, flag: 'wx' })
      print(`wrote ${join(out, name)}`)
    }
  } catch (cause) {
    throw new CliFailure(`the files cannot be written: ${(cause as Error).message}`, { cause })
  }
  print('issuer.key is a secret: whoever has it can be anybody.')
}
