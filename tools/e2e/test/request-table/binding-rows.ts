import type { Row } from './operations.ts'

/** Output bindings. */
export const bindingRows: readonly Row[] = [
  {
    name: 'bindings: a list of files',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'list',
      data: '',
      metadata: { fileName: 'absent-folder' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: a file outside of its folder',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: '../secrets.json' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: no operation',
    when: { op: 'invokeBinding', name: 'files', operation: '', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: what was written is read',
    given: [
      {
        op: 'invokeBinding',
        name: 'files',
        operation: 'create',
        data: 'hello',
        metadata: { fileName: 'row.txt' },
      },
    ],
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: 'row.txt' },
    },
    value: 'hello',
  },
  {
    name: 'bindings: no such binding',
    when: { op: 'invokeBinding', name: 'absent', operation: 'create', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: an operation that there is not',
    when: { op: 'invokeBinding', name: 'files', operation: 'dance', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: a file that is not there',
    when: {
      op: 'invokeBinding',
      name: 'files',
      operation: 'get',
      data: '',
      metadata: { fileName: 'absent.txt' },
    },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
  {
    name: 'bindings: no binding at all',
    at: 'empty',
    when: { op: 'invokeBinding', name: 'absent', operation: 'create', data: '' },
    fails: 'INVOKE_OUTPUT_BINDING',
  },
]
