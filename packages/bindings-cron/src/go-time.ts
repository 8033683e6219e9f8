/** A time as Go prints it, which is what applications written for Dapr find: `2026-01-31 09:30:00.25 +0000 UTC`. */
export function goTime(ms: number): string {
  const iso = new Date(ms).toISOString()
  const fraction = iso.slice(19, 23).replace(/\.?0+$/, '')
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction} +0000 UTC`
}
