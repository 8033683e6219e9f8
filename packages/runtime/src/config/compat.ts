/** What early versions of Dapr accepted and later ones do not, each by a name of its own. */
export const earlyForms = {
  'early-publish': 'POST /v1.0/publish/TOPIC publishes where there is just one pub/sub component',
  'early-subscriptions': 'a subscription without pubsubname is one of the only pub/sub component',
  'early-bindings': 'a binding is invoked with the operation create where none is named',
  'early-retries': 'retryPolicy in the options of state items is honoured',
} as const

export type EarlyForm = keyof typeof earlyForms

const names = Object.keys(earlyForms) as EarlyForm[]

/** Reads `--compat`: `dapr` for none of them, `early` for all, or names between commas. */
export function readCompat(text: string, errors: string[]): ReadonlySet<EarlyForm> {
  const forms = new Set<EarlyForm>()
  for (const word of text.split(',').map((part) => part.trim())) {
    if (word === '' || word === 'dapr') continue
    if (word === 'early') for (const name of names) forms.add(name)
    else if (Object.hasOwn(earlyForms, word)) forms.add(word as EarlyForm)
    else errors.push(`--compat=${word.slice(0, 50)} must be dapr, early, or of ${names.join(', ')}`)
  }
  return forms
}
