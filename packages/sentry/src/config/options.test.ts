import { FlagError, parseFlags } from '@outrigger/host'
import { describe, expect, it } from 'vitest'
import { flags } from './flags.ts'
import { optionsOf, type ProcessOptions } from './options.ts'

const read = (argv: string[], env: Record<string, string> = {}): ProcessOptions =>
  optionsOf(parseFlags(flags, argv, env), env)

describe('the options of sentry', () => {
  it('have the defaults of Dapr', () => {
    expect(read([])).toEqual({
      workloadCertTtlMs: 86_400_000,
      allowedClockSkewMs: 900_000,
      jwks: undefined,
      listen: { port: 50001 },
      healthz: { port: 8080 },
      metrics: { host: '0.0.0.0', port: 9090 },
      trustDomain: 'localhost',
      namespace: 'default',
      files: {
        trustAnchors: '/var/run/secrets/dapr.io/credentials/ca.crt',
        issuerChain: '/var/run/secrets/dapr.io/credentials/issuer.crt',
        issuerKey: '/var/run/secrets/dapr.io/credentials/issuer.key',
      },
      tokens: undefined,
      oidc: undefined,
      log: { level: 'info', json: false, file: undefined },
      warnings: [],
    })
  })

  it('name files in the folder, or anywhere', () => {
    const { files, tokens } = read([
      '--issuer-credentials=/certs',
      '--issuer-ca-filename=root.pem',
      '--issuer-key-filename=/keys/issuer.key',
      '-jwt-enabled',
      '--jwt-key-filename=own.key',
    ])
    expect(files).toEqual({
      trustAnchors: '/certs/root.pem',
      issuerChain: '/certs/issuer.crt',
      issuerKey: '/keys/issuer.key',
    })
    expect(tokens).toEqual({
      keyFile: '/certs/own.key',
      keySetFile: '/certs/jwks.json',
      issuer: undefined,
      algorithm: 'RS256',
      keyId: undefined,
      ttlMs: 86_400_000,
    })
  })

  it('say how keys are served', () => {
    const base = ['--jwt-enabled', '--oidc-enabled']
    expect(read([...base, '--oidc-server-tls-enabled=false', '--oidc-path-prefix=/a/']).oidc).toEqual({
      listen: { host: 'localhost', port: 9080 },
      tls: undefined,
      keySetUri: undefined,
      pathPrefix: '/a',
      allowedHosts: [],
    })
    const files = ['--oidc-server-tls-cert-file=/a.crt', '--oidc-server-tls-key-file=/a.key']
    expect(read([...base, ...files, '--oidc-allowed-hosts=a,b']).oidc).toMatchObject({
      tls: { certFile: '/a.crt', keyFile: '/a.key' },
      allowedHosts: ['a', 'b'],
    })
  })

  it('take the namespace from the environment, and leave metrics out when told so', () => {
    const options = read(['--enable-metrics=false', '--kubeconfig=x'], { NAMESPACE: 'dapr-system' })
    expect(options.namespace).toBe('dapr-system')
    expect(options.metrics).toBeUndefined()
    expect(options.warnings).toEqual(['--kubeconfig has no effect yet: the mode kubernetes is not built'])
  })

  it.each<[string[], RegExp]>([
    [['--mode=kubernetes'], /not built yet/],
    [['--trust-domain=A B'], /trust domain "A B"/],
    [['--config=/none/at/all.yaml'], /\/none\/at\/all\.yaml cannot be read: correct --config/],
    [['--jwt-issuer=x'], /--jwt-issuer has no meaning/],
    [['--jwt-enabled', '--jwt-ttl=0s'], /--jwt-ttl must be longer/],
    [['--oidc-enabled'], /needs --jwt-enabled/],
    [['--jwt-enabled', '--oidc-enabled'], /--oidc-server-tls-cert-file/],
    [
      ['--jwt-enabled', '--oidc-enabled', '--oidc-server-tls-enabled=false', '--oidc-jwks-uri=x'],
      /is no URL/,
    ],
  ])('%j is refused', (argv, message) => {
    expect(() => read(argv)).toThrow(message)
  })

  it('know no other flags', () => {
    expect(() => read(['--mode=other'])).toThrow(FlagError)
    expect(() => read(['--issuer-credential=x'])).toThrow(FlagError)
  })
})
