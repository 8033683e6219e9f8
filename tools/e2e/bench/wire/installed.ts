import { spawnSync } from 'node:child_process'

/** Whether a program is there; `argument` has it say its version and end. */
export function installed(program: string, argument: string): boolean {
  return spawnSync(program, [argument], { stdio: 'ignore' }).status === 0
}
