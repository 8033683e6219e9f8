import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the packages of another Debian suite are unpacked. */
export function unpackFolder(suite: string): string {
  return join(homedir(), '.cache', 'outrigger-services', suite)
}

function run(command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', cwd })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/** Fetches packages of a suite that is not the installed one, and unpacks them; nothing is installed. @throws Error */
export function unpackPackages(suite: string, packages: readonly string[]): void {
  const sites = run('apt-get', ['indextargets', '--format', '$(SITE)']).split('\n')
  const site = sites.find((each) => /\/debian\/?$/.test(each))
  if (site === undefined) throw new Error('apt-get knows no Debian archive')
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-unpack-'))
  try {
    for (const each of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(folder, each), { recursive: true })
    }
    writeFileSync(join(folder, 'sources.list'), `deb ${site} ${suite} main\n`)
    const options = [
      `Dir::Etc::sourcelist=${join(folder, 'sources.list')}`,
      'Dir::Etc::sourceparts=/dev/null',
      `Dir::State::lists=${join(folder, 'lists')}`,
      `Dir::Cache=${join(folder, 'cache')}`,
      'Dir::State::status=/dev/null',
    ].flatMap((option) => ['-o', option])
    run('apt-get', [...options, '-q', 'update'])
    run('apt-get', [...options, '-q', 'download', ...packages], folder)
    const target = unpackFolder(suite)
    mkdirSync(target, { recursive: true })
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb'))) {
      run('dpkg', ['-x', join(folder, file), target])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
