/** A media type without its parameters, in lower case. */
export function mediaType(contentType: string): string {
  return contentType.split(';', 1)[0]!.trim().toLowerCase()
}

export function isJsonType(contentType: string): boolean {
  const type = mediaType(contentType)
  return type === 'application/json' || type.endsWith('+json')
}

export function isTextType(contentType: string): boolean {
  const type = mediaType(contentType)
  return type.startsWith('text/') || type === 'application/xml' || type.endsWith('+xml')
}
