/** Whether a text means yes, as Dapr reads it. */
export function isTruthy(text: string | undefined): boolean {
  return text !== undefined && /^(?:y|yes|true|t|on|1)$/i.test(text.trim())
}
