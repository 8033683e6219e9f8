import { execFileSync } from 'node:child_process'
import { constants } from 'node:fs'
import {
  chmod,
  mkdir,
  open as openFile,
  readdir,
  readFile,
  realpath,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { createForTest } from '@outrigger/conformance'
import { fromUtf8, utf8 } from '@outrigger/kit'
import type { Binding, BindingData } from '@outrigger/spec'
import { tempFolder, waitFor, type TempFolder } from '@outrigger/testkit'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import definition from './index.ts'

let temporary: TempFolder
let folder: string
let root: string
let outside: string
beforeEach(async () => {
  temporary = await tempFolder()
  folder = await realpath(temporary.path)
  root = join(folder, 'root')
  outside = join(folder, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'secret.txt'), 'untouched')
})
afterEach(() => temporary.remove())

const open = (rootPath = 'root'): Promise<Binding> =>
  createForTest(definition, { properties: { rootPath }, baseDirectory: folder })

async function run(
  binding: Binding,
  operation: string,
  fileName?: string,
  data: BindingData = new Uint8Array(),
  signal?: AbortSignal,
): Promise<string> {
  const metadata = fileName === undefined ? {} : { fileName }
  const response = await binding.invoke!({ operation, data, metadata }, { signal })
  const parts: Uint8Array[] = []
  if (response.data instanceof Uint8Array) parts.push(response.data)
  else if (response.data !== undefined) for await (const part of response.data) parts.push(part)
  return fromUtf8(Buffer.concat(parts))
}

async function* stream(...parts: string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield utf8(part)
}

describe('files', () => {
  test('are created, read, listed and deleted', async () => {
    const binding = await open()
    expect(await run(binding, 'create', 'b/two.txt', utf8('"two"'))).toBe('{"fileName":"b/two.txt"}')
    expect(await run(binding, 'create', '/one.txt', utf8('"b25l"'))).toBe('{"fileName":"one.txt"}')
    expect(await run(binding, 'create', 'b/a/three', utf8('{"n":1.0}'))).toBe('{"fileName":"b/a/three"}')
    expect(await run(binding, 'get', 'b/two.txt')).toBe('two')
    expect(await run(binding, 'get', 'one.txt')).toBe('one')
    expect(await run(binding, 'get', './b/./a/three')).toBe('{"n":1.0}')
    const names = ['b/a/three', 'b/two.txt', 'one.txt'].map((name) => join(root, name))
    expect(JSON.parse(await run(binding, 'list'))).toEqual(names)
    expect(JSON.parse(await run(binding, 'list', 'b/a'))).toEqual(names.slice(0, 1))
    expect(await run(binding, 'delete', 'one.txt')).toBe('')
    expect(JSON.parse(await run(binding, 'list'))).toEqual(names.slice(0, 2))
    await run(binding, 'delete', 'b/a/three')
    await run(binding, 'delete', 'b/a')
    expect(await readdir(join(root, 'b'))).toEqual(['two.txt'])
  })

  test('get a UUID for a name when none is given', async () => {
    const binding = await open()
    const { fileName } = JSON.parse(await run(binding, 'create', undefined, utf8('x'))) as {
      fileName: string
    }
    expect(fileName).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await run(binding, 'get', fileName)).toBe('x')
  })

  test('an empty folder is an empty list', async () => {
    expect(await run(await open(), 'list')).toBe('[]')
  })

  test('streams are stored as they come, and large files are read in parts', async () => {
    const binding = await open()
    const part = 'SGVsbG8h'.repeat(20_000)
    await run(binding, 'create', 'large', stream(part, part))
    const { data } = await binding.invoke!(
      { operation: 'get', data: new Uint8Array(), metadata: { filename: 'large' } },
      {},
    )
    expect(data).not.toBeInstanceOf(Uint8Array)
    let count = 0
    let text = ''
    for await (const chunk of data as AsyncIterable<Uint8Array>) {
      count++
      text += fromUtf8(chunk)
    }
    expect(count).toBeGreaterThan(2)
    expect(text).toBe(part + part)
  })

  test('a write that fails in the middle leaves the former content and nothing else', async () => {
    const binding = await open()
    await run(binding, 'create', 'a', utf8('former'))
    async function* broken(): AsyncIterable<Uint8Array> {
      yield utf8('half')
      expect(JSON.parse(await run(binding, 'list'))).toEqual([join(root, 'a')])
      throw new Error('the caller went away')
    }
    await expect(run(binding, 'create', 'a', broken())).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(await run(binding, 'get', 'a')).toBe('former')
    const abort = new AbortController()
    async function* aborting(): AsyncIterable<Uint8Array> {
      yield utf8('half')
      abort.abort()
      yield utf8('rest')
    }
    await expect(run(binding, 'create', 'a', aborting(), abort.signal)).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(await run(binding, 'get', 'a')).toBe('former')
    expect(await readdir(root)).toEqual(['a'])
  })

  test('keep their mode when they are written again', async () => {
    const binding = await open()
    await run(binding, 'create', 'a', utf8('1'))
    await chmod(join(root, 'a'), 0o640)
    await run(binding, 'create', 'a', utf8('22'))
    expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o640)
    expect(await run(binding, 'get', 'a')).toBe('22')
  })

  test('written at the same time are whole', async () => {
    const binding = await open()
    const texts = Array.from({ length: 20 }, (_, index) => `${index}-`.repeat(10_000))
    await Promise.all(texts.map((text) => run(binding, 'create', 'same', stream(text))))
    expect(texts).toContain(await run(binding, 'get', 'same'))
    expect(await readdir(root)).toEqual(['same'])
  })
})

