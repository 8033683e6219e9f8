import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtProgram, type BuiltProgram } from '../../interop/built-program.ts'

/** An application with the official SDK as it is, in the newest and in a much older generation. */
export const programs: readonly (readonly [version: string, program: BuiltProgram])[] = [
  ['1.15.0', programOf('sdk-go-newer', [])],
  ['1.8.0', programOf('sdk-go-older', ['-modfile=older.mod', '-tags=older'])],
]

function programOf(name: string, flags: readonly string[]): BuiltProgram {
  return builtProgram({
    name,
    sources: fileURLToPath(new URL('app', import.meta.url)),
    tools: [['go', 'version']],
    build: (to) => ['go', 'build', '-trimpath', ...flags, '-o', join(to, 'app'), '.'],
    command: (built) => [join(built, 'app')],
  })
}
