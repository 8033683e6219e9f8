/** Bytes beyond ASCII are escaped: clients that are used by hand send paths as they were typed. One character is one byte. */
export function escapeTarget(target: string): string {
  return target.replace(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`)
}
