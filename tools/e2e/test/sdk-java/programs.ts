import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtProgram, type BuiltProgram } from '../../interop/built-program.ts'

const newer = programOf('sdk-java-newer', 'client', 'Main')
const older = programOf('sdk-java-older', 'client', 'Main', ['-Dsdk=1.10.0', '-Dwithout=newer'])

/** An application with the official SDK as it is, in a new and in a much older generation, which still has HTTP. */
export const clients: readonly (readonly [
  version: string,
  protocol: 'GRPC' | 'HTTP',
  program: BuiltProgram,
])[] = [
  ['1.17.1', 'GRPC', newer],
  ['1.10.0', 'GRPC', older],
  ['1.10.0', 'HTTP', older],
]

/** An application of Spring Boot with the SDK's part for it. */
export const server = programOf('sdk-java-server', 'server', 'Server')

function programOf(name: string, folder: string, main: string, flags: readonly string[] = []): BuiltProgram {
  return builtProgram({
    name,
    sources: fileURLToPath(new URL(folder, import.meta.url)),
    tools: [
      ['mvn', '-version'],
      ['java', '-version'],
    ],
    build: (to) => ['mvn', '-q', '-B', `-Dout=${to}`, ...flags, 'compile', 'dependency:copy-dependencies'],
    command: (built) => [
      'java',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      `${join(built, 'classes')}:${join(built, 'lib/*')}`,
      `outrigger.sdk.${main}`,
    ],
  })
}
