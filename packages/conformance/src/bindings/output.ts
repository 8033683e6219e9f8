import { utf8 } from '@outrigger/kit'
import { expect } from 'vitest'
import { aborted, expectBytes, expectCode, plain } from '../checks.ts'
import {
  inChunks,
  stepsOf,
  whole,
  type BindingCase,
  type BindingFixture,
  type BindingStep,
} from './options.ts'

const bytesOf = (data: string | Uint8Array): Uint8Array => (typeof data === 'string' ? utf8(data) : data)

async function take({ instance }: BindingFixture, step: BindingStep, asStream: boolean): Promise<void> {
  const data = bytesOf(step.data ?? '')
  const request = {
    operation: step.operation,
    data: asStream ? inChunks(data) : data,
    contentType: step.contentType,
    metadata: step.metadata ?? {},
  }
  if (step.expectError !== undefined) return expectCode(instance.invoke!(request, plain), step.expectError)
  const response = await instance.invoke!(request, plain)
  const received = await whole(response.data)
  if (step.expectData !== undefined) expectBytes(received, bytesOf(step.expectData))
  if (step.expectMetadata !== undefined) expect(response.metadata).toMatchObject(step.expectMetadata)
  await step.check?.(response, received)
}

async function takeAll(fixture: BindingFixture, asStream: boolean): Promise<void> {
  for (const [index, step] of stepsOf(fixture, fixture.unique('round')).entries()) {
    try {
      await take(fixture, step, asStream)
    } catch (cause) {
      const what = `step ${index + 1} (${step.title ?? step.operation}): ${(cause as Error).message}`
      throw new Error(what, { cause })
    }
  }
}

export const outputCases: readonly BindingCase[] = [
  {
    name: 'operations are listed exactly where there is an output',
    run: ({ instance }) => {
      expect((instance.operations ?? []).length > 0).toBe(instance.capabilities.has('output'))
      expect(new Set(instance.operations).size).toBe(instance.operations?.length ?? 0)
      return Promise.resolve()
    },
  },
  {
    name: 'every operation that is listed has an example in the options of this suite, and works',
    needs: ['output'],
    run: async (fixture) => {
      const steps = stepsOf(fixture, fixture.unique('round'))
      const worked = steps
        .filter(({ expectError }) => expectError === undefined)
        .map(({ operation }) => operation)
      expect([...new Set(worked)].toSorted()).toEqual([...(fixture.instance.operations ?? [])].toSorted())
      await takeAll(fixture, false)
    },
  },
  {
    name: 'data may come as a stream',
    needs: ['streaming', 'output'],
    run: (fixture) => takeAll(fixture, true),
  },
  {
    name: 'an operation that is not listed is refused',
    needs: ['output'],
    run: ({ instance }) =>
      expectCode(
        instance.invoke!({ operation: 'no-such-operation', data: new Uint8Array(), metadata: {} }, plain),
        'UNSUPPORTED',
        'INVALID_ARGUMENT',
      ),
  },
  {
    name: 'a signal that was aborted cancels an operation',
    needs: ['output'],
    run: async (fixture) => {
      const step = stepsOf(fixture, fixture.unique('round'))[0]
      const operation = step?.operation ?? fixture.instance.operations![0]!
      const request = { operation, data: bytesOf(step?.data ?? ''), metadata: step?.metadata ?? {} }
      await expectCode(fixture.instance.invoke!(request, aborted()), 'CANCELLED')
    },
  },
  {
    name: 'after close an operation is refused as CLOSED',
    needs: ['output'],
    run: async (fixture) => {
      const step = stepsOf(fixture, fixture.unique('round'))[0]
      const operation = step?.operation ?? fixture.instance.operations![0]!
      const instance = await fixture.create()
      await instance.close()
      const request = { operation, data: bytesOf(step?.data ?? ''), metadata: step?.metadata ?? {} }
      await expectCode(instance.invoke!(request, plain), 'CLOSED')
    },
  },
]
