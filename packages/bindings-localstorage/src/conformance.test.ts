import { join } from 'node:path'
import { bindingConformance } from '@outrigger/conformance'
import { fromUtf8, utf8 } from '@outrigger/kit'
import { tempFolder, type TempFolder } from '@outrigger/testkit'
import { expect } from 'vitest'
import definition from './index.ts'

let folder: TempFolder
// Begins with a byte that is no Base64, so that it is stored as it is.
const large = utf8(`#${'0123456789'.repeat(30_000)}`)

bindingConformance(definition, {
  properties: async () => {
    folder = await tempFolder()
    return { rootPath: join(folder.path, 'files') }
  },
  operations: (round) => [
    {
      operation: 'create',
      data: 'some text',
      metadata: { fileName: `${round}/a.txt` },
      expectData: `{"fileName":"${round}/a.txt"}`,
    },
    { operation: 'get', metadata: { fileName: `${round}/a.txt` }, expectData: 'some text' },
    { operation: 'create', title: 'replace', data: large, metadata: { fileName: `${round}/a.txt` } },
    {
      operation: 'get',
      title: 'get a large file',
      metadata: { fileName: `${round}/a.txt` },
      expectData: large,
    },
    {
      operation: 'list',
      metadata: { fileName: round },
      check: (_response, data) => {
        expect(JSON.parse(fromUtf8(data))).toEqual([expect.stringMatching(/\/a\.txt$/)])
      },
    },
    { operation: 'delete', metadata: { fileName: `${round}/a.txt` }, expectData: '' },
    {
      operation: 'get',
      title: 'get what is deleted',
      metadata: { fileName: `${round}/a.txt` },
      expectError: 'NOT_FOUND',
    },
  ],
  teardown: () => folder.remove(),
})
