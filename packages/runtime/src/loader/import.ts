import { pathToFileURL } from 'node:url'

/** The one door through which component packages come in. @returns the default export */
export async function importDefault(file: string): Promise<unknown> {
  const module = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { default?: unknown }
  return module.default
}
