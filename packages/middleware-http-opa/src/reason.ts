import { STATUS_CODES } from 'node:http'

/** What a status is called; empty when it has no name. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? ''
}
