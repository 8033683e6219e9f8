import { readFileSync, writeFileSync } from 'node:fs'

/** The memory of a process, in MiB. */
export function residentMiB(pid: number): number {
  return statusMiB(pid, 'VmRSS')
}

/** The most since its start or the last `forgetPeak`. */
export function peakMiB(pid: number): number {
  return statusMiB(pid, 'VmHWM')
}

export function forgetPeak(pid: number): void {
  // proc(5), clear_refs: 5 resets the peak.
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function statusMiB(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024
}
