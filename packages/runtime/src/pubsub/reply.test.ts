import { Fields } from '@outrigger/wire'
import { expect, test } from 'vitest'
import { bodyOf } from '../../test/support/fake-exchange.ts'
import { readBulkReply, readReply } from './reply.ts'

const answer = (text: string, status = 200) =>
  ({ status, fields: Fields.from([]), body: bodyOf(text) }) as unknown as Parameters<typeof readReply>[0]

test.each([
  ['', 'success'],
  ['{}', 'success'],
  ['[]', 'success'],
  ['no JSON', 'success'],
  ['{"status":""}', 'success'],
  ['{"status":7}', 'success'],
  ['{"status":"SUCCESS"}', 'success'],
  ['{"status":"RETRY"}', 'retry'],
  ['{"Status":"RETRY","more":1}', 'retry'],
  ['{"STATUS":"DROP"}', 'drop'],
  ['{"status":"RETRY","STATUS":"SUCCESS"}', 'success'],
  ['{"STATUS":"SUCCESS","status":"RETRY"}', 'retry'],
  ['{"status":"drop"}', 'retry'],
])('%s means %s', async (text, kind) => {
  expect((await readReply(answer(text), 1000)).kind).toBe(kind)
})

test('members of an answer to several messages may be written in upper or lower case', async () => {
  const text =
    '{"Statuses":[{"EntryId":"1","STATUS":"DROP"},{"entryID":"2","Status":"SUCCESS"},{"entryId":"3"},7]}'
  const outcomes = (await readBulkReply(answer(text), 1000)) as ReadonlyMap<string, { readonly kind: string }>
  expect([...outcomes].map(([id, { kind }]) => [id, kind])).toEqual([
    ['1', 'drop'],
    ['2', 'success'],
    ['3', 'retry'],
  ])
})
