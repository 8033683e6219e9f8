import { readdirSync, readFileSync } from 'node:fs'

export interface Process {
  readonly pid: number
  readonly command: string
  /** One letter as in /proc: `Z` is a zombie. */
  readonly state: string
}

/** The processes of this machine that have `text` in their environment. */
export function processesWith(text: string): Process[] {
  return readdirSync('/proc').flatMap((name): Process[] => {
    if (!/^\d+$/.test(name)) return []
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(text)) return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      return [{ pid: Number(name), command, state: stat.slice(stat.lastIndexOf(')') + 2)[0]! }]
    } catch {
      // It ended while we looked, or is not ours.
      return []
    }
  })
}
