const sent = 'com.dapr.event.sent'
const json = 'application/json'
const binary = 'application/octet-stream'

/** What the program publishes: type, content type and data of each event, or the mark of what came without an envelope. */
export const events: readonly (readonly unknown[])[] = [
  [sent, json, { mark: 'struct' }],
  [sent, 'text/plain', 'text'],
  [sent, 'text/plain', 'bytes'],
  [sent, binary, 'AP8='],
  [sent, json, { mark: 'json' }],
  ['kind', undefined, { mark: 'event' }],
  ['special', json, { mark: 'metadata' }],
  [undefined, undefined, undefined, 'raw'],
  [sent, json, { mark: 'custom' }],
  [sent, json, { mark: 'bulk struct' }],
  [sent, 'text/plain', 'bulk text'],
  [sent, binary, '/g=='],
  ['entry', json, { mark: 'bulk entry' }],
  ['kind', undefined, { mark: 'bulk event' }],
  [sent, json, { mark: 'bulk content type' }],
  [undefined, undefined, undefined, 'bulk raw'],
  [sent, json, { mark: 'traced' }],
].map(([type, contentType, data, mark]) => [type, contentType, data, mark])
