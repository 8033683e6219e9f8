import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '@outrigger/testkit'
import { onTestFinished } from 'vitest'
import { Child, processesWith, type Process } from '../../src/index.ts'

const bin = fileURLToPath(import.meta.resolve('@outrigger/cli/package.json')).replace(
  'package.json',
  'src/bin.ts',
)

/** A folder of a user, with a home of its own. */
export interface Place {
  readonly folder: string
  readonly home: string
  /** Writes a program and returns its path. */
  write(name: string, text: string): Promise<string>
  outrigger(args: readonly string[], options?: { readonly cwd?: string }): Command
}

export interface Command {
  readonly child: Child
  /** All processes that this command started, directly or not, itself included. */
  processes(): readonly Process[]
  /** Waits for the end. */
  ended(): Promise<{ readonly code: number; readonly output: string }>
}

export async function place(): Promise<Place> {
  const { path: folder, remove } = await tempFolder('outrigger-cli-')
  onTestFinished(remove)
  const home = join(folder, 'home')
  return {
    folder,
    home,
    async write(name, text) {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    },
    outrigger(args, options = {}) {
      const mark = `E2E_MARK=${randomUUID()}`
      const [name, value] = mark.split('=') as [string, string]
      const child = new Child(bin, args, {
        cwd: options.cwd ?? folder,
        env: { OUTRIGGER_HOME: home, [name]: value, NO_COLOR: '1' },
      })
      const processes = (): readonly Process[] => processesWith(mark)
      onTestFinished(async () => {
        if (child.running) await child.end('SIGKILL')
        for (const { pid } of processes()) process.kill(pid, 'SIGKILL')
      })
      return { child, processes, ended: async () => ({ code: await child.ended(), output: child.output }) }
    },
  }
}
