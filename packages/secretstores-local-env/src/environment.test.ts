import { describe, expect, test } from 'vitest'
import { readable, secretNames } from './environment.ts'

const variables = {
  APP_KEY: '1',
  APP_: '2',
  app_key: '3',
  OTHER: '4',
  DAPR_API_TOKEN: '5',
  dapr_x: '6',
  App_Api_Token: '7',
}
const names = (prefix: string, ignoreCase = false): unknown => [
  ...secretNames({ variables, ignoreCase }, prefix),
]

describe('readable', () => {
  test.each(['APP_API_TOKEN', 'app_api_token', 'DAPR_API_TOKEN', 'Dapr_Anything', 'DAPR_'])(
    'refuses %s',
    (name) => {
      expect(readable(name)).toBe(false)
    },
  )
  test.each(['APP_API_TOKENS', 'DAPR', 'MY_DAPR_KEY', 'HOME'])('allows %s', (name) => {
    expect(readable(name)).toBe(true)
  })
})

describe('secretNames', () => {
  test('lists all but the refused ones', () => {
    expect(names('')).toEqual(['APP_KEY', 'APP_', 'app_key', 'OTHER'].map((name) => [name, name]))
  })
  test('takes the prefix off, and leaves out what is nothing but the prefix', () => {
    expect(names('APP_')).toEqual([['KEY', 'APP_KEY']])
  })
  test('does not tell upper from lower case where the system does not', () => {
    expect(names('App_', true)).toEqual([
      ['KEY', 'APP_KEY'],
      ['key', 'app_key'],
    ])
  })
  test('a prefix does not open what is refused', () => {
    expect(names('DAPR_')).toEqual([])
    expect(names('D', true)).toEqual([])
  })
})
