// Every npm script comes here: installs what is missing, then runs tools/workspace/<name>.ts under the
// workspace's own Node.js. Plain JavaScript without dependencies, because it runs before there are any,
// under whatever Node.js the machine has.
import { spawn } from 'child_process'
import { createHash } from 'crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'fs'
import { delimiter, dirname, join } from 'path'
import { fileURLToPath } from 'url'

const pnpm = 'pnpm@12.21.0'
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const windows = process.platform === 'win32'

function fail(line) {
  process.stderr.write(line + '\n')
  process.exit(1)
}

function atLeast(major, minor) {
  const [a, b] = process.versions.node.split('.').map(Number)
  return a > major || (a === major && b >= minor)
}

/** Runs a command in the root, hands signals on, resolves with its exit code or signal. */
function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, Object.assign({ cwd: root, stdio: 'inherit' }, options))
    const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
      // A terminal sends SIGINT to the child as well.
      const handler = () => (signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal)
      process.on(signal, handler)
      return [signal, handler]
    })
    const end = (result) => {
      for (const [signal, handler] of handlers) process.removeListener(signal, handler)
      resolve(result)
    }
    child.on('error', (error) => end({ code: 1, error }))
    child.on('exit', (code, signal) => end({ code, signal }))
  })
}

/** What the installed packages depend on: the lockfile, and the platform that binaries were chosen for. */
function fingerprint() {
  const hash = createHash('sha256')
  hash.update(process.platform + '-' + process.arch + '\n')
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)))
  return hash.digest('hex') + '\n'
}

async function install() {
  const stamp = join(root, 'node_modules', '.outrigger-installed')
  const wanted = fingerprint()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write('Installing the workspace with ' + pnpm + ' ...\n')
  const { code, error } = await run('npx', ['-y', pnpm, 'install', '--frozen-lockfile'], {
    // Its output must not mix with what the script prints.
    stdio: ['ignore', 2, 2],
    env: Object.assign({}, process.env, { CI: 'true' }),
    shell: windows,
  })
  if (error) fail('Cannot run npx (' + error.message + '); install Node.js together with npm.')
  if (code !== 0)
    fail('The installation failed; see above. After a change of a package.json run: npx ' + pnpm + ' install')
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

/** The Node.js that was installed with the workspace, else the running one if it can run TypeScript. */
function findNode() {
  const name = 'node-' + process.platform + '-' + process.arch
  const own = join(root, 'node_modules', name, 'bin', 'node')
  if (existsSync(own)) return own
  if (atLeast(22, 18)) return process.execPath
  return fail('There is no ' + name + ' for this machine; run this with Node.js 22.18 or newer.')
}

async function main() {
  const [name, ...args] = process.argv.slice(2)
  if (!atLeast(18, 0)) {
    fail(
      'This workspace needs Node.js 18 or newer to start with (here: ' +
        process.version +
        '); see https://nodejs.org.',
    )
  }
  const script = join(root, 'tools', 'workspace', name + '.ts')
  if (!name || !existsSync(script)) fail('There is no script "' + name + '" in tools/workspace.')
  await install()
  const node = findNode()
  const bins = [join(root, 'node_modules', '.bin'), dirname(node)].join(delimiter)
  const flags = ['--conditions=@outrigger/source', '--disable-warning=ExperimentalWarning']
  const { code, signal, error } = await run(node, flags.concat(script, args), {
    env: Object.assign({}, process.env, { PATH: bins + delimiter + (process.env.PATH || '') }),
  })
  if (error) fail('Cannot run ' + node + ': ' + error.message)
  if (signal) process.kill(process.pid, signal)
  else process.exitCode = code
}

void main()
