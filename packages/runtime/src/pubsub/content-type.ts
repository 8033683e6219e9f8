/** Sorts of data, by content type: it decides how data stands in an envelope. */
export type DataKind = 'json' | 'binary' | 'text' | 'cloud-event'

/** The media type without parameters, lower-cased. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}

/**
 * JSON is embedded, binary is put in base64, everything else stands as a string. `application/x-protobuf` counts
 * as binary: its bytes would not survive as text.
 */
export function dataKind(contentType: string): DataKind {
  switch (mediaType(contentType)) {
    case 'application/json':
      return 'json'
    case 'application/cloudevents+json':
      return 'cloud-event'
    case 'application/octet-stream':
    case 'application/cloudevents+protobuf':
    case 'application/x-protobuf':
      return 'binary'
    default:
      return 'text'
  }
}

export const cloudEventType = 'application/cloudevents+json'
export const defaultDataType = 'text/plain'
