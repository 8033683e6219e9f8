import { expect, test } from 'vitest'
import { entryFields, incomingMessage, streamEntries } from './message.ts'

const buffers = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text))

test('what is written is read again', () => {
  const fields = entryFields({
    topic: 't',
    data: Buffer.from([0, 255]),
    metadata: { a: 'ü' },
    contentType: 'text/plain',
  })
  const read = incomingMessage(
    't',
    fields.map((field) => Buffer.from(field as string)),
    2,
    () => {
      throw new Error('unreadable')
    },
  )
  expect(read).toEqual({
    topic: 't',
    data: Buffer.from([0, 255]),
    metadata: { a: 'ü' },
    contentType: 'text/plain',
    deliveryCount: 2,
  })
})

test.each(['{', '[]', '1'])('metadata %s is told of and left out', (text) => {
  let warned = 0
  const { metadata, data } = incomingMessage('t', buffers('data', 'x', 'metadata', text), 1, () => warned++)
  expect([metadata, data.toString(), warned]).toEqual([{}, 'x', 1])
})

test('an entry of another writer may lack everything', () => {
  expect(incomingMessage('t', buffers('other', 'x'), 1, () => undefined)).toMatchObject({
    metadata: {},
    data: new Uint8Array(),
  })
})

test('entries that are gone have no fields, and nothing is no entry', () => {
  expect(streamEntries(null)).toEqual([])
  expect(streamEntries([null, [Buffer.from('1-0'), null]])).toEqual([{ id: '1-0', fields: undefined }])
})
