import type { Env } from './options.ts'

/**
 * Replaces `$NAME` and `${NAME}` as Dapr does in files of `--config`, before they are parsed. What is not set becomes
 * empty and is reported with its line; a dollar before anything else stays.
 */
export function expandEnv(text: string, env: Env, missing: (name: string, line: number) => void): string {
  return text.replace(
    /\$(?:\{([^{}\n]*)\}|([A-Za-z_]\w*))/g,
    (match, braced: string | undefined, plain, at: number) => {
      const name: string = braced ?? plain
      // Go drops an expression that it cannot read.
      if (!/^\w+$/.test(name)) return ''
      const value = env[name]
      if (value === undefined) missing(name, text.slice(0, at).split('\n').length)
      return value ?? ''
    },
  )
}
