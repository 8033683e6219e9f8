// Writes messages into the file of pubsub.sqlite, so many that they are in the log already, and stays in the middle of the
// transaction for ever. Arguments: the file, the topic.
import { DatabaseSync } from 'node:sqlite'

const [path, topic] = process.argv.slice(2) as [string, string]
const database = new DatabaseSync(path)
// Changed pages leave the memory at once.
database.exec('PRAGMA cache_size = 1; BEGIN IMMEDIATE')
const insert = database.prepare(
  'INSERT INTO pubsub_messages (topic, data, metadata, published_at) VALUES (?, ?, ?, ?)',
)
const data = Buffer.from(
  JSON.stringify({
    specversion: '1.0',
    id: 'x',
    source: 's',
    type: 't',
    data: { id: 'never', pad: 'x'.repeat(8000) },
  }),
)
for (let count = 0; count < 50; count++) insert.run(topic, data, '{}', Date.now())
process.stdout.write('in the middle\n')
setInterval(() => {}, 1000)
