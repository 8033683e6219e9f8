import type { Finding } from './workspace.ts'

/** One finding as `file:line: message; remedy`. */
export function findingText({ file, line, message, remedy }: Finding): string {
  return `${file}:${line ?? 1}: ${message}\n    remedy: ${remedy}`
}

export function printFindings(findings: readonly Finding[]): void {
  for (const finding of findings) process.stdout.write(`${findingText(finding)}\n`)
}
