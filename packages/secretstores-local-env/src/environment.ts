/** The variables of a process. */
export interface Environment {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Windows does not tell upper from lower case in names. */
  readonly ignoreCase: boolean
}

/** Whether a variable may be given out: the tokens and settings of the runtime itself may not, however they are written. */
export function readable(variable: string): boolean {
  const name = variable.toUpperCase()
  return name !== 'APP_API_TOKEN' && !name.startsWith('DAPR_')
}

/** The names of all secrets, without the prefix, and the variable of each. */
export function* secretNames(
  { variables, ignoreCase }: Environment,
  prefix: string,
): Iterable<readonly [string, string]> {
  const fold = (text: string): string => (ignoreCase ? text.toUpperCase() : text)
  for (const variable of Object.keys(variables)) {
    const name = variable.slice(prefix.length)
    if (name !== '' && fold(variable).startsWith(fold(prefix)) && readable(variable)) yield [name, variable]
  }
}
