import { readFileSync, writeFileSync } from 'node:fs'

/** What a sidecar may take in addition while something large streams. */
export const mostExtraMiB = 64

/** What processes take in addition while something streams, in MiB, for each. */
export async function extraMemory(
  pids: readonly number[],
  call: () => Promise<void>,
  stream: () => Promise<void>,
): Promise<readonly number[]> {
  // What works but does not stream needs some memory, too.
  for (let index = 0; index < 200; index++) await call()
  const before = pids.map(residentMiB)
  for (const pid of pids) forgetPeak(pid)
  await stream()
  const extra = pids.map((pid, index) => peakMiB(pid) - before[index]!)
  console.log(
    `memory beyond that of small calls: ${extra.map((each) => `${each.toFixed(1)} MiB`).join(', ')}`,
  )
  return extra
}

/** The memory of a process, in MiB. */
function residentMiB(pid: number): number {
  return statusMiB(pid, 'VmRSS')
}

/** The most since its start or the last `forgetPeak`. */
export function peakMiB(pid: number): number {
  return statusMiB(pid, 'VmHWM')
}

function forgetPeak(pid: number): void {
  // proc(5), clear_refs: 5 resets the peak.
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusMiB(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024
}
