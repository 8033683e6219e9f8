import { create, toBinary, type DescMessage, type Message } from '@bufbuild/protobuf'
import { expect, test } from 'vitest'
import { methodsOf, type Method } from './methods.ts'
import { Dapr } from './runtime.ts'

/** A small generator with a seed, so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A message with something in every field, two levels deep. */
function filled(schema: DescMessage, depth: number): Record<string, unknown> {
  const value = (field: DescMessage['fields'][number]): unknown => {
    if (field.message) return depth === 0 ? undefined : filled(field.message, depth - 1)
    if (field.enum) return 1
    if (field.scalar === undefined) return undefined
    return [undefined, 1.5, 1.5, -1n, 1n, -1, 1n, 1, true, 'text', 0, 0, Uint8Array.of(1, 2, 3), 1][
      field.scalar
    ]
  }
  return Object.fromEntries(
    schema.fields
      .filter(({ oneof, proto }) => !oneof || proto.proto3Optional)
      .map((field) => {
        const one = value(field)
        if (one === undefined) return [field.localName, undefined]
        if (field.fieldKind === 'list') return [field.localName, [one, one]]
        if (field.fieldKind === 'map') return [field.localName, { key: one }]
        return [field.localName, one]
      }),
  )
}

const methods: readonly Method[] = Object.values(methodsOf(Dapr) as object)

test.each(methods.map((method) => [method.path, method] as const))(
  '%s: damaged bytes are decoded or refused, and nothing else',
  (path, { input }) => {
    const schema = Dapr.methods.find(({ name }) => path.endsWith(`/${name}`))!.input
    const whole = toBinary(schema, create(schema, filled(schema, 2)))
    expect(input.decode(whole)).toBeDefined()
    const random = randomOf(whole.length)
    for (let round = 0; round < 200; round++) {
      const bytes = Uint8Array.from(whole).subarray(0, whole.length - random(3))
      for (let changes = random(4); bytes.length > 0 && changes >= 0; changes--)
        bytes[random(bytes.length)] = random(256)
      let message: Message
      try {
        message = input.decode(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        continue
      }
      // What was read can be written and read again.
      const again = input.decode(input.encode(message))
      expect(input.encode(again)).toEqual(input.encode(message))
    }
  },
)