describe('names do not lead out of the folder', () => {
  test.each([
    '../outside/new.txt',
    '/../../outside/new.txt',
    'a/../../../outside/new.txt',
    '../../../../../../../../outside/new.txt',
  ])('%s stays inside', async (name) => {
    const binding = await open()
    expect(await run(binding, 'create', name, utf8('x'))).toBe('{"fileName":"outside/new.txt"}')
    expect(await run(binding, 'get', name)).toBe('x')
    expect(await readdir(outside)).toEqual(['secret.txt'])
  })

  test.each(['create', 'get', 'list', 'delete'])(
    '%s through a link to the outside is refused',
    async (operation) => {
      const binding = await open()
      await symlink(outside, join(root, 'link'))
      const name = operation === 'list' ? 'link' : 'link/secret.txt'
      await expect(run(binding, operation, name, utf8('x'))).rejects.toMatchObject({
        code: 'PERMISSION_DENIED',
      })
      expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('untouched')
    },
  )

  test('a link to a file outside is not read or written; deleting takes the link alone', async () => {
    const binding = await open()
    await symlink(join(outside, 'secret.txt'), join(root, 'link'))
    await expect(run(binding, 'get', 'link')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await expect(run(binding, 'create', 'link', utf8('x'))).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
    await run(binding, 'delete', 'link')
    expect(await readdir(root)).toEqual([])
    expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('untouched')
  })

  test('a link to what is not there yet makes nothing outside', async () => {
    const binding = await open()
    await symlink(join(outside, 'new'), join(root, 'link'))
    await expect(run(binding, 'create', 'link/file', utf8('x'))).rejects.toThrow()
    await expect(run(binding, 'get', 'link')).rejects.toThrow()
    await run(binding, 'create', 'link', utf8('x'))
    expect(await readdir(outside)).toEqual(['secret.txt'])
    expect(await readFile(join(root, 'link'), 'utf8')).toBe('x')
  })

  test('links inside work, and are listed and not followed', async () => {
    const binding = await open()
    await run(binding, 'create', 'real/file', utf8('1'))
    await symlink(join(root, 'real'), join(root, 'link'))
    expect(await run(binding, 'create', 'link/file', utf8('2'))).toBe('{"fileName":"real/file"}')
    expect(await run(binding, 'get', 'real/file')).toBe('2')
    expect(JSON.parse(await run(binding, 'list'))).toEqual([join(root, 'link'), join(root, 'real/file')])
  })
})

describe('what is refused', () => {
  test('by operation and name', async () => {
    const binding = await open()
    await run(binding, 'create', 'dir/file', utf8('x'))
    const cases: [string, string | undefined, string, string][] = [
      ['get', undefined, 'INVALID_ARGUMENT', 'fileName is missing'],
      ['delete', undefined, 'INVALID_ARGUMENT', 'fileName is missing'],
      ['get', 'absent', 'NOT_FOUND', 'fileName "absent": file not found'],
      ['delete', 'absent', 'NOT_FOUND', 'file not found'],
      ['list', 'absent', 'NOT_FOUND', 'file not found'],
      ['list', 'dir/file', 'FAILED_PRECONDITION', 'is a file and not a folder'],
      ['get', 'dir', 'INVALID_ARGUMENT', 'is not a file'],
      ['create', 'dir', 'INVALID_ARGUMENT', 'it is a folder'],
      ['create', 'dir/file/below', 'FAILED_PRECONDITION', 'is a file and not a folder'],
      ['delete', 'dir', 'FAILED_PRECONDITION', 'not empty'],
      ['create', '..', 'INVALID_ARGUMENT', 'folder of the binding'],
      ['delete', '/', 'INVALID_ARGUMENT', 'folder of the binding'],
      ['create', 'a\0b', 'INVALID_ARGUMENT', 'NUL'],
      ['create', 'n'.repeat(300), 'INVALID_ARGUMENT', 'too long'],
      ['rename', 'a', 'UNSUPPORTED', 'operation "rename" is not one of create, get, list, delete'],
    ]
    for (const [operation, name, code, message] of cases) {
      await expect(run(binding, operation, name, utf8('x')), `${operation} ${name}`).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message) as string,
      })
    }
    expect(await readdir(root)).toEqual(['dir'])
  })

  test('a pipe does not block', async () => {
    const binding = await open()
    const pipe = join(root, 'pipe')
    execFileSync('mkfifo', [pipe])
    let error: unknown
    run(binding, 'get', 'pipe').catch((caught: unknown) => {
      error = caught
    })
    try {
      await waitFor(() => error, { deadlineMs: 4000, what: 'the answer' })
    } finally {
      // Frees a reader that waits, which would keep the process from ending.
      await (await openFile(pipe, constants.O_RDWR | constants.O_NONBLOCK)).close()
    }
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
  })

  test('after close, or with an aborted signal', async () => {
    const binding = await open()
    await expect(run(binding, 'list', undefined, undefined, AbortSignal.abort())).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    await binding.close()
    await expect(run(binding, 'list')).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('folders of the system and files, also through links', async () => {
    const refused = (message: string): object => ({
      code: 'INVALID_METADATA',
      message: expect.stringContaining(message) as string,
    })
    await writeFile(join(folder, 'file'), '')
    await symlink('/proc', join(folder, 'link'))
    for (const path of [
      '/proc',
      '/proc/self',
      '/sys/x',
      '/boot/../boot',
      '/var/run/secrets/k',
      'link',
      'link/x',
    ]) {
      await expect(open(path), path).rejects.toMatchObject(
        refused(`rootPath "${path}" is a folder of the system`),
      )
    }
    await expect(open('file')).rejects.toMatchObject(refused('and not a folder'))
    await expect(open('file/deep')).rejects.toMatchObject(refused('and not a folder'))
    await expect(createForTest(definition, { properties: {} })).rejects.toThrow('rootPath is required')
    const everything = await open('/')
    await expect(run(everything, 'get', 'proc/self/environ')).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    })
  })

  test('a folder that only begins like one of the system is allowed, and made', async () => {
    const binding = await open(join(folder, 'a', 'proc'))
    await run(binding, 'create', 'x', utf8('y'))
    expect(await readFile(join(folder, 'a', 'proc', 'x'), 'utf8')).toBe('y')
  })
})
