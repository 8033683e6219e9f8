// The reference: what the same work costs on node:http with nothing around it. `memory`, or `sqlite FILE`.
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'

const [, , port, kind, file] = process.argv
const store = kind === 'sqlite' ? sqlite(file!) : memory()

interface Store {
  get(key: string): Uint8Array | undefined
  set(key: string, value: string): void
}

function memory(): Store {
  const values = new Map<string, Uint8Array>()
  return {
    get: (key) => values.get(key),
    set: (key, value) => void values.set(key, new TextEncoder().encode(value)),
  }
}

/** The same settings and statements as state.sqlite has, without its grouping of commits. */
function sqlite(path: string): Store {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec(
    'CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL, etag TEXT NOT NULL)',
  )
  const select = database.prepare('SELECT value, etag FROM state WHERE key = ?')
  const upsert = database.prepare('INSERT OR REPLACE INTO state (key, value, etag) VALUES (?, ?, ?)')
  return {
    get(key) {
      const row = select.get(key) as { value: string } | undefined
      return row === undefined ? undefined : Buffer.from(row.value)
    },
    set: (key, value) => void upsert.run(key, value, crypto.randomUUID()),
  }
}

createServer((request, response) => {
  if (request.method === 'GET') {
    const value = store.get(request.url!.slice(request.url!.lastIndexOf('/') + 1))
    if (value === undefined) response.writeHead(204).end()
    else
      response
        .writeHead(200, { 'content-type': 'application/json', etag: '1', 'content-length': value.length })
        .end(value)
    return
  }
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => (body += chunk))
  request.on('end', () => {
    for (const item of JSON.parse(body) as { key: string; value: unknown }[])
      store.set(item.key, JSON.stringify(item.value))
    response.writeHead(204).end()
  })
}).listen(Number(port), '127.0.0.1')
